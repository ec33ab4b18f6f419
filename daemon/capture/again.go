package capture

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors of [Machine.Again].
var (
	// ErrOver: the card is complete, or the capture void.
	ErrOver = errors.New("capture: it is over")
	// ErrNotKeyed: there is nothing in that field to be keyed anew.
	ErrNotKeyed = errors.New("the field's turn hasn't come yet: name pan, expiry or cvv, whichever is being keyed or was taken, or none for the present one")
	// ErrNotAsked: the profile has no such field.
	ErrNotAsked = errors.New("the profile doesn't ask for that field")
)

// Again has a field keyed anew, because somebody asks the caller to: the present one (0 names it), or one that was taken, after which the capture goes back to
// where it was. The other fields that were taken stay; what was keyed of the present one is wiped as well, for the caller was interrupted in it. As after a
// refusal, keys count again once there was none for a while, which here begins no sooner than now; but nobody refused, so the field's tries begin anew. The events
// are to be told whatever the error.
func (m *Machine) Again(f Field, at time.Duration) ([]Event, error) {
	if !m.live(at) {
		return m.pending, ErrOver
	}
	if f == 0 {
		f = m.field
	}
	switch {
	case !slices.Contains(m.profile.Fields, f):
		return m.pending, fmt.Errorf("%w: %v", ErrNotAsked, f)
	case f != m.field && !m.taken[f]:
		return m.pending, fmt.Errorf("%w: %v", ErrNotKeyed, f)
	}
	if t := m.text(m.field); f != m.field && t.Len() > 0 {
		t.Clear()
		m.stars()
	}
	m.text(f).Clear()
	m.taken[f], m.tries[f] = false, 0
	if f == PAN {
		m.brand = "" // or a code of the new card would be judged by the old one
	}
	m.state, m.field, m.againAt = swallowing, f, m.now
	m.stars()
	return m.pending, nil
}
