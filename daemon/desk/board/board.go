// Package board is what the desk knows of the lines: it hears flattoned's feed over one stream and keeps one [View] a line, for any number of watchers. It exists
// so that two hundred panels cost flattoned one subscriber, and so that what an agent sees is worked out in one place, whatever shows it.
//
// It promises that a view holds what was told of its own line and of no other; that it is a function of the events and not of their times; that a watcher who is
// slow misses views but never holds anything up, and has the newest in the end; and that while flattoned can't be heard every view says so. It must never show a
// star of a card's security code before the field is judged, nor guess: what it wasn't told, it doesn't say.
package board

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// Box is the part of [control.Client] that the board asks.
type Box interface {
	Lines(ctx context.Context) ([]control.Line, error)
	Watch(ctx context.Context, fn func(control.Event)) error
}

// Pauses before flattoned is asked again, and how many payments may wait to be asked for.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 2 * time.Second
	mostAsks   = 64
)

// Deps are what a Board needs.
type Deps struct {
	Box Box
	// Payment asks for one in the name of an agent, who is told of those alone that he began.
	Payment func(ctx context.Context, agent, id string) (control.Payment, error)
	Log     *slog.Logger
}

// Board keeps the views.
//
//	away ──the lines and the stream are there──▶ hearing ──the stream ends──▶ away, and tries again
//
// Its methods may be called from many goroutines at once.
type Board struct {
	deps Deps
	asks chan ask // payments that were told of, to ask for their amounts

	mu       sync.Mutex
	order    []string // of the config
	lines    map[string]*line
	watchers map[*watcher]struct{}
}

type ask struct{ agent, payment string }

type watcher struct {
	line string // empty: any
	ch   chan View
}

// New is a Board that knows no line before it runs.
func New(deps Deps) *Board {
	return &Board{deps: deps, asks: make(chan ask, mostAsks), lines: map[string]*line{}, watchers: map[*watcher]struct{}{}}
}

// Run follows the feed until ctx ends.
func (b *Board) Run(ctx context.Context) error {
	var asking sync.WaitGroup
	asking.Go(func() { b.ask(ctx) })
	defer asking.Wait()
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		heard, err := b.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		b.away()
		b.deps.Log.Warn("flattoned can't be heard: nothing can be started", "error", err)
		if heard {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// follow hears one stream to its end.
func (b *Board) follow(ctx context.Context) (heard bool, err error) {
	if err := b.refresh(ctx); err != nil {
		return false, err
	}
	err = b.deps.Box.Watch(ctx, func(e control.Event) {
		heard = true
		b.hear(ctx, e)
	})
	return heard, cmp.Or(err, errors.New("the stream ended"))
}

// refresh has the lines of the box be the board's.
func (b *Board) refresh(ctx context.Context) error {
	lines, err := b.deps.Box.Lines(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := b.lines
	b.order, b.lines = nil, map[string]*line{}
	for _, l := range lines {
		at := gone[l.Name]
		if at == nil {
			at = &line{}
		}
		delete(gone, l.Name)
		b.order, b.lines[l.Name] = append(b.order, l.Name), at
		at.seed(l)
		b.tell(at)
	}
	for _, at := range gone {
		at.view = View{Line: at.view.Line, Reason: LineGone}
		b.tell(at)
	}
	return nil
}

func (b *Board) hear(ctx context.Context, e control.Event) {
	if e.Line == "" {
		return
	}
	b.mu.Lock()
	at := b.lines[e.Line]
	b.mu.Unlock()
	if at == nil { // a reload of the configuration made it
		if err := b.refresh(ctx); err != nil {
			b.deps.Log.Warn("a new line can't be asked for", "line", e.Line, "error", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if at = b.lines[e.Line]; at == nil {
		return
	}
	at.apply(e)
	b.tell(at)
	if e.Payment != "" && at.view.Last != "" {
		select {
		case b.asks <- ask{at.view.Last, e.Payment}:
		default: // its state is known, its amount isn't
		}
	}
}

// ask learns of payments what events don't say.
func (b *Board) ask(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-b.asks:
			p, err := b.deps.Payment(ctx, a.agent, a.payment)
			if e, ok := errors.AsType[*control.Error](err); ok && e.Code == control.CodeUnknownPayment {
				continue // somebody else began it, and its amount is his business
			}
			if err != nil {
				b.deps.Log.Warn("a payment can't be asked for", "payment", a.payment, "error", err)
				continue
			}
			b.mu.Lock()
			if at := b.lines[p.Line]; at != nil {
				at.know(p)
				b.tell(at)
			}
			b.mu.Unlock()
		}
	}
}

func (b *Board) away() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range b.lines {
		at.view.Away = true
		b.tell(at)
	}
}

// Expect says which fields a capture asks for, in their order, to whoever began it: events name a field only once it is keyed.
func (b *Board) Expect(name, capture string, fields []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := b.lines[name]; at != nil {
		at.expect(capture, fields)
		b.tell(at)
	}
}

// tell has the watchers of a line know, if it looks other than it did. The caller holds mu.
func (b *Board) tell(at *line) {
	v := at.view.clone()
	if v.equal(at.told) {
		return
	}
	at.told = v
	for w := range b.watchers {
		if w.line == "" || w.line == v.Line {
			w.offer(v)
		}
	}
}

// offer puts v in the place of one that wasn't read.
func (w *watcher) offer(v View) {
	select {
	case <-w.ch:
	default:
	}
	w.ch <- v
}

// Views are all lines, in the order of the config.
func (b *Board) Views() []View {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]View, 0, len(b.order))
	for _, name := range b.order {
		all = append(all, b.lines[name].told)
	}
	return all
}

// Of is the line that is an agent's: the one that is bound to him or, if none is, the one that was and had no call since. ok is false where there is neither.
func (b *Board) Of(agent string) (v View, ok bool) {
	if agent == "" {
		return View{}, false
	}
	all := b.Views()
	i := slices.IndexFunc(all, func(v View) bool { return v.Bound == agent })
	if i < 0 {
		i = slices.IndexFunc(all, func(v View) bool { return v.Bound == "" && v.Last == agent })
	}
	if i < 0 {
		return View{}, false
	}
	return all[i], true
}

// Watch answers with how a line is now, and then with what becomes of it, the newest only: who reads late has missed what was between. An empty line is every
// line, of which the one that changed last comes. Views share memory: they are read and not changed. The channel is closed when ctx ends.
func (b *Board) Watch(ctx context.Context, name string) <-chan View {
	w := &watcher{line: name, ch: make(chan View, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[w] = struct{}{}
	if at := b.lines[name]; at != nil {
		w.offer(at.told)
	}
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, w)
		close(w.ch)
	})
	return w.ch
}
