package control

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// drain reads what waits, without waiting for more.
func drain(events <-chan Event) (got []Event) {
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return got
			}
			got = append(got, e)
		default:
			return got
		}
	}
}

func kinds(events []Event) (k []Kind) {
	for _, e := range events {
		k = append(k, e.Kind)
	}
	return k
}

func TestFeedNumbersInOrderForEverySubscriber(t *testing.T) {
	f := NewFeed()
	a, b := f.Subscribe(t.Context()), f.Subscribe(t.Context())
	f.Publish(Event{Kind: KindState, Line: "one", State: StateArmed, Capture: "c1"})
	f.Publish(Event{Kind: KindKey, Line: "one", Capture: "c1", Field: "pan", Stars: 1})
	f.Publish(Event{Kind: KindCall, Line: "two", Code: CallEnded})
	ga, gb := drain(a), drain(b)
	if !slices.Equal(ga, gb) || len(ga) != 3 {
		t.Fatalf("subscribers heard different things: %v, %v", kinds(ga), kinds(gb))
	}
	for i, e := range ga {
		if e.Seq != int64(i+1) || e.Time.IsZero() || e.Replay {
			t.Errorf("event %d: seq %d, time %v, replay %v", i, e.Seq, e.Time, e.Replay)
		}
	}
}

func TestFeedTellsANewcomerThePresent(t *testing.T) {
	f := NewFeed()
	for _, e := range []Event{
		{Kind: KindCodec, Line: "one", Code: "codec_poor", NeedsLookAheadMS: 40},
		{Kind: KindBar, Line: "one", Code: "untuned", On: true},
		{Kind: KindInput, Line: "one", Leg: LegCaller, Code: "input_dead"},
		{Kind: KindSource, Line: "one", Code: "source_lost"},
		{Kind: KindCover, Line: "one", On: true},
		{Kind: KindRing, Line: "one", On: true, Number: "+15550100"},
		{Kind: KindLineDown, Line: "one", Reason: "killed"},
		{Kind: KindLineUp, Line: "one"},
		{Kind: KindState, Line: "one", State: StateArmed, Capture: "old"},
		{Kind: KindKey, Line: "one", Capture: "old", Field: "pan", Stars: 16},
		{Kind: KindToken, Line: "one", Capture: "old", Token: "tok_old"},
		{Kind: KindCall, Line: "one", Code: CallBegan},
		{Kind: KindCodec, Line: "two", Code: "codec_poor", NeedsLookAheadMS: 40},
		{Kind: KindState, Line: "one", State: StateArmed, Capture: "new"},
		{Kind: KindState, Line: "two", State: StateIdle},
		{Kind: KindKey, Line: "one", Capture: "new", Field: "pan", Stars: 1},
		{Kind: KindVerdict, Line: "one", Capture: "new", Field: "pan", Code: "luhn"},
		{Kind: KindWarning, Line: "one", Capture: "new", Code: "quiet"},
		{Kind: KindKey, Line: "one", Capture: "new", Field: "pan", Stars: 2},
		{Kind: KindState, Line: "one", State: StateKeying, Capture: "new"},
		{Kind: KindBar, Line: "two", Code: "untuned", On: true},
		{Kind: KindBar, Line: "two", Code: "other", On: true},
		{Kind: KindBar, Line: "two", Code: "untuned"},
		{Kind: KindInput, Line: "two", Leg: LegCaller, Code: "input_clips"},
		{Kind: KindInput, Line: "two", Leg: LegAgent, Code: "input_dead"},
		{Kind: KindInput, Line: "two", Leg: LegCaller, Code: CodeOK},
	} {
		f.Publish(e)
	}
	got := drain(f.Subscribe(t.Context()))
	var lines []string
	for _, e := range got {
		lines = append(lines, fmt.Sprintf("%d %s %s %s", e.Seq, e.Line, e.Kind, e.Field))
		if !e.Replay {
			t.Errorf("event %d is told again but not marked", e.Seq)
		}
	}
	want := []string{"8 one line_up ", "12 one call ", "19 one key pan", "20 one state ", "13 two codec ", "15 two state ", "22 two bar ", "23 two bar ", "25 two input ", "26 two input "}
	if !slices.Equal(lines, want) {
		t.Errorf("the present is %q, want %q", lines, want)
	}
}

