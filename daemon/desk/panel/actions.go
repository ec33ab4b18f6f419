package panel

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/signin"
)

// form is what an agent typed to have a card taken.
type form struct {
	Store                     bool
	Profile, Amount, Currency string
	Total, Reference, Bill    string
	Consent                   bool
}

// errNotYours answers a request for what isn't on the agent's line. It doesn't say whether it is on another.
var errNotYours = errors.New("not on the agent's line")

// errCard answers one that has what looks like a card number.
var errCard = errors.New("looks like a card number")

// command is one that an agent gives. line is his, by flattoned's word, and not by the request's; it is zero where he has none.
type command struct {
	box  Box
	seat *seat
	line board.View
	mine bool // the line is bound to him
	lang string
	form func(string) string
	all  []board.View
}

// verbs are all that can be asked for.
var verbs = map[string]func(*Panel, context.Context, command) error{
	"prove": (*Panel).prove, "pick": (*Panel).pick, "back": (*Panel).back, "leave": (*Panel).leave,
	"start": (*Panel).start, "again": (*Panel).again, "more": (*Panel).more, "cover": (*Panel).cover, "cancel": (*Panel).cancel,
	"confirm": (*Panel).confirm, "drop": (*Panel).drop, "void": (*Panel).void, "refund": (*Panel).refund, "second": (*Panel).second,
}

// doing is a verb's handler: it does it, keeps what went wrong to be shown, and sends the browser back to the page.
func (p *Panel) doing(do func(*Panel, context.Context, command) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		agent := signin.AgentOf(r.Context())
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form can't be read", http.StatusBadRequest)
			return
		}
		s := p.seat(agent.Name)
		c := command{box: p.deps.As(agent.Name), seat: s, form: r.PostForm.Get, all: p.deps.Board.Views(),
			lang: string(p.words.For(r.Header.Get("Accept-Language"), p.brand.Language).Language)}
		c.line, _ = p.deps.Board.Of(agent.Name)
		c.mine = c.line.Bound == agent.Name
		err := do(p, r.Context(), c)
		s.mu.Lock()
		s.flaw, s.notice, s.seen = flawOf(err), "", time.Now()
		if s.stream != nil {
			select {
			case s.stream.wake <- struct{}{}:
			default:
			}
		}
		s.mu.Unlock()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// flawOf is err as the agent is told it. What flattoned says in a technician's English is shown only where it is about what the agent typed.
func flawOf(err error) flaw {
	switch {
	case err == nil:
		return flaw{}
	case errors.Is(err, errNotYours):
		return flaw{Key: "not_yours"}
	case errors.Is(err, errCard):
		return flaw{Key: "card_in_text"}
	}
	e, ok := errors.AsType[*control.Error](err)
	if !ok {
		return flaw{Code: control.CodeInternal}
	}
	f := flaw{Code: e.Code}
	if e.Code == control.CodeNotCharged || e.Code == control.CodeBadRequest {
		f.Text = strings.Join(slices.DeleteFunc([]string{e.Text, e.Remedy}, func(s string) bool { return s == "" }), ": ")
	}
	return f
}

// prove is the one verb that takes a line from the request: it takes its words to have it. A line may be another agent's until then, who has put the call through.
func (p *Panel) prove(ctx context.Context, c command) error {
	i := slices.IndexFunc(c.all, func(v board.View) bool { return v.Line == c.form("line") && v.Blocked() == "" })
	if i < 0 {
		return errNotYours
	}
	proof, err := c.box.Prove(ctx, c.all[i].Line, c.lang)
	if err != nil {
		return err
	}
	c.seat.mu.Lock()
	defer c.seat.mu.Unlock()
	c.seat.proof, c.seat.line, c.seat.first, c.seat.form = proof, c.all[i].Line, "", form{}
	c.seat.expires = time.Now().Add(time.Duration(proof.Seconds) * time.Second)
	return nil
}

// pick is one word; the second has the proof answered.
func (p *Panel) pick(ctx context.Context, c command) error {
	c.seat.mu.Lock()
	word, first, proof, line := c.form("word"), c.seat.first, c.seat.proof, c.seat.line
	if proof.ID == "" || !slices.Contains(proof.Words, word) {
		c.seat.mu.Unlock()
		return errNotYours
	}
	if first == "" {
		c.seat.first = word
		c.seat.mu.Unlock()
		return nil
	}
	c.seat.proof, c.seat.first = control.Proof{}, ""
	c.seat.mu.Unlock()
	return c.box.Bind(ctx, line, proof.ID, []string{first, word})
}

func (p *Panel) back(_ context.Context, c command) error {
	c.seat.mu.Lock()
	defer c.seat.mu.Unlock()
	c.seat.proof, c.seat.first = control.Proof{}, ""
	return nil
}

