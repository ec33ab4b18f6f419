package health

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// Board has the conditions that stand. Make one with [NewBoard]. All methods may be called at once from many goroutines, and none ever waits
// for a subscriber.
//
//	absent ──Set: raised──▶ stands ──Clear: cleared──▶ absent
//	                        └─Set: only its detail is new─┘
type Board struct {
	mu     sync.Mutex
	stands map[place]Condition
	subs   map[*Changes]struct{}
}

// place is where a condition stands on the board.
type place struct {
	code Code
	line string
}

// NewBoard is a Board on which nothing stands.
func NewBoard() *Board {
	return &Board{stands: map[place]Condition{}, subs: map[*Changes]struct{}{}}
}

// Set says that a condition stands, of a line or, with no line, of the box. The detail is words for people, without a digit of a card; a later
// one takes its place, and is no news.
func (b *Board) Set(code Code, line, detail string) {
	d := declared(code)
	b.mu.Lock()
	defer b.mu.Unlock()
	at := place{d.Code, line}
	c, stands := b.stands[at]
	if !stands {
		c = Condition{Code: d.Code, Severity: d.Severity, Line: line, Words: d.Words, Remedy: d.RemedyFor(line), Since: time.Now()}
	}
	c.Detail = detail
	b.stands[at] = c
	if !stands {
		b.tell(Change{c, true, c.Since})
	}
}

// Clear says that a condition no longer stands, if it did.
func (b *Board) Clear(code Code, line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear(place{declared(code).Code, line})
}

// Forget says that there is no such line any more, and so nothing wrong with it.
func (b *Board) Forget(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.sorted() {
		if c.Line == line {
			b.clear(place{c.Code, line})
		}
	}
}

func (b *Board) clear(at place) {
	if c, stood := b.stands[at]; stood {
		delete(b.stands, at)
		b.tell(Change{c, false, time.Now()})
	}
}

// tell leaves a change for every subscriber. The caller holds mu.
func (b *Board) tell(c Change) {
	for s := range b.subs {
		s.add(c)
	}
}

// Snapshot is what stands, the gravest first, then the box before its lines in the order of their names. Where nothing does, it is empty and not nil, for
// JSON has two words for that.
func (b *Board) Snapshot() []Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sorted()
}

func (b *Board) sorted() []Condition {
	all := slices.AppendSeq(make([]Condition, 0, len(b.stands)), maps.Values(b.stands))
	slices.SortFunc(all, func(x, y Condition) int {
		return cmp.Or(-cmp.Compare(x.Severity, y.Severity), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Code, y.Code))
	})
	return all
}

// mostUnread is how far a subscriber may be behind; then it loses the oldest.
const mostUnread = 4096

// Changes are a subscriber's: what has changed and it hasn't read yet.
type Changes struct {
	board  *Board
	unread []Change      // under the board's mu
	wake   chan struct{} // there is something unread; holds one
}

// Subscribe answers with the changes from now on, of which the first are the beginnings of what stands.
func (b *Board) Subscribe() *Changes {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &Changes{board: b, wake: make(chan struct{}, 1)}
	for _, c := range b.sorted() {
		s.add(Change{c, true, c.Since})
	}
	b.subs[s] = struct{}{}
	return s
}

func (s *Changes) add(c Change) {
	if len(s.unread) == mostUnread {
		s.unread = slices.Delete(s.unread, 0, 1)
	}
	s.unread = append(s.unread, c)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// All waits for changes and tells each once, until ctx ends or the reader has enough; then the subscription is over.
func (s *Changes) All(ctx context.Context) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		defer s.end()
		for {
			for _, c := range s.read() {
				if ctx.Err() != nil || !yield(c) {
					return
				}
			}
			select {
			case <-s.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *Changes) read() []Change {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	unread := s.unread
	s.unread = nil
	return unread
}

func (s *Changes) end() {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	delete(s.board.subs, s)
	s.unread = nil
}
