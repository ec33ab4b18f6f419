package dle

// Code is what a modem tells between data: the byte that it sends, but for keys.
type Code byte

// AnyKey is the code of every key, 0 to 9, *, #, A to D: that there was one is all that leaves the package.
const AnyKey Code = '*'

// codeOf is the code of a byte behind DLE; 0 of NUL, which is sent for nothing but to send something.
func codeOf(b byte) Code {
	if b >= '0' && b <= '9' || b >= 'A' && b <= 'D' || b == '#' {
		return AnyKey
	}
	return Code(b)
}

// Class is what a code is about.
type Class uint8

// The classes.
const (
	Other    Class = iota
	Key            // a key is heard, is still, or is no more
	Ring           // the modem is called
	Busy           // the network says, in one of its ways, that nobody is or was reached
	DialTone       // it waits for a number: whoever was there is gone
	Gone           // the loop was broken; or nothing was heard from the start, for long
	HookOff        // a phone beside the modem was lifted,
	HookOn         // and put back
	Underrun       // the modem had nothing to send to the line,
	Overrun        // was given more than it could keep,
	LostData       // or couldn't give all that it heard
	Fax            // a fax machine calls
	DataCall       // a modem calls or answers
	Quiet          // there were voices, and then for long nothing
	End            // the sound is over: lines follow
)

var classes = [...]string{Other: "other", Key: "key", Ring: "ring", Busy: "busy", DialTone: "dial tone", Gone: "gone", HookOff: "hook off", HookOn: "hook on",
	Underrun: "underrun", Overrun: "overrun", LostData: "lost data", Fax: "fax", DataCall: "data call", Quiet: "quiet", End: "end"}

func (c Class) String() string { return classes[c] }

// Class is what a code of V.253, of IS-101 or of a maker's is about. Other are those of which nothing follows for a line: reversed polarity, marks in
// time, voices, a call that waits.
func (c Code) Class() Class {
	switch c {
	case AnyKey, '/', '~': // '/' begins a key, which then comes every 70 ms, and '~' ends it; or it comes alone, once
		return Key
	case 'R':
		return Ring
	case 'b', 'K', 'J': // busy, fast busy, the three notes before an announcement
		return Busy
	case 'd', 'i': // steady, stuttered
		return DialTone
	case 'l', 's':
		return Gone
	case 'H', 'P': // the phone at the modem, an extension
		return HookOff
	case 'h', 'p':
		return HookOn
	case 'u':
		return Underrun
	case 'o':
		return Overrun
	case 'Y':
		return LostData
	case 'c', 'm':
		return Fax
	case 'a', 'e', 'f': // V.25's answer, its call, Bell's answer
		return DataCall
	case 'q':
		return Quiet
	case etx:
		return End
	}
	return Other
}
