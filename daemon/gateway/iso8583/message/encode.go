package message

import (
	"errors"
	"fmt"
)

// writer puts a message into a page. What no longer has room is counted, and not written. It copies byte by byte, as locked.Copy does.
type writer struct {
	page   []byte
	packed bool
	n      int
}

func (w *writer) byte(b byte) {
	if w.n < len(w.page) {
		w.page[w.n] = b
	}
	w.n++
}

func (w *writer) text(s string) {
	for i := range len(s) {
		w.byte(s[i])
	}
}

// digits writes a number of so many digits, with zeros in front. Packed, an odd number of them has one more zero.
func (w *writer) digits(d []byte, width int) {
	if !w.packed {
		for range width - len(d) {
			w.byte('0')
		}
		for _, c := range d {
			w.byte(c)
		}
		return
	}
	width += width % 2
	at := func(i int) byte { // the digit at a place of the padded number
		if i -= width - len(d); i >= 0 {
			return d[i] - '0'
		}
		return 0
	}
	for i := 0; i < width; i += 2 {
		w.byte(at(i)<<4 | at(i+1))
	}
}

// field writes one, after its length where that isn't fixed.
func (w *writer) field(f Field) error {
	s, value := table[f.Number], f.Secret
	if value == nil {
		value = []byte(f.Text)
	}
	switch {
	case len(value) == 0:
		return errors.New("is empty")
	case len(value) > s.most:
		return fmt.Errorf("has room for %d characters, not %d", s.most, len(value))
	}
	for _, c := range value {
		if !s.kind.fits(c) {
			return errors.New("has a character that it may not have")
		}
	}
	width := s.most
	if s.prefix > 0 {
		width = len(value)
		w.digits(fmt.Append(nil, width), s.prefix)
	}
	if s.kind == n {
		w.digits(value, width)
		return nil
	}
	for _, c := range value {
		w.byte(c)
	}
	for range width - len(value) {
		w.byte(' ')
	}
	return nil
}
