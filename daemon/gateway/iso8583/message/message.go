// Package message is the codec of ISO 8583:1987: messages that ask an acquirer for money, and his answers, to and from bytes.
//
// It exists because a card may be written only from locked page to locked page, which no library does, and because what comes from a network is judged before
// anything believes it. It is one table ([table]) and two ways of writing it down ([Form]): characters (ASCII), and digits packed two to a byte (BCD).
//
// It promises that [Decode] neither panics nor reads beyond what it is given, that what it accepts is what [Encode] writes, byte for byte, and that an error
// quotes nothing of a message. The fields that hold a card are digits and bytes in the caller's locked memory and never become a string: [Encode] copies them
// from there ([Field.Secret]), and [Message.Text] doesn't give them out.
//
// It must never keep a message: what it is given stays the caller's, who wipes it.
package message

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// Errors of the codec.
var (
	ErrMalformed = errors.New("no ISO 8583 message of this form")
	ErrUnfit     = errors.New("this can't be said in an ISO 8583 message") // of what Encode is given
)

// Form is how an acquirer has messages written. In front of each are two bytes of length, the high one first, which don't count themselves.
type Form struct {
	Packed bool   // digits two to a byte and bitmaps in binary; otherwise characters, and bitmaps in hexadecimal
	TPDU   string // five bytes between length and message that a network routes by, beginning with 60h; "": none. Its answers have their own
}

const (
	// LengthBytes are those of the length in front of a message.
	LengthBytes = 2
	// MostBytes is the longest frame that there is, with its length: more than all fields of the table, each at its longest.
	MostBytes = 4096

	tpduBytes = 5
	tpduID    = 0x60
)

// Check says what is wrong with a form.
func (f Form) Check() error {
	if f.TPDU != "" && (len(f.TPDU) != tpduBytes || f.TPDU[0] != tpduID) {
		return errors.New("the TPDU is 5 bytes, of which the first is 60h")
	}
	return nil
}

// Length is how many bytes follow the first two of a frame.
func (f Form) Length(head []byte) (int, error) {
	if len(head) != LengthBytes {
		return 0, fmt.Errorf("%w: its length isn't whole", ErrMalformed)
	}
	n := int(head[0])<<8 | int(head[1])
	switch {
	case n > MostBytes-LengthBytes:
		return 0, fmt.Errorf("%w: %d bytes long, and at most %d are read", ErrMalformed, n, MostBytes-LengthBytes)
	case n <= len(f.TPDU):
		return 0, fmt.Errorf("%w: %d bytes long, which is none", ErrMalformed, n)
	}
	return n, nil
}

// Body is the message in what follows the length of a frame.
func (f Form) Body(rest []byte) ([]byte, error) {
	if f.TPDU == "" {
		return rest, nil
	}
	if len(rest) < tpduBytes || rest[0] != tpduID {
		return nil, fmt.Errorf("%w: it doesn't begin with a TPDU", ErrMalformed)
	}
	return rest[tpduBytes:], nil
}

// Field is one to be written: what it says in characters, also where they are packed on the wire. One of digits that is shorter than its fixed length gets zeros
// in front, one of characters gets spaces behind.
type Field struct {
	Number int
	Text   string
	Secret []byte // instead of Text in the fields that hold a card, or may: in the caller's locked memory
}

// Encode writes a frame to page, which is locked memory where a field is secret. It tells the frame's length, and where in it the secret fields begin and end. The
// fields come in the order of their numbers.
func Encode(page []byte, form Form, mti string, fields ...Field) (length int, secrets [][2]int, err error) {
	w := writer{page: page, packed: form.Packed}
	w.text("\x00\x00" + form.TPDU)
	if !types[mti] {
		return 0, nil, fmt.Errorf("%w: there is no message type of that number", ErrUnfit)
	}
	w.digits([]byte(mti), 4)
	bits, err := bitmap(fields)
	if err != nil {
		return 0, nil, err
	}
	if !form.Packed {
		bits = upperHex(bits)
	}
	w.text(string(bits))
	for _, f := range fields {
		begins := w.n
		if err := w.field(f); err != nil {
			return 0, nil, fmt.Errorf("%w: field %d (%s) %w", ErrUnfit, f.Number, table[f.Number].name, err)
		}
		if table[f.Number].secret {
			secrets = append(secrets, [2]int{begins, w.n})
		}
	}
	if w.n > len(page) || w.n > MostBytes {
		return 0, nil, fmt.Errorf("%w: %d bytes, with room for %d", ErrUnfit, w.n, min(len(page), MostBytes))
	}
	page[0], page[1] = byte((w.n-LengthBytes)>>8), byte(w.n-LengthBytes)
	return w.n, secrets, nil
}

// bitmap says which fields there are: a bit each, and the first of each eight bytes whether there are eight more.
func bitmap(fields []Field) ([]byte, error) {
	bits, last := make([]byte, 8), 1
	for _, f := range fields {
		s, known := table[f.Number]
		switch {
		case !known:
			return nil, fmt.Errorf("%w: field %d isn't in the table", ErrUnfit, f.Number)
		case f.Number <= last:
			return nil, fmt.Errorf("%w: field %d comes after field %d", ErrUnfit, f.Number, last)
		case (f.Secret != nil) != s.secret:
			return nil, fmt.Errorf("%w: whether field %d (%s) is secret isn't the caller's to say", ErrUnfit, f.Number, s.name)
		}
		if last = f.Number; last > 64 && len(bits) == 8 {
			bits = append(bits, make([]byte, 8)...)
			bits[0] |= 0x80
		}
		bits[(last-1)/8] |= 0x80 >> ((last - 1) % 8)
	}
	return bits, nil
}

// upperHex is hexadecimal as ISO 8583 has it.
func upperHex(b []byte) []byte {
	h := []byte(hex.EncodeToString(b))
	for i, c := range h {
		if c >= 'a' {
			h[i] = c - 'a' + 'A'
		}
	}
	return h
}
