// Package trial runs a caller's leg through audio/path, the one pipeline that line and tool use too, and keeps what came out:
// the agent's leg, aligned with the caller's, and the keys that were reported.
//
// It adds nothing and decides nothing, so that whoever judges the result judges the product. Many trials may run at once, each
// with a path of its own. It reads keys in the clear, and is for material made by proof/corpus alone.
package trial

import (
	"errors"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// Key is one key that was reported. Times are frames of the caller's leg.
type Key struct {
	Key        byte
	Start, End int // End is -1 if it never ended
	Decided    int // how many frames had been written
}

// Result is what became of a leg.
type Result struct {
	Out    []int16 // frame i is what the agent heard of the caller's frame i
	Keys   []Key
	Masked int // frames that the path says it replaced
}

// Run sends a leg through a path of its own.
func Run(cfg path.Config, grade mask.Grade, in []int16) (_ Result, err error) {
	p, err := path.New(cfg)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	p.SetGrade(grade)
	p.OpenField(true) // nobody captures here, so none is ever closed

	block := 10 * cfg.Rate.TickFrames()
	end := len(in) + p.Delay()
	// A key that sounds to the very end is seen to end only in the silence after it.
	all := append(append(make([]int16, 0, end+int(cfg.Rate)+block), in...), make([]int16, p.Delay()+int(cfg.Rate))...)
	out := make([]int16, len(all))
	var r Result
	for at := 0; at < len(all); at += block {
		to := min(at+block, len(all))
		p.Write(all[at:to])
		p.Read(out[at:to])
		r.take(p)
		if to <= end {
			r.Masked = int(p.Stats().MaskedFrames)
		}
	}
	if p.Stats().Faults > 0 {
		return r, errors.New("trial: the path reported a fault, so what it let out isn't what a sound line lets out")
	}
	r.Out = out[p.Delay():end]
	return r, nil
}

func (r *Result) take(p *path.Path) {
	for e, ok := p.Next(); ok; e, ok = p.Next() {
		switch e.Kind {
		case path.Key:
			r.Keys = append(r.Keys, Key{Key: e.Digit.Reveal(), Start: int(e.Start), End: -1, Decided: int(e.Decided)})
		case path.KeyEnd:
			r.Keys[len(r.Keys)-1].End = int(e.End)
		}
	}
}
