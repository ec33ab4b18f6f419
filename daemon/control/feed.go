package control

import (
	"context"
	"slices"
	"sync"
	"time"
)

// subscriberBuffer is how many events may wait for one subscriber; the upper half is kept free of meters.
// At ten meters a second a line it is a second or more of being slow, and a whole capture's other events.
const subscriberBuffer = 256

// Feed hands every [Event] published to every subscriber, in order. The publisher never waits: a subscriber
// that is slow first loses meters, which are stale by then anyway, and if that is not enough it is told so
// by a [KindCut] event and let go. It must come back and be told the present anew, which is better than
// being told the past in pieces.
//
// Make one with [NewFeed]. All methods may be called at once from many goroutines.
type Feed struct {
	mu   sync.Mutex
	seq  int64
	subs map[*subscriber]struct{}
	now  map[string]*present
	// order keeps lines in the order they were first heard of.
	order []string
}

type subscriber struct{ events chan Event }

// NewFeed is a Feed nobody listens to yet.
func NewFeed() *Feed {
	return &Feed{subs: map[*subscriber]struct{}{}, now: map[string]*present{}}
}

// Publish numbers e, stamps it if it bears no time, and hands it to all. It never blocks.
func (f *Feed) Publish(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	e.Seq = f.seq
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	f.remember(e)
	for s := range f.subs {
		if s.offer(e) {
			continue
		}
		s.events <- Event{Seq: e.Seq, Time: e.Time, Kind: KindCut, Reason: "too_slow"}
		f.drop(s)
	}
}

// offer reports false when e doesn't fit. Only the publisher sends, so a room seen is a room kept; the last
// place is the KindCut's.
func (s *subscriber) offer(e Event) bool {
	waiting, room := len(s.events), cap(s.events)
	if e.Kind == KindMeters && waiting >= room/2 {
		return true
	}
	if waiting >= room-1 {
		return false
	}
	s.events <- e
	return true
}

// Subscribe answers with the present of every line, marked Replay, and then with all that is published. The
// channel is closed when ctx ends or, after a KindCut, when its reader was too slow.
func (f *Feed) Subscribe(ctx context.Context) <-chan Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	var present []Event
	for _, line := range f.order {
		present = append(present, f.now[line].events()...)
	}
	s := &subscriber{events: make(chan Event, subscriberBuffer+2*len(present))}
	for _, e := range present {
		e.Replay = true
		s.events <- e
	}
	f.subs[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drop(s)
	})
	return s.events
}

// drop lets s go; once is enough. The caller holds mu.
func (f *Feed) drop(s *subscriber) {
	if _, ok := f.subs[s]; ok {
		delete(f.subs, s)
		close(s.events)
	}
}

// Forget has new subscribers told nothing of a line that is no more.
func (f *Feed) Forget(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, line)
	f.order = slices.DeleteFunc(f.order, func(name string) bool { return name == line })
}

func (f *Feed) remember(e Event) {
	if e.Line == "" {
		return
	}
	p := f.now[e.Line]
	if p == nil {
		p = &present{last: map[slot]Event{}}
		f.now[e.Line] = p
		f.order = append(f.order, e.Line)
	}
	p.apply(e)
}

// present is the least that a newcomer must be told to know how a line stands: the last event of each slot.
// What belongs to a capture is kept until the next capture begins, so that its outcome can still be seen.
type present struct {
	capture string
	last    map[slot]Event
}

// slot is what an event overwrites the last word of.
type slot struct{ about, field string }

func (p *present) apply(e Event) {
	if e.Kind == KindState && e.Capture != "" && e.Capture != p.capture {
		p.capture = e.Capture
		for s, old := range p.last {
			if old.Capture != "" {
				delete(p.last, s)
			}
		}
	}
	switch e.Kind {
	case KindLineUp, KindLineDown:
		for s := range p.last { // what one process found, the next has to find anew
			switch Kind(s.about) {
			case KindCodec, KindBar, KindInput, KindSource, KindRing, KindCover:
				delete(p.last, s)
			}
		}
		p.last[slot{about: "line"}] = e
	case KindKey:
		// Keys after a verdict mean that the field is being keyed again.
		delete(p.last, slot{string(KindVerdict), e.Field})
		p.last[slot{string(e.Kind), e.Field}] = e
	case KindBar:
		p.last[slot{string(e.Kind), e.Code}] = e
	case KindInput:
		p.last[slot{string(e.Kind), e.Leg}] = e
	case KindWarning, KindCut, KindTune, KindLegTest:
		// Of the moment only.
	default:
		p.last[slot{string(e.Kind), e.Field}] = e
	}
}

func (p *present) events() []Event {
	var all []Event
	for _, e := range p.last {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Event) int { return int(a.Seq - b.Seq) })
	return all
}
