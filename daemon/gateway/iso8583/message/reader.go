package message

import (
	"bytes"
	"encoding/hex"
	"errors"
)

// Why a part of a message can't be read. None quotes it.
var (
	errShort = errors.New("ends beyond the message")
	errLong  = errors.New("says it is longer than it may be")
	errEmpty = errors.New("is empty")
	errKind  = errors.New("has a character that it may not have")
)

// reader takes a message apart from its front.
type reader struct {
	rest   []byte
	packed bool
}

func (r *reader) take(count int) ([]byte, error) {
	if count > len(r.rest) {
		return nil, errShort
	}
	b := r.rest[:count:count]
	r.rest = r.rest[count:]
	return b, nil
}

// value takes one field, after its length where that isn't fixed, and looks that it has the characters it may have.
func (r *reader) value(s spec) (value, error) {
	v := value{length: s.most}
	if s.prefix > 0 {
		var err error
		switch v.length, err = r.number(s.prefix); {
		case err != nil:
			return value{}, err
		case v.length > s.most:
			return value{}, errLong
		case v.length == 0:
			return value{}, errEmpty
		}
	}
	count := v.length
	if s.kind == n && r.packed {
		count = (count + 1) / 2
	}
	var err error
	if v.raw, err = r.take(count); err != nil {
		return value{}, err
	}
	return v, r.judge(v, s.kind)
}

func (r *reader) judge(v value, k kind) error {
	for i, c := range v.raw {
		switch {
		case k != n || !r.packed:
			if !k.fits(c) {
				return errKind
			}
		case c>>4 > 9 || c&0xf > 9, i == 0 && v.length%2 == 1 && c>>4 != 0:
			return errKind
		}
	}
	return nil
}

// number takes the length in front of a field.
func (r *reader) number(digits int) (length int, err error) {
	v, err := r.value(spec{kind: n, most: digits})
	if err != nil {
		return 0, err
	}
	for _, c := range (Message{packed: r.packed}).characters(v, n) {
		length = length*10 + int(c-'0')
	}
	return length, nil
}

// bitmaps takes the first, and the second where the first says that there is one.
func (r *reader) bitmaps() ([]byte, error) {
	bits, err := r.eight()
	if err != nil || bits[0]&0x80 == 0 {
		return bits, err
	}
	second, err := r.eight()
	if err != nil {
		return nil, err
	}
	if bytes.Equal(second, make([]byte, 8)) {
		return nil, errEmpty
	}
	return append(bits, second...), nil
}

func (r *reader) eight() ([]byte, error) {
	if r.packed {
		return r.take(8)
	}
	h, err := r.take(16)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 8)
	if _, err := hex.Decode(b, h); err != nil || !bytes.Equal(upperHex(b), h) {
		return nil, errKind
	}
	return b, nil
}
