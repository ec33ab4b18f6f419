package gateway

import (
	"context"
	"fmt"
	"regexp"

	"github.com/flattone/flattone/daemon/secret"
)

// Guard holds a connector to the promises that can be looked at from outside: what an answer may look like, that the reference was noted before there is one, and
// that nothing of the card comes back.
func Guard(c Connector) Connector { return guarded{c} }

type guarded struct{ Connector }

func (g guarded) Authorise(ctx context.Context, o Order, card *secret.Card, note func(string) error) (Answer, error) {
	noted := ""
	a, err := g.Connector.Authorise(ctx, o, card, func(ref string) error {
		if !refs.MatchString(ref) {
			return fmt.Errorf("%w: its reference for the payment has another form", ErrGarbled)
		}
		noted = ref
		return note(ref)
	})
	if err != nil {
		return Answer{}, err
	}
	if noted == "" {
		return Answer{}, fmt.Errorf("%w: it answered before it was asked", ErrGarbled)
	}
	if repeats(a, card.PAN.Reveal()) {
		return Answer{}, fmt.Errorf("%w: it repeats the card", ErrGarbled)
	}
	return checked(a, Approved, Declined)
}

func (g guarded) Inquire(ctx context.Context, o Order, ref string) (Answer, error) {
	a, err := g.Connector.Inquire(ctx, o, ref)
	if err != nil {
		return Answer{}, err
	}
	return checked(a, Approved, Declined, NotThere)
}

func (g guarded) Void(ctx context.Context, o Order, ref string) (Answer, error) {
	a, err := g.Connector.Void(ctx, o, ref)
	if err != nil {
		return Answer{}, err
	}
	return checked(a, Approved, Declined)
}

func (g guarded) Capture(ctx context.Context, o Order, ref string, minor int64) (Answer, error) {
	a, err := g.Connector.Capture(ctx, o, ref, minor)
	if err != nil {
		return Answer{}, err
	}
	return checked(a, Approved, Declined)
}

func (g guarded) Refund(ctx context.Context, o Order, ref, key string, minor int64) (Answer, error) {
	a, err := g.Connector.Refund(ctx, o, ref, key, minor)
	if err != nil {
		return Answer{}, err
	}
	return checked(a, Approved, Declined)
}

// The forms of what comes from a provider.
var (
	refs  = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	codes = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,32}$`)
	auths = regexp.MustCompile(`^[A-Za-z0-9]{0,6}$`)
)

// checked refuses what isn't of the form that an answer has. The error doesn't quote it.
func checked(a Answer, may ...Outcome) (Answer, error) {
	for _, o := range may {
		if a.Outcome != o {
			continue
		}
		for _, f := range []struct {
			name string
			good bool
		}{
			{"reference", a.Ref == "" || refs.MatchString(a.Ref)}, {"code", codes.MatchString(a.Code)}, {"authorisation", auths.MatchString(a.Auth)},
			{"network id", a.NetworkID == "" || refs.MatchString(a.NetworkID)},
		} {
			if !f.good {
				return Answer{}, fmt.Errorf("%w: its %s has another form", ErrGarbled, f.name)
			}
		}
		return a, nil
	}
	return Answer{}, fmt.Errorf("%w: its outcome is none of those that there are", ErrGarbled)
}

// told is how many digits of a card in a row an answer may not have. The last four are shown anyway, and a reference of a provider's may have some by chance.
const told = 8

// repeats reports whether an answer has digits of the card in a row. It makes no string of them.
func repeats(a Answer, pan []byte) bool {
	for _, s := range []string{a.Ref, a.Code, a.NetworkID} {
		for at := range len(s) {
			for from := range pan {
				if inARow(s[at:], pan[from:]) >= told {
					return true
				}
			}
		}
	}
	return false
}

// inARow is how many characters two runs begin with alike.
func inARow(s string, digits []byte) (n int) {
	for n < len(s) && n < len(digits) && s[n] == digits[n] {
		n++
	}
	return n
}
