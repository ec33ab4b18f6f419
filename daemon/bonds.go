package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"

	"github.com/flattone/flattone/daemon/bond"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// bonds are which agent is on which line. That one ended is told at once, and noted in the audit log soon after, in order: a line that says that its call is over
// waits for no log.
type bonds struct {
	*bond.Bonds

	mu    sync.Mutex
	ended []bond.Change
	more  chan struct{} // holds one
}

func newBonds(feed *control.Feed) *bonds {
	b := &bonds{more: make(chan struct{}, 1)}
	b.Bonds = bond.New(bond.Deps{Random: rand.Reader, Tell: func(c bond.Change) {
		feed.Publish(control.Event{Kind: control.KindBond, Line: c.Line, Agent: c.Agent, On: c.On, Reason: string(c.Why)})
		if !c.On {
			b.note(c)
		}
	}})
	return b
}

func (b *bonds) note(c bond.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = append(b.ended, c)
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// take is what there is to be noted.
func (b *bonds) take() (all []bond.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, b.ended = b.ended, nil
	return all
}

// noteBonds notes in the audit log how bonds end, until ctx does.
func (d *Daemon) noteBonds(ctx context.Context) error {
	for done := false; ; {
		for _, c := range d.bonds.take() {
			if err := d.note(context.WithoutCancel(ctx), c.Agent, "line.unbound", "line "+c.Line, string(c.Why), "daemon"); err != nil {
				d.log.Error("that a line is no longer an agent's could not be noted in the audit log", "line", c.Line, "why", c.Why, "error", err)
			}
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			done = true // and once more
		case <-d.bonds.more:
		}
	}
}

// Prove asks the line itself whether it can be proven: it knows. Where there is no call, or no process, nobody need ask it.
func (b *backend) Prove(ctx context.Context, by control.Actor, line, language string) (control.Proof, error) {
	views := b.d.board.views()
	i := slices.IndexFunc(views, func(l control.Line) bool { return l.Name == line })
	switch {
	case i < 0:
		return control.Proof{}, unknownLine(line, b.d.board.names())
	case !views[i].Up:
		return control.Proof{}, lineDown(line, views[i].Reason)
	case !views[i].InCall:
		return control.Proof{}, &control.Error{Code: control.CodeNoCall, Text: "there is no call on line " + line, Remedy: "prove it once there is one: it is known by that call alone"}
	}
	p, err := b.d.bonds.Prove(line, by.Agent, language, func(words [2]string) error {
		return b.d.board.command(ctx, line, func(id uint64) wire.Message { return wire.Speak{ID: id, Language: language, Words: words} })
	})
	if err != nil {
		return control.Proof{}, unproven(err)
	}
	return control.Proof{ID: p.ID, Words: p.Choices, Seconds: int(bond.ProofTime.Seconds())}, nil
}

// Bind is noted whichever way it ends, but for an answer to nothing.
func (b *backend) Bind(ctx context.Context, by control.Actor, line, proof string, words []string) error {
	if _, known := b.d.lined.Load().Line(line); !known {
		return unknownLine(line, b.d.board.names())
	}
	err := b.d.bonds.Bind(line, by.Agent, proof, words)
	switch {
	case err == nil:
		b.noteDone(ctx, technician(by), "line.bound", line, nil)
	case errors.Is(err, bond.ErrWrong), errors.Is(err, bond.ErrWait):
		b.noteDone(ctx, technician(by), "line.bind_refused", line, err)
	}
	return unproven(err)
}

// Unbind is noted as every end of a bond is.
func (b *backend) Unbind(_ context.Context, by control.Actor, line string) error {
	b.d.bonds.Unbind(line, by.Agent)
	return nil
}

func (b *backend) Bound(line string) string { return b.d.bonds.Agent(line) }

func (b *backend) AskedFor(ctx context.Context, payment string) (string, error) {
	p, err := b.d.payments.Books(ctx, payment)
	return p.By, aboutPayment(err)
}

// unproven says to an agent why a line isn't his.
func unproven(err error) error {
	for _, e := range []struct {
		is           error
		code, remedy string
	}{
		{bond.ErrLanguage, control.CodeBadRequest, "ask for one of these"},
		{bond.ErrProving, control.CodeProving, "wait a minute, and look which line you are on"},
		{bond.ErrWait, control.CodeWait, "wait half a minute, then have words spoken anew"},
		{bond.ErrNoProof, control.CodeNoProof, "have words spoken anew"},
		{bond.ErrWrong, control.CodeWrongWords, "have words spoken anew; if you heard none, your call is not on this line: take no card"},
	} {
		if errors.Is(err, e.is) {
			return &control.Error{Code: e.code, Text: e.is.Error(), Remedy: e.remedy}
		}
	}
	return err
}
