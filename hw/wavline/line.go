package wavline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/hw"
)

// call is one pair of recordings and where it lies on the line's clock.
type call struct {
	caller, agent *wav.Reader
	start, end    int64
}

// line is what both ports share. Positions here are on the line's own clock, which outlives the process; the
// owner counts from origin. The fields below the channels belong to the caller's Run; the agent's sees them
// only between toAgent and toCaller.
//
//	caller's Run:  [edge] [wait] [pace]  Take ──toAgent──▶          Fill, record, edge, Follow ─┐
//	      ▲                                                         ▲                           │
//	      │        agent's Run:              Take, Fill, record ──toCaller                      │
//	      └─────────────────────────────────────────────────────────────────────────────────────┘
type line struct {
	cfg    Config
	rate   audio.Rate
	period int // frames
	files  files
	calls  []call
	end    int64 // the first whole period after the last recording

	edges              chan hw.Edge
	agentUp, agentDone chan struct{} // closed when the agent's Run begins and ends
	toAgent, toCaller  chan struct{} // the turn, handed over and back
	lost               chan struct{} // closed when the line is lost, after cause is set
	losing             sync.Once
	cause              error

	callerOut, agentOut record
	clockFile           clockFile
	clock               clock
	origin, pos         int64
}

// open opens everything the line consists of.
func (l *line) open() error {
	if err := l.openCalls(); err != nil {
		return err
	}
	l.clockFile.path = l.cfg.ClockFile
	agentOut, err := l.files.output(l.cfg.AgentOut)
	if err != nil {
		return err
	}
	if err := lock(agentOut, &l.clockFile); err != nil {
		return err
	}
	if l.agentOut, err = openRecord(agentOut, l.rate); err != nil {
		return err
	}
	if l.cfg.CallerOut != "" {
		callerOut, err := l.files.output(l.cfg.CallerOut)
		if err != nil {
			return err
		}
		if l.callerOut, err = openRecord(callerOut, l.rate); err != nil {
			return err
		}
	}
	if l.clock, err = l.clockFile.load(); err != nil {
		return err
	}
	l.clock.PID = os.Getpid()
	return l.clockFile.save(l.clock)
}

// openCalls opens all recordings and lays them on the clock, each at the beginning of a period.
func (l *line) openCalls() error {
	var faults []error
	gap := l.wholePeriods(int64(l.rate.Frames(l.cfg.Gap)))
	for i := range l.cfg.CallerIn {
		caller, err := l.files.recording(l.cfg.CallerIn[i], l.rate)
		faults = append(faults, err)
		agent, err := l.files.recording(l.cfg.AgentIn[i], l.rate)
		faults = append(faults, err)
		if caller == nil || agent == nil {
			continue
		}
		start := l.end + gap
		end := start + max(caller.Frames(), agent.Frames())
		l.calls = append(l.calls, call{caller, agent, start, end})
		l.end = l.wholePeriods(end)
	}
	return errors.Join(faults...)
}

func (l *line) wholePeriods(frames int64) int64 {
	period := int64(l.period)
	return (frames + period - 1) / period * period
}

// begin finds where the line goes on, fills the outputs up to there, and sets the clock going.
func (l *line) begin() error {
	now := time.Now()
	l.pos = l.wholePeriods(max(l.agentOut.frames(), l.callerOut.frames()))
	live := l.live(now)
	joins := live >= l.pos
	l.pos = max(l.pos, live)
	l.origin = l.pos
	upTo := min(l.pos, l.recorded())
	if err := errors.Join(l.agentOut.reach(upTo), l.callerOut.reach(upTo)); err != nil {
		return err
	}
	for _, c := range l.calls {
		if c.start < l.pos && l.pos < c.end {
			l.edge(hw.CallJoined, l.pos)
		}
	}
	for l.clock.Released < len(l.calls) && l.calls[l.clock.Released].start < l.pos {
		l.clock.Released++ // it is being played, so somebody released it
	}
	if joins {
		l.clock = l.clock.steady(now)
		return nil
	}
	return l.setClock(now)
}

// live is where a live line would be by now, -1 if the clock never ran or doesn't run by time.
func (l *line) live(now time.Time) int64 {
	if l.clock.Began.IsZero() || l.cfg.Pace == 0 {
		return -1
	}
	at := l.clock.at(now, l.rate, l.cfg.Pace)
	if next := l.clock.Released; l.cfg.WaitArmed && next < len(l.calls) {
		at = min(at, l.calls[next].start) // a recording that wasn't released is still waiting
	}
	return l.wholePeriods(at)
}

// recorded is where the outputs end.
func (l *line) recorded() int64 { return l.end + int64(l.rate.Frames(recordedTail)) }

// setClock makes the clock show pos at a moment, and has the next process know.
func (l *line) setClock(now time.Time) error {
	l.clock.Began, l.clock.Frame = now, l.pos
	return l.clockFile.save(l.clock)
}

// startCall announces a recording whose first frame is next, and waits for its release if it has to. It
// reports false if ctx ended.
func (l *line) startCall(ctx context.Context) (bool, error) {
	for i, c := range l.calls {
		if c.start != l.pos {
			continue
		}
		l.edge(hw.CallBegan, c.start)
		if !l.cfg.WaitArmed || i < l.clock.Released {
			continue
		}
		l.follow()
		select {
		case <-l.cfg.Released:
		case <-l.lost:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
		l.clock.Released = i + 1
		if err := l.setClock(time.Now()); err != nil {
			return false, err
		}
	}
	return true, nil
}

// advance ends a period that both sides have played.
func (l *line) advance() {
	from := l.pos
	l.pos += int64(l.period)
	for _, c := range l.calls {
		if from < c.end && c.end <= l.pos {
			l.edge(hw.CallEnded, c.end)
		}
	}
	l.follow()
}

func (l *line) follow() {
	if l.cfg.Follow != nil {
		l.cfg.Follow(audio.Position(l.pos - l.origin))
	}
}

// edge sends an edge, in place of one that nobody fetched.
func (l *line) edge(kind hw.EdgeKind, at int64) {
	select {
	case <-l.edges:
	default:
	}
	l.edges <- hw.Edge{Kind: kind, At: audio.Position(at - l.origin)}
}

// sleep waits until the period that begins at pos has been spoken. It reports false if ctx ended.
func (l *line) sleep(ctx context.Context, timer *time.Timer) bool {
	if l.cfg.Pace == 0 && l.pos < l.end {
		return ctx.Err() == nil
	}
	pace := l.cfg.Pace
	if pace == 0 {
		pace = 1
		if l.pos == l.end { // the moment when real time begins; later, it has begun with the process
			l.clock.Began, l.clock.Frame = time.Now(), l.pos
		}
	}
	timer.Reset(time.Until(l.clock.due(l.pos+int64(l.period), l.rate, pace)))
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// hear fills in with what a side says from pos on: a part of its recording, or silence.
func (l *line) hear(in []int16, side func(call) *wav.Reader) error {
	clear(in)
	for _, c := range l.calls {
		if l.pos+int64(len(in)) <= c.start || c.end <= l.pos {
			continue
		}
		if _, err := side(c).ReadAt(in, l.pos-c.start); err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// record appends what a side heard at pos to its output, while the line is recorded.
func (l *line) record(r record, out []int16) error {
	if l.pos >= l.recorded() {
		return nil
	}
	return r.put(l.pos, out)
}

// lose ends the line for both ports.
func (l *line) lose(err error) error {
	l.losing.Do(func() {
		l.cause = fmt.Errorf("wavline: %w: %w", hw.ErrLost, err)
		close(l.lost)
	})
	<-l.lost
	return l.cause
}
