package wires

// DLE, before a byte, makes it a code; DLE and SUB are two DLEs of data.
const (
	DLE = 0x10
	SUB = 0x1a
	ETX = 0x03
)

// Classes of codes, as package dle writes them.
const (
	KeyCode  = "key"
	RingCode = "ring"
	BusyCode = "busy"
	DialTone = "dial tone"
	Gone     = "gone"
	HookOff  = "hook off"
	HookOn   = "hook on"
	Underrun = "underrun"
	Overrun  = "overrun"
	LostData = "lost data"
	Fax      = "fax"
	DataCall = "data call"
	Quiet    = "quiet"
	End      = "end"
	NoClass  = "other"
)

// Codes are all codes of ITU-T V.253 and TIA IS-101 to the host, with the makers' own, and their classes.
var Codes = []struct {
	Byte  byte
	Class string
}{
	{ETX, End},

	{'0', KeyCode}, {'1', KeyCode}, {'2', KeyCode}, {'3', KeyCode}, {'4', KeyCode}, {'5', KeyCode}, {'6', KeyCode}, {'7', KeyCode}, {'8', KeyCode},
	{'9', KeyCode}, {'*', KeyCode}, {'#', KeyCode}, {'A', KeyCode}, {'B', KeyCode}, {'C', KeyCode}, {'D', KeyCode},
	{'/', KeyCode}, // begins; its digit follows every 70 ms,
	{'~', KeyCode}, // until it ends

	{'R', RingCode},
	{'b', BusyCode},
	{'K', BusyCode}, // fast: the network
	{'J', BusyCode}, // three notes before an announcement
	{'d', DialTone},
	{'i', DialTone}, // stuttered
	{'l', Gone},     // the loop was broken,
	{'s', Gone},     // or silent from the start

	{'H', HookOff}, {'P', HookOff}, // of the phone beside, or an extension
	{'h', HookOn}, {'p', HookOn},

	{'u', Underrun},
	{'o', Overrun},
	{'Y', LostData},

	{'c', Fax}, {'m', Fax},
	{'a', DataCall}, {'e', DataCall}, {'f', DataCall}, // answers, calls, answers

	{'q', Quiet},

	{'E', NoClass},                 // not in the format agreed
	{'L', NoClass},                 // polarity reversed
	{'Q', NoClass}, {'S', NoClass}, // go on, stop
	{'T', NoClass},                 // a mark in time
	{'V', NoClass}, {'v', NoClass}, // a voice
	{'X', NoClass},  // more about what was heard,
	{'.', NoClass},  // so far
	{'r', NoClass},  // it rings at the other end
	{'t', NoClass},  // a text telephone
	{'w', NoClass},  // another call waits
	{'$', NoClass},  // bong
	{0xff, NoClass}, // nobody's
}
