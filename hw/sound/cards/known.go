package cards

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Why an adopted card is not taken. The words are codes, for programs; what wraps them says the rest.
var (
	ErrAbsent   = errors.New("device_absent")   // it isn't plugged in
	ErrMoved    = errors.New("device_moved")    // it is, in another place
	ErrReplaced = errors.New("device_replaced") // another card is in its place
	ErrSwapped  = errors.New("device_swapped")  // it was plugged in anew, and so may be its twin
)

// Reason is which of these an error wraps, the gravest first, or empty.
func Reason(err error) string {
	for _, why := range []error{ErrSwapped, ErrReplaced, ErrMoved, ErrAbsent} {
		if errors.Is(err, why) {
			return why.Error()
		}
	}
	return ""
}

// Adopted is a card that the owner has given a name.
type Adopted struct {
	Identity
	// PCM is which of the card's devices is meant: the D of hw:N,D.
	PCM int
	// Plugging is the one that the owner saw when he adopted it.
	Plugging string
}

// Known are the adopted cards by their names.
type Known map[string]Adopted

// Find finds an adopted card, which must be where it was adopted.
func (k Known) Find(name string, list []Card) (Card, error) {
	want := k[name]
	for _, c := range list {
		if c.Identity == want.Identity && slices.Contains(c.PCMs, want.PCM) {
			return c, nil
		}
	}
	again := fmt.Sprintf("put the right one there, or adopt %s anew: flattone devices adopt", name)
	for _, c := range list {
		if c.alike(want.Identity) && !k.taken(c.Identity) {
			return Card{}, fmt.Errorf("%w: %s was adopted in %s, and a card like it (%s) is in %s: %s", ErrMoved, name, want.Place, want.kind(), c.Place, again)
		}
	}
	for _, c := range list {
		if c.Identity == want.Identity {
			return Card{}, fmt.Errorf("%w: the card of %s (%s) has no device %d any more: %s", ErrAbsent, name, want.kind(), want.PCM, again)
		}
		if c.Place == want.Place {
			return Card{}, fmt.Errorf("%w: in %s, the place of %s (%s), is another card (%s): %s", ErrReplaced, want.Place, name, want.kind(), c.kind(), again)
		}
	}
	return Card{}, fmt.Errorf("%w: %s (%s) is not plugged in: plug it into %s", ErrAbsent, name, want.kind(), want.Place)
}

// taken reports whether a card has been adopted.
func (k Known) taken(i Identity) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(k)), func(a Adopted) bool { return a.Identity == i })
}

// Name is what a device of a card was adopted as, or empty.
func (k Known) Name(i Identity, pcm int) string {
	for name, a := range k {
		if a.Identity == i && a.PCM == pcm {
			return name
		}
	}
	return ""
}

// twin reports whether there is, or is known to be, a card in another place that is like this one.
func (k Known) twin(i Identity, list []Card) bool {
	other := func(o Identity) bool { return o.alike(i) && o.Place != i.Place }
	return slices.ContainsFunc(list, func(c Card) bool { return other(c.Identity) }) ||
		slices.ContainsFunc(slices.Collect(maps.Values(k)), func(a Adopted) bool { return other(a.Identity) })
}
