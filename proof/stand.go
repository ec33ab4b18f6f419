package main

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/cost"
	"github.com/flattone/flattone/proof/leak"
	"github.com/flattone/flattone/proof/score"
	"github.com/flattone/flattone/proof/suspicion"
	"github.com/flattone/flattone/proof/trial"
)

// stand is how a line stands while it is measured.
type stand struct {
	lookAheads []time.Duration
	shield     mask.Shield
	grade      mask.Grade
}

// report is what was measured.
type report struct {
	stand  stand
	scores ledger[score.Tally, *score.Tally]
	leaks  map[time.Duration]ledger[leak.Tally, *leak.Tally]
	onsets ledger[suspicion.Tally, *suspicion.Tally]
	costs  map[state]ledger[cost.Tally, *cost.Tally]
}

// state is what the cost to speech is measured in.
type state struct {
	lookAhead time.Duration
	grade     mask.Grade
	shield    mask.Shield
}

// states are those of a line on which nobody presses a key. With the shield keys, patches alone are counted.
var states = []state{
	{mask.DefaultLookAhead, mask.Idle, mask.Keys}, {mask.DefaultLookAhead, mask.Idle, mask.Run},
	{mask.DefaultLookAhead, mask.Armed, mask.Keys}, {mask.DefaultLookAhead, mask.Armed, mask.Run},
}

// dear is the state that costs the most speech before a key is pressed, with a look-ahead.
func dear(lookAhead time.Duration) state { return state{lookAhead, mask.Armed, mask.Keys} }

func newReport(s stand) *report {
	r := &report{stand: s, scores: ledger[score.Tally, *score.Tally]{}, leaks: map[time.Duration]ledger[leak.Tally, *leak.Tally]{},
		onsets: ledger[suspicion.Tally, *suspicion.Tally]{}, costs: map[state]ledger[cost.Tally, *cost.Tally]{}}
	for _, l := range s.lookAheads {
		r.leaks[l] = ledger[leak.Tally, *leak.Tally]{}
		r.costs[dear(l)] = ledger[cost.Tally, *cost.Tally]{}
	}
	for _, st := range states {
		r.costs[st] = ledger[cost.Tally, *cost.Tally]{}
	}
	return r
}

// measure makes and judges every recipe's unit, as many at once as there are processors.
func (s stand) measure(recipes []corpus.Recipe) (*report, error) {
	r := newReport(s)
	todo := make(chan corpus.Recipe)
	var mu sync.Mutex // of r and failed
	var failed error
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for recipe := range todo {
				one := newReport(s)
				u, err := recipe.Make()
				if err == nil {
					err = one.take(u)
				}
				mu.Lock()
				r.add(one)
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	for _, recipe := range recipes {
		todo <- recipe
	}
	close(todo)
	workers.Wait()
	return r, failed
}

func (r *report) add(o *report) {
	r.scores.merge(o.scores)
	r.onsets.merge(o.onsets)
	for l := range r.leaks {
		r.leaks[l].merge(o.leaks[l])
	}
	for st := range r.costs {
		r.costs[st].merge(o.costs[st])
	}
}

// take measures one unit: keys with each look-ahead, speech in each state.
func (r *report) take(u *corpus.Unit) error {
	if len(u.Events) == 0 {
		return r.speech(u)
	}
	onsets, err := suspicion.Unit(u, r.stand.grade)
	if err != nil {
		return err
	}
	r.onsets.take(u.Category, onsets)
	for i, l := range r.stand.lookAheads {
		t, err := trial.Run(path.Config{Rate: corpus.Rate, LookAhead: l, Shield: r.stand.shield}, r.stand.grade, u.PCM)
		if err != nil {
			return err
		}
		if i == 0 { // what is recognised doesn't depend on the look-ahead
			r.scores.take(u.Category, score.Unit(u, t.Keys))
		}
		r.leaks[l].take(u.Category, leak.Unit(u, t.Out))
	}
	return nil
}

func (r *report) speech(u *corpus.Unit) error {
	for st, costs := range r.costs {
		t, err := trial.Run(path.Config{Rate: corpus.Rate, LookAhead: st.lookAhead, Shield: st.shield}, st.grade, u.PCM)
		if err != nil {
			return err
		}
		if st == states[0] { // what is recognised doesn't depend on it
			r.scores.take(u.Category, score.Unit(u, t.Keys))
		}
		costs.take(u.Category, map[string]*cost.Tally{"": cost.Unit(u.PCM, t.Out, t.Masked)})
	}
	return nil
}
