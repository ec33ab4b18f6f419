package message

import (
	"fmt"
	"strings"

	"github.com/flattone/flattone/audio/locked"
)

// Message is one that was read. It is a view of the bytes it was read from: valid as long as they are.
type Message struct {
	Type   string
	packed bool
	values map[int]value
}

// value is a field as it lies on the wire: characters, or packed digits of which the first may be one too many.
type value struct {
	raw    []byte
	length int // in characters
}

// Decode reads a message, the whole of it. Secret fields are found to be well-formed, and left where they are.
func Decode(form Form, body []byte) (Message, error) {
	r := reader{rest: body, packed: form.Packed}
	m := Message{packed: form.Packed, values: map[int]value{}}
	mti, err := r.value(spec{kind: n, most: 4})
	if err != nil {
		return Message{}, fmt.Errorf("%w: its type %w", ErrMalformed, err)
	}
	if m.Type = string(m.characters(mti, n)); !types[m.Type] {
		return Message{}, fmt.Errorf("%w: there is no message type of that number", ErrMalformed)
	}
	bits, err := r.bitmaps()
	if err != nil {
		return Message{}, fmt.Errorf("%w: its bitmap %w", ErrMalformed, err)
	}
	for i := range len(bits) * 8 {
		number := i + 1
		if bits[i/8]&(0x80>>(i%8)) == 0 || number == 1 {
			continue
		}
		s, known := table[number]
		if !known {
			return Message{}, fmt.Errorf("%w: field %d isn't in the table", ErrMalformed, number)
		}
		v, err := r.value(s)
		if err != nil {
			return Message{}, fmt.Errorf("%w: field %d (%s) %w", ErrMalformed, number, s.name, err)
		}
		m.values[number] = v
	}
	if len(r.rest) > 0 {
		return Message{}, fmt.Errorf("%w: it goes on for %d bytes after its last field", ErrMalformed, len(r.rest))
	}
	return m, nil
}

// Text is what a field says, without the spaces it was filled up with; "" if it isn't there, or is secret.
func (m Message) Text(number int) string {
	v, there := m.values[number]
	s := table[number]
	if !there || s.secret {
		return ""
	}
	return strings.TrimRight(string(m.characters(v, s.kind)), " ")
}

// CopySecret copies the characters of a secret field to the beginning of dst, which is locked memory, and tells how many they are: none if it isn't there or has
// no room.
func (m Message) CopySecret(dst []byte, number int) int {
	v, there := m.values[number]
	if !there || v.length > len(dst) {
		return 0
	}
	m.fill(dst[:v.length], v, table[number].kind)
	return v.length
}

// characters are those of a value.
func (m Message) characters(v value, k kind) []byte {
	dst := make([]byte, v.length)
	m.fill(dst, v, k)
	return dst
}

// fill copies the characters of a value to dst, which has room for them.
func (m Message) fill(dst []byte, v value, k kind) {
	if k != n || !m.packed {
		locked.Copy(dst, v.raw)
		return
	}
	first := v.length % 2 // of an odd number there is one more in front
	for i := range v.length {
		at := first + i
		nibble := v.raw[at/2] >> 4
		if at%2 == 1 {
			nibble = v.raw[at/2] & 0xf
		}
		dst[i] = '0' + nibble
	}
}