func TestFeedTakesMetersFirst(t *testing.T) {
	f := NewFeed()
	slow := f.Subscribe(t.Context())
	for range 10 * subscriberBuffer {
		f.Publish(Event{Kind: KindMeters, Line: "one"})
	}
	for range subscriberBuffer/2 - 1 {
		f.Publish(Event{Kind: KindKey, Line: "one", Field: "pan"})
	}
	got := kinds(drain(slow))
	meters, keys := 0, 0
	for _, k := range got {
		switch k {
		case KindMeters:
			meters++
		case KindKey:
			keys++
		}
	}
	if keys != subscriberBuffer/2-1 || meters != subscriberBuffer/2 || len(got) != meters+keys {
		t.Errorf("%d meters and %d keys of %d events; want half the buffer of meters and every key", meters, keys, len(got))
	}
	f.Publish(Event{Kind: KindKey, Line: "one"})
	if got := drain(slow); len(got) != 1 {
		t.Errorf("a subscriber that caught up hears %d events, want 1", len(got))
	}
}

func TestFeedCutsOffWhoDoesNotListen(t *testing.T) {
	f := NewFeed()
	dead, live := f.Subscribe(t.Context()), f.Subscribe(t.Context())
	heard := 0
	for range 2 * subscriberBuffer {
		f.Publish(Event{Kind: KindKey, Line: "one"})
		heard += len(drain(live))
	}
	var got []Event
	for e := range dead { // ends, because it was closed
		got = append(got, e)
	}
	if n := len(got); n != subscriberBuffer || got[n-1].Kind != KindCut || got[n-1].Reason == "" {
		t.Errorf("%d events, the last a %s; want a full buffer and a cut", n, got[n-1].Kind)
	}
	if heard != 2*subscriberBuffer {
		t.Errorf("the other subscriber heard %d of %d events", heard, 2*subscriberBuffer)
	}
	if len(f.subs) != 1 {
		t.Errorf("%d subscribers are left, want 1", len(f.subs))
	}
}

func TestFeedClosesWhenTheSubscriberLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		ctx, cancel := context.WithCancel(t.Context())
		events := f.Subscribe(ctx)
		cancel()
		synctest.Wait()
		if _, open := <-events; open || len(f.subs) != 0 {
			t.Error("the subscription outlives its context")
		}
		f.Publish(Event{Kind: KindLineUp, Line: "one"}) // must not panic on the closed channel
	})
}

// TestFeedUnderRace: many publish, many come and go; everyone who stays hears rising numbers.
func TestFeedUnderRace(t *testing.T) {
	f := NewFeed()
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			for i := range 500 {
				kind := KindMeters
				if i%5 == 0 {
					kind = KindKey
				}
				f.Publish(Event{Kind: kind, Line: fmt.Sprint(p)})
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				last, n := int64(0), 0
				for e := range f.Subscribe(ctx) {
					if !e.Replay {
						if e.Seq <= last {
							t.Errorf("number %d after %d", e.Seq, last)
						}
						last = e.Seq
					}
					if n++; n == 5 {
						cancel()
					}
				}
				cancel()
				if n == 0 {
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for i := 0; ; i++ { // keep talking until the listeners have heard enough
		select {
		case <-done:
			return
		default:
			f.Publish(Event{Kind: KindMeters, Line: "main"})
		}
	}
}

func BenchmarkFeedPublish(b *testing.B) {
	f := NewFeed()
	for range maxStreams {
		f.Subscribe(b.Context())
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Publish(Event{Kind: KindMeters, Line: "one"})
	}
}
