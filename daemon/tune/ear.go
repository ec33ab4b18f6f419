package tune

import (
	"errors"
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// ear hears the keys on one leg as an armed line would: by a sample path of its own, from which nothing is let out. Of a key it
// learns that it was there, how loud, how long, and what it left of the look-ahead.
type ear struct {
	rate  audio.Rate
	path  *path.Path
	other *path.Agent // the other leg, whose keys echo on this one; nil where they don't count
	block [path.MaxBlock]int16
	// power of the last ticks, by number, for a key's level.
	power [2048]float64
	ticks int
	sum   float64
	n     int

	keys             int
	sounded          int // frames
	margin           int // the least, in frames
	softest, loudest float64
}

// newEar hears as a path of that config would; with the echo of the other leg's keys left out, where echo.
func newEar(cfg path.Config, echo bool) (_ *ear, err error) {
	e := &ear{rate: cfg.Rate, margin: math.MaxInt, softest: math.Inf(1), loudest: math.Inf(-1)}
	if e.path, err = path.New(cfg); err != nil {
		return nil, err
	}
	if echo {
		if e.other, err = path.NewAgent(e.path); err != nil {
			return nil, errors.Join(err, e.path.Close())
		}
	}
	e.path.SetGrade(mask.Armed)
	return e, nil
}

// Close wipes and frees.
func (e *ear) Close() error {
	err := e.path.Close()
	if e.other != nil {
		err = errors.Join(err, e.other.Close())
	}
	return err
}

// write takes the next frames of the leg, and as many of the other; none where that is silent.
func (e *ear) write(x, other []int16) {
	for len(x) > 0 {
		n := min(len(x), len(e.block))
		if e.other != nil {
			beside := e.block[:n]
			clear(beside[copy(beside, other):])
			e.other.Pass(beside)
			other = other[min(n, len(other)):]
		}
		e.path.Write(x[:n])
		e.path.Read(e.block[:n])
		e.levels(x[:n])
		for event, ok := e.path.Next(); ok; event, ok = e.path.Next() {
			e.hear(event)
		}
		x = x[n:]
	}
}

func (e *ear) hear(event path.Event) {
	switch event.Kind {
	case path.Key:
		e.keys++
		e.margin = min(e.margin, event.Margin)
	case path.KeyEnd:
		e.sounded += int(event.End - event.Start)
		tick := e.rate.TickFrames()
		if level, ok := e.level(int(event.Start)/tick, int(event.End)/tick); ok {
			e.softest, e.loudest = min(e.softest, level), max(e.loudest, level)
		}
	}
}

func (e *ear) levels(x []int16) {
	for _, v := range x {
		e.sum += float64(v) * float64(v)
		if e.n++; e.n == e.rate.TickFrames() {
			e.power[e.ticks%len(e.power)] = e.sum / float64(e.n)
			e.ticks++
			e.sum, e.n = 0, 0
		}
	}
}

// levelTicks is over how many ticks a key's level is taken: within the shortest of keys.
const levelTicks = 20

// level is that of the loudest part of some ticks, as far as they are remembered.
func (e *ear) level(from, until int) (dBm0 float64, ok bool) {
	sum, most := 0.0, 0.0
	from = max(from, e.ticks-len(e.power)+levelTicks)
	for t := from; t < min(until, e.ticks); t++ {
		sum += e.power[t%len(e.power)]
		if t-from >= levelTicks {
			sum -= e.power[(t-levelTicks)%len(e.power)]
		}
		most = max(most, sum)
	}
	return audio.DBm0(most / levelTicks), most > 0
}
