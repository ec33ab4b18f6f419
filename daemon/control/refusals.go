package control

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// tallyTime is how long further refusals of one person's one command are only counted.
	tallyTime = time.Minute
	// maxTallies bounds how many are counted at once. What comes on top is counted together, as nobody's in particular.
	maxTallies = 256
	// noteTime bounds how long a refusal waits for the log.
	noteTime = 5 * time.Second
)

// refusals keep the audit log readable while somebody hammers at the door: of each person and command the first refusal is noted at once, and those of the
// minute after it as their number.
//
//	none ──refused: noted──▶ counting ──a minute: none came──▶ none
//	                          │    ▲
//	                          └────┘ a minute: their number noted
type refusals struct {
	note func(ctx context.Context, by Actor, call, result string)

	mu      sync.Mutex
	tallies map[refusal]*tally
	closed  bool
	noting  sync.WaitGroup // those that nobody waits for
}

type refusal struct{ who, call string }

type tally struct {
	by    Actor
	more  int
	timer *time.Timer
}

func newRefusals(note func(ctx context.Context, by Actor, call, result string)) *refusals {
	return &refusals{note: note, tallies: map[refusal]*tally{}}
}

// add counts a refusal, and returns once it is in the log if it is the first.
func (r *refusals) add(ctx context.Context, by Actor, call, result string) {
	if first, by, key := r.count(by, call); first {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
		defer cancel()
		r.note(ctx, by, key.call, result)
	}
}

// addLater is add for who can't wait.
func (r *refusals) addLater(by Actor, call, result string) {
	r.noting.Go(func() { r.add(context.Background(), by, call, result) })
}

func (r *refusals) count(by Actor, call string) (first bool, _ Actor, _ refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := refusal{by.String(), call}
	if r.tallies[key] == nil && len(r.tallies) >= maxTallies {
		key = refusal{"many", "many calls"}
		by = Actor{Name: key.who}
	}
	if t := r.tallies[key]; t != nil {
		t.more++
		return false, by, key
	}
	if !r.closed {
		r.tallies[key] = &tally{by: by, timer: time.AfterFunc(tallyTime, func() { r.tell(key) })}
	}
	return true, by, key
}

// tell notes how many came since the last word on it, and forgets a tally to which none did.
func (r *refusals) tell(key refusal) {
	r.mu.Lock()
	t := r.tallies[key]
	if r.closed || t == nil {
		r.mu.Unlock()
		return
	}
	more := t.more
	t.more = 0
	if more == 0 {
		delete(r.tallies, key)
	} else {
		t.timer.Reset(tallyTime)
	}
	r.noting.Add(1)
	defer r.noting.Done()
	r.mu.Unlock()
	r.noteMore(t.by, key.call, more)
}

func (r *refusals) noteMore(by Actor, call string, more int) {
	if more == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), noteTime)
	defer cancel()
	r.note(ctx, by, call, fmt.Sprintf("refused %d times more within a minute", more))
}

// close notes what has been counted so far, and returns once all of it is noted. What is refused later is noted, and not counted.
func (r *refusals) close() {
	r.mu.Lock()
	r.closed = true
	tallies := r.tallies
	r.tallies = map[refusal]*tally{}
	for _, t := range tallies {
		t.timer.Stop()
	}
	r.mu.Unlock()
	for key, t := range tallies {
		r.noteMore(t.by, key.call, t.more)
	}
	r.noting.Wait()
}
