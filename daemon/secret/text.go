// Package secret holds what a caller keys: runs of digits ([Text]) and the card they make up ([Card]).
//
// It exists so that handling a card number carelessly is hard to write. Both types live in locked pages
// (audio/locked): never swapped, left out of core dumps, not copied by the collector, wiped when destroyed.
// Both print, log and encode as [Redacted], whatever the verb, the handler or the nesting: formatters call
// methods where they can, and where they can't (unexported fields) all they see is a function's address.
// Nothing but [Text.Reveal] and [Card.MarshalTo] gives the digits out, and a test lists who may call those.
//
// It promises that a value destroyed, cleared or shortened leaves no digit behind. It must never copy a
// digit to the Go heap, turn digits into a string, or put one into an error: errors here name no content.
//
// Nothing in this package is safe for concurrent use: a card has one owner at a time.
package secret

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio/locked"
)

// Errors of [Text] and [Card]. None carries anything of the content.
var (
	ErrFull      = errors.New("secret: no room for another digit")
	ErrNotADigit = errors.New("secret: only the digits 0 to 9 can be kept")
	ErrDestroyed = errors.New("secret: used after it was destroyed")
	ErrLayout    = errors.New("secret: the bytes are not a card")
	ErrRefused   = errors.New("secret: refuses to be encoded")
)

// Text is a short run of ASCII digits in locked memory. The zero Text is a destroyed one.
//
// The only field is a function, and must stay one: reflection can't look into a closure. A pointer to a
// struct is not enough, for fmt follows it under a verb that doesn't suit it (%s, %t) in an unexported field.
type Text struct{ open func() *run }

func newText(r *run) *Text { return &Text{func() *run { return r }} }

// run is a view of locked memory: one byte of length, then that many digits, then zeros up to the capacity.
// The length lies with the digits, so that wiping the memory wipes all there is to know.
type run struct {
	mem  []byte
	page []byte // what to free; nil when the memory belongs to a Card
}

// NewText makes an empty Text with room for capacity digits, 1 to 255.
func NewText(capacity int) (*Text, error) {
	if capacity < 1 || capacity > 255 {
		return nil, fmt.Errorf("secret: a capacity of %d digits: want 1 to 255", capacity)
	}
	page, err := locked.Bytes(1 + capacity)
	if err != nil {
		return nil, fmt.Errorf("secret: new text: %w", err)
	}
	return newText(&run{mem: page[: 1+capacity : 1+capacity], page: page}), nil
}

// Append adds a digit, '0' to '9'. The errors are [ErrNotADigit], [ErrFull] and [ErrDestroyed]; the Text is
// then as it was.
func (t Text) Append(digit byte) error {
	mem := t.memory()
	switch n := t.Len(); {
	case mem == nil:
		return ErrDestroyed
	case digit < '0' || digit > '9':
		return ErrNotADigit
	case n == t.Cap():
		return ErrFull
	default:
		mem[1+n] = digit
		mem[0]++
		return nil
	}
}

// DropLast removes and wipes the last digit, if there is one.
func (t Text) DropLast() {
	if n := t.Len(); n > 0 {
		mem := t.memory()
		mem[n] = 0
		mem[0]--
	}
}

// Clear removes and wipes all digits. The Text can be filled again.
func (t Text) Clear() {
	clear(t.memory())
}

// Len is the number of digits. It may be told: it is the number of stars.
func (t Text) Len() int {
	if mem := t.memory(); mem != nil {
		return int(mem[0])
	}
	return 0
}

// Cap is the number of digits there is room for.
func (t Text) Cap() int {
	return max(0, len(t.memory())-1)
}

// Reveal is a view of the digits in the locked memory itself, nil when destroyed. It is radioactive: it
// is valid until the next call of another method, must not be kept, and must not be copied to memory that
// isn't locked. A test lists its callers.
func (t Text) Reveal() []byte {
	mem := t.memory()
	if mem == nil {
		return nil
	}
	n := 1 + int(mem[0])
	return mem[1:n:n]
}

// Destroy wipes the digits and gives the memory back. A destroyed Text stays empty; destroying it again
// does nothing. The Texts of a [Card] are destroyed with their card, and only wiped by this.
func (t Text) Destroy() {
	if t.open != nil {
		t.open().destroy()
	}
}

func (t Text) memory() []byte {
	if t.open == nil {
		return nil
	}
	return t.open().mem
}

func (r *run) destroy() {
	clear(r.mem)
	if r.page != nil {
		locked.Free(r.page) // wiped even where it can't be unmapped
		r.mem, r.page = nil, nil
	}
}
