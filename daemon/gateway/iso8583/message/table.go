package message

// kind is what a field is made of.
type kind uint8

const (
	n   kind = iota // digits: packed where the form packs, right-justified with zeros in front
	an              // letters, digits and spaces, left-justified
	ans             // any printable character of ASCII, left-justified
)

// spec is a field as ISO 8583:1987 defines it.
type spec struct {
	name   string
	kind   kind
	prefix int  // digits of the length in front: 0 where the length is fixed, 2 (LLVAR) or 3 (LLLVAR)
	most   int  // its length, or its longest
	secret bool // it holds a card, or may
}

// table has the fields that a box at a telephone says, and those that an acquirer may put into an answer to them: a field that isn't here ends the reading, for
// nobody knows how long it is. No track (35, 45), no PIN (52), no chip (55): nothing of that comes by telephone. No MAC (64, 128): the connection is TLS.
var table = map[int]spec{
	2:   {"primary account number", n, 2, 19, true},
	3:   {"processing code", n, 0, 6, false},
	4:   {"amount", n, 0, 12, false},
	7:   {"transmission date and time", n, 0, 10, false}, // MMDDhhmmss, UTC
	11:  {"systems trace audit number", n, 0, 6, false},
	12:  {"local time", n, 0, 6, false},      // hhmmss
	13:  {"local date", n, 0, 4, false},      // MMDD
	14:  {"expiration date", n, 0, 4, true},  // YYMM
	15:  {"settlement date", n, 0, 4, false}, // of answers
	18:  {"merchant type", n, 0, 4, false},   // ISO 18245
	22:  {"point of service entry mode", n, 0, 3, false},
	25:  {"point of service condition code", n, 0, 2, false},
	32:  {"acquiring institution", n, 2, 11, false},
	37:  {"retrieval reference number", an, 0, 12, false},
	38:  {"authorization identification response", an, 0, 6, false},
	39:  {"response code", an, 0, 2, false},
	41:  {"terminal", ans, 0, 8, false},
	42:  {"card acceptor", ans, 0, 15, false},
	44:  {"additional response data", ans, 2, 25, false},           // of answers, and only read past
	48:  {"additional data, private", ans, 3, 999, true},           // the CVV
	49:  {"currency of the amount", n, 0, 3, false},                // ISO 4217, numeric
	54:  {"additional amounts", an, 3, 120, false},                 // of answers, and only read past
	63:  {"private use", ans, 3, 999, false},                       // of answers, and only read past
	70:  {"network management information code", n, 0, 3, false},   // 001 sign on, 301 echo
	90:  {"original data elements", n, 0, 42, false},               // what is reversed or completed
	120: {"record data: the holder's address", ans, 3, 999, false}, // AVS
}

// types are the messages that are sent, and their answers: authorisation, financial, completion (an advice), reversal (an advice), network management. Advices have
// a repeat.
var types = map[string]bool{
	"0100": true, "0110": true,
	"0200": true, "0210": true,
	"0220": true, "0221": true, "0230": true,
	"0420": true, "0421": true, "0430": true,
	"0800": true, "0810": true,
}

// fits reports whether a character is of a kind.
func (k kind) fits(c byte) bool {
	digit := c >= '0' && c <= '9'
	switch k {
	case n:
		return digit
	case an:
		return digit || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == ' '
	default:
		return c >= ' ' && c <= '~'
	}
}
