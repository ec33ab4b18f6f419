package gateway

import (
	"context"
	"errors"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
)

const thePAN = "4242424242424242"

// says is a connector that answers what it is told to.
type says struct {
	ref    string // what it notes; "": it doesn't
	answer Answer
}

func (s says) Authorise(_ context.Context, _ Order, _ *secret.Card, note func(string) error) (Answer, error) {
	if s.ref != "" {
		if err := note(s.ref); err != nil {
			return Answer{}, errors.Join(ErrNotSent, err)
		}
	}
	return s.answer, nil
}
func (s says) Reach(context.Context) error                                   { return nil }
func (s says) Inquire(context.Context, Order, string) (Answer, error)        { return s.answer, nil }
func (s says) Void(context.Context, Order, string) (Answer, error)           { return s.answer, nil }
func (s says) Capture(context.Context, Order, string, int64) (Answer, error) { return s.answer, nil }
func (s says) Refund(context.Context, Order, string, string, int64) (Answer, error) {
	return s.answer, nil
}

func aCard(t *testing.T) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for i := range len(thePAN) {
		if err := card.PAN.Append(thePAN[i]); err != nil {
			t.Fatal(err)
		}
	}
	return card
}

func TestGuard(t *testing.T) {
	good := Answer{Outcome: Approved, Ref: "pi_3Nabc", Code: "00", Auth: "A12345", NetworkID: "MCC000001124"}
	with := func(change func(*Answer)) Answer {
		a := good
		change(&a)
		return a
	}
	for name, c := range map[string]struct {
		says
		want error
	}{
		"good":                        {says{"ref-1", good}, nil},
		"declined":                    {says{"ref-1", with(func(a *Answer) { a.Outcome, a.Class = Declined, Funds })}, nil},
		"no reference noted":          {says{"", good}, ErrGarbled},
		"a reference with a space":    {says{"ref 1", good}, ErrGarbled},
		"no outcome":                  {says{"ref-1", Answer{}}, ErrGarbled},
		"an outcome of an inquiry":    {says{"ref-1", with(func(a *Answer) { a.Outcome = NotThere })}, ErrGarbled},
		"the card as its reference":   {says{"ref-1", with(func(a *Answer) { a.Ref = "x" + thePAN })}, ErrGarbled},
		"eight digits as its code":    {says{"ref-1", with(func(a *Answer) { a.Code = "c-" + thePAN[4:12] })}, ErrGarbled},
		"a network id with the card":  {says{"ref-1", with(func(a *Answer) { a.NetworkID = thePAN[:9] })}, ErrGarbled},
		"the last four, which may be": {says{"ref-1", with(func(a *Answer) { a.Code = "x-" + thePAN[12:] + "9" })}, nil},
		"a code of free text":         {says{"ref-1", with(func(a *Answer) { a.Code = "Do not honour" })}, ErrGarbled},
		"a long authorisation":        {says{"ref-1", with(func(a *Answer) { a.Auth = "1234567" })}, ErrGarbled},
	} {
		got, err := Guard(c.says).Authorise(t.Context(), Order{}, aCard(t), func(string) error { return nil })
		if !errors.Is(err, c.want) || err == nil && got != c.answer {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

// TestGuardOfTheOtherVerbs: an answer that is none of theirs is none.
func TestGuardOfTheOtherVerbs(t *testing.T) {
	g := Guard(says{"", Answer{Outcome: NotThere}})
	if a, err := g.Inquire(t.Context(), Order{}, "r"); err != nil || a.Outcome != NotThere {
		t.Errorf("an inquiry says %v, %v", a, err)
	}
	for name, verb := range map[string]func() (Answer, error){
		"void":    func() (Answer, error) { return g.Void(t.Context(), Order{}, "r") },
		"capture": func() (Answer, error) { return g.Capture(t.Context(), Order{}, "r", 1) },
		"refund":  func() (Answer, error) { return g.Refund(t.Context(), Order{}, "r", "k", 1) },
	} {
		if _, err := verb(); !errors.Is(err, ErrGarbled) {
			t.Errorf("%s: %v, want %v", name, err, ErrGarbled)
		}
	}
}

// TestWhatIsntKeptIsntSent: the reference goes to its keeper, and his error comes back.
func TestWhatIsntKeptIsntSent(t *testing.T) {
	full := errors.New("the disk is full")
	var kept string
	_, err := Guard(says{"ref-1", Answer{Outcome: Approved}}).Authorise(t.Context(), Order{}, aCard(t), func(ref string) error { kept = ref; return full })
	if kept != "ref-1" || !errors.Is(err, ErrNotSent) || !errors.Is(err, full) {
		t.Errorf("kept %q, %v", kept, err)
	}
}