func (p *Panel) leave(ctx context.Context, c command) error {
	return c.onLine(func() error { return c.box.Unbind(ctx, c.line.Line) })
}

// start has a card taken for what was typed.
func (p *Panel) start(ctx context.Context, c command) error {
	f := form{Store: c.form("store") != "", Profile: c.form("profile"), Amount: strings.ReplaceAll(strings.TrimSpace(c.form("amount")), ",", "."),
		Currency: strings.ToUpper(strings.TrimSpace(c.form("currency"))), Total: strings.ReplaceAll(strings.TrimSpace(c.form("total")), ",", "."),
		Reference: strings.TrimSpace(c.form("reference")), Consent: c.form("consent") != "", Bill: c.form("bill")}
	if cardLike(strings.Join([]string{f.Amount, f.Currency, f.Total, f.Reference}, ".")) {
		c.seat.keep(form{}) // a card number isn't kept, nor sent back
		return errCard
	}
	c.seat.keep(f)
	return c.onLine(func() (err error) {
		if f.Bill != "" && !c.has(f.Bill) {
			return errNotYours
		}
		var id string
		if f.Store {
			id, err = c.box.Arm(ctx, c.line.Line, f.Profile)
		} else {
			var begun control.Charging
			begun, err = c.box.Charge(ctx, c.line.Line, f.Profile, control.Charge{Amount: f.Amount, Currency: f.Currency, Total: f.Total, Bill: f.Bill, Reference: f.Reference, Consent: f.Consent})
			id = begun.Capture
		}
		if err != nil {
			return err
		}
		c.seat.mu.Lock()
		c.seat.form, c.seat.watched = form{}, id
		profiles := c.seat.profiles
		c.seat.mu.Unlock()
		if i := slices.IndexFunc(profiles, func(q control.Profile) bool { return q.Name == f.Profile }); i >= 0 {
			p.deps.Board.Expect(c.line.Line, id, profiles[i].Fields)
		}
		return nil
	})
}

func (p *Panel) again(ctx context.Context, c command) error {
	return c.onLine(func() error { return c.box.Again(ctx, c.line.Line, c.form("field")) })
}

func (p *Panel) more(ctx context.Context, c command) error {
	return c.onLine(func() error { return c.box.MoreTime(ctx, c.line.Line) })
}

func (p *Panel) cover(ctx context.Context, c command) error {
	return c.onLine(func() error { return c.box.Cover(ctx, c.line.Line, c.form("on") != "") })
}

func (p *Panel) cancel(ctx context.Context, c command) error {
	return c.onLine(func() error { return c.box.Disarm(ctx, c.line.Line) })
}

func (p *Panel) confirm(ctx context.Context, c command) error {
	return c.onPayment(func(id string) error { _, err := c.box.Confirm(ctx, id); return err })
}

func (p *Panel) drop(ctx context.Context, c command) error {
	return c.onPayment(func(id string) error { _, err := c.box.Cancel(ctx, id); return err })
}

func (p *Panel) void(ctx context.Context, c command) error {
	return c.onPayment(func(id string) error { _, err := c.box.Act(ctx, id, "void", ""); return err })
}

func (p *Panel) refund(ctx context.Context, c command) error {
	return c.onPayment(func(id string) error { _, err := c.box.Act(ctx, id, "refund", ""); return err })
}

// second has the next card pay the rest of a payment's bill.
func (p *Panel) second(_ context.Context, c command) error {
	return c.onPayment(func(id string) error {
		i := slices.IndexFunc(c.line.Payments, func(q board.Payment) bool { return q.ID == id })
		c.seat.keep(form{Bill: id, Amount: c.line.Payments[i].Left, Currency: c.line.Payments[i].Currency, Reference: c.line.Payments[i].Reference})
		return nil
	})
}

// onLine does something with the line that is bound to the agent.
func (c command) onLine(do func() error) error {
	if !c.mine {
		return errNotYours
	}
	return do()
}

// onPayment does something with a payment of the agent's call, which may be over by now.
func (c command) onPayment(do func(id string) error) error {
	id := c.form("payment")
	if !c.has(id) {
		return errNotYours
	}
	return do(id)
}

func (c command) has(payment string) bool {
	return slices.ContainsFunc(c.line.Payments, func(p board.Payment) bool { return p.ID == payment })
}

func (s *seat) keep(f form) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.form = f
}

// profiles are what may be asked for, as flattoned says; what it said last, while it doesn't answer.
func (p *Panel) profiles(ctx context.Context, agent string) []control.Profile {
	all, err := p.deps.As(agent).Profiles(ctx)
	s := p.seat(agent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		p.deps.Log.Warn("the profiles can't be asked for", "error", err)
	}
	if len(all) > 0 {
		s.profiles = all
	}
	return s.profiles
}
