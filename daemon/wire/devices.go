package wire

// Device is a sound device as a line's process would find it. It is no message, but part of [Found].
type Device struct {
	// Name is what a [line.sound] table calls it: as it was adopted, or as PortAudio does what is no card. Empty: a card to adopt.
	Name string
	// Card is what the card calls itself; empty for what is none, and with it the rest up to PCM.
	Card, Place, IDs, Serial, Plugging string
	PCM                                int
	// Free says that PortAudio could open it now; In, Out and Rates are known only then.
	Free    bool
	In, Out int
	Rates   []int
	// Trouble is the code of why an adopted card isn't taken; empty if it is.
	Trouble string
}
