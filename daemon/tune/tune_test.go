package tune

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/acceptance"
)

const rate, period = audio.Rate8k, 80

// site is a line at a place: two telephones with their persons, an echo on either side, a cable, and faults.
type site struct {
	noise                      float64 // dBm0, on either leg
	callerEcho, agentEcho      float64 // dB
	callerLate, agentLate      int     // frames
	swapped                    bool
	leak                       float64 // dB, from the caller's input to the agent's
	cable                      float64 // dB; 0 frames late but for the period
	hum                        float64 // dBm0, on the cable
	noCable, mute, lazy, stuck bool
	lostEvery                  int // turns

	tap   *Tap
	r     *rand.Rand
	keys  [2][]int16 // still to be heard on either leg
	wired bool
	out   [2][]int16 // all that was played
	in    [2][]int16 // and captured, silence where it was lost
	turns int
}

// press has keys pressed on a leg, ms each and as long a gap.
func (s *site) press(leg int, keys string, ms int, dBm0 float64) {
	n := int(rate) * ms / 1000
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], dBm0, 0)
		s.keys[leg] = append(s.keys[leg], make([]int16, n/2)...)
		s.keys[leg] = tone.Append(s.keys[leg], rate, n, n/10, pair[:]...)
		s.keys[leg] = append(s.keys[leg], make([]int16, n/2)...)
	}
}

// do is what the persons do when they are told of a step.
func (s *site) do(p Progress) {
	if s.lazy || p.Done > 0 {
		return
	}
	switch p.Step {
	case CallerKeys:
		s.press(0, "15904738", 120, -10)
	case AgentKeys:
		s.press(1, "159", 120, -15)
	case Loop:
		s.wired = !s.noCable
	case Leak:
		s.press(0, strings.Repeat("1590", 40), 200, -10)
	}
}

// turn is one period of the line's two devices.
func (s *site) turn() {
	var in [2][]int16
	a := audio.Amplitude(s.noise) / math.Sqrt2
	late := func(x []int16, at int, dB float64) float64 {
		if at < 0 || at >= len(x) {
			return 0
		}
		return float64(x[at]) * math.Pow(10, dB/20)
	}
	var said [2][]int16
	for leg := range 2 {
		said[leg] = make([]int16, period)
		s.keys[leg] = s.keys[leg][copy(said[leg], s.keys[leg]):]
	}
	if s.swapped {
		said[0], said[1] = said[1], said[0]
	}
	at := len(s.out[0])
	for leg := range 2 {
		in[leg] = make([]int16, period)
		for i := range period {
			v := float64(said[leg][i]) + a*s.r.NormFloat64()
			switch {
			case leg == 0:
				v += late(s.out[0], at+i-s.callerLate, s.callerEcho)
			case s.wired:
				v = late(s.out[1], at+i-period, s.cable) + late(said[0], i, s.leak) + audio.Amplitude(s.hum)/math.Sqrt2*s.r.NormFloat64()
			default:
				v += late(s.out[1], at+i-s.agentLate, s.agentEcho)
			}
			if s.stuck && leg == 1 {
				v = -3
			}
			in[leg][i] = int16(math.RoundToEven(min(max(v, math.MinInt16), math.MaxInt16)))
		}
	}
	out := [2][]int16{make([]int16, period), make([]int16, period)}
	for i := range period { // what the shut mask lets out
		out[1][i] = int16(math.RoundToEven(audio.Amplitude(-62) / math.Sqrt2 * s.r.NormFloat64()))
	}
	for leg, l := range []*Leg{s.tap.Caller, s.tap.Agent} {
		if s.turns++; s.lostEvery > 0 && s.turns%s.lostEvery == 0 {
			l.Lost(period)
			clear(in[leg])
		} else {
			l.Take(in[leg])
		}
		l.Fill(out[leg])
		s.out[leg] = append(s.out[leg], out[leg]...)
		s.in[leg] = append(s.in[leg], in[leg]...)
	}
}

func good() *site {
	return &site{noise: -65, callerEcho: -18, callerLate: 400, agentEcho: -40, agentLate: 160, leak: -200, cable: -3, hum: -65}
}

// tuned is what comes of tuning at a site, and for how long it took.
func tuned(t *testing.T, s *site, cut time.Duration) (figures map[acceptance.Name]acceptance.Figure, report acceptance.Report, steps []Step, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.r = rand.New(rand.NewPCG(1, 2))
		if s.tap, err = NewTap(rate); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		progress, moving := make(chan Progress, 100), make(chan struct{})
		go func() {
			defer close(moving)
			for ctx.Err() == nil {
				time.Sleep(rate.Duration(period)) // a device gives a period when it is over
				select {
				case p := <-progress:
					if !slices.Contains(steps, p.Step) {
						steps = append(steps, p.Step)
					}
					s.do(p)
				default:
				}
				if !s.mute {
					s.turn()
				}
			}
		}()
		if cut > 0 {
			time.AfterFunc(cut, stop)
		}
		began := time.Now()
		report.Figures, err = Run(ctx, Config{Path: path.Config{Rate: rate}, OneClock: true}, Deps{Tap: s.tap, Tell: func(p Progress) { progress <- p }})
		took = time.Since(began)
		if s.tap.Caller.play.Load() != nil || s.tap.Agent.play.Load() != nil {
			t.Error("a leg is left with a probe")
		}
		stop()
		<-moving
		if err := s.tap.Close(); err != nil {
			t.Error(err)
		}
	})
	report.Figures = append(report.Figures, acceptance.Measured(acceptance.MonitorsOpen, 0)) // which it doesn't look at
	figures = map[acceptance.Name]acceptance.Figure{}
	for _, f := range report.Figures {
		figures[f.Name] = f
	}
	return figures, report, steps, took, err
}

func TestAGoodLineIsAccepted(t *testing.T) {
	f, report, steps, took, err := tuned(t, good(), 0)
	if err != nil || !report.Good() {
		t.Fatalf("%v, with %+v", err, report.Faults())
	}
	if want := []Step{Quiet, CallerKeys, AgentKeys, Echo, Loop, Leak}; !slices.Equal(steps, want) {
		t.Errorf("the steps were %v", steps)
	}
	for name, want := range map[acceptance.Name]float64{
		acceptance.CallerFloor: -65, acceptance.CallerKeys: 8, acceptance.SoftestKey: -7, acceptance.LoudestKey: -7, acceptance.AgentKeys: 3,
		acceptance.CallerReturn: -18, acceptance.CallerReturnDelay: 50, acceptance.AgentReturn: -40, acceptance.AgentReturnDelay: 20,
		acceptance.LoopGain: -3, acceptance.LoopFrames: period, acceptance.LoopTime: 10, acceptance.LeakKeyed: -10, acceptance.LeakTones: 7,
	} {
		if math.Abs(f[name].Value-want) > 0.5 {
			t.Errorf("%s is %v, not %v", name, f[name].Value, want)
		}
	}
	if m := f[acceptance.Margin].Value; m < 15 || m > 30 {
		t.Errorf("a margin of %v ms, of 30", m)
	}
	t.Logf("%v, margin %v ms, leak %v dBm0, floor %v", took, f[acceptance.Margin].Value, f[acceptance.Leak].Value, f[acceptance.LeakFloor].Value)
}

// What a bad line is refused by, and where the tuning ends.
func TestBadLinesAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*site)
		by    acceptance.Name
		last  Step
	}{
		"legs swapped":               {func(s *site) { s.swapped = true }, acceptance.CallerKeysOnAgent, CallerKeys},
		"legs coupled":               {func(s *site) { s.agentEcho, s.leak, s.wired, s.cable = -200, -20, true, -200 }, acceptance.CallerKeysOnAgent, CallerKeys},
		"a dead input":               {func(s *site) { s.stuck = true }, acceptance.AgentDead, Quiet},
		"the caller's line howls":    {func(s *site) { s.callerEcho = -2 }, acceptance.CallerReturn, Echo},
		"a noisy line":               {func(s *site) { s.noise = -38 }, acceptance.CallerFloor, Quiet},
		"a leak of -80 dBm0":         {func(s *site) { s.leak = -73 }, acceptance.Leak, Leak},
		"a cable that drowns it all": {func(s *site) { s.hum = -30 }, acceptance.LeakFloor, Leak},
		"a leak as loud as the keys": {func(s *site) { s.leak = -3 }, acceptance.Leak, Leak},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			test.spoil(s)
			f, report, steps, _, err := tuned(t, s, 0)
			if err != nil || report.Good() || steps[len(steps)-1] != test.last {
				t.Fatalf("%v after %v: %+v", err, steps, report.Figures)
			}
			if bad := f[test.by]; bad.What == "" || bad.Good {
				t.Errorf("it isn't refused by %s: %+v", test.by, bad)
			}
		})
	}
}

// What can't be measured is no report, and says at which step.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*site)
		cut   time.Duration
		want  Failure
		took  time.Duration
	}{
		"nobody presses a key":   {func(s *site) { s.lazy = true }, 0, Failure{CallerKeys, TimedOut}, quietTime + StepTime},
		"no cable":               {func(s *site) { s.noCable = true }, 0, Failure{Loop, TimedOut}, 0},
		"an agent's echo is one": {func(s *site) { s.noCable, s.agentEcho = true, -8 }, 0, Failure{Loop, TimedOut}, 0},
		"no sound":               {func(s *site) { s.mute = true }, 0, Failure{Quiet, NoSound}, soundTime},
		"cancelled":              {func(*site) {}, 7 * time.Second, Failure{AgentKeys, Cancelled}, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			test.spoil(s)
			_, report, _, took, err := tuned(t, s, test.cut)
			var failed Failure
			if !errors.As(err, &failed) || failed.Code != test.want.Code || len(report.Figures) != 1 {
				t.Fatalf("%v, with %d figures", err, len(report.Figures))
			}
			if test.cut == 0 && failed.Step != test.want.Step {
				t.Errorf("it failed at %s", failed.Step)
			}
			if test.took > 0 && (took < test.took || took > test.took+time.Second) {
				t.Errorf("after %v", took)
			}
		})
	}
}

// A device that loses a period now and then makes a tuning longer, and no figure worse.
func TestGaps(t *testing.T) {
	s := good()
	s.lostEvery = 2501
	f, report, _, took, err := tuned(t, s, 0)
	if err != nil || !report.Good() {
		t.Fatalf("%v after %v, with %+v", err, took, report.Faults())
	}
	if f[acceptance.LoopFrames].Value != period || math.Abs(f[acceptance.LoopGain].Value+3) > 0.2 {
		t.Errorf("the loop is %v frames, %v dB", f[acceptance.LoopFrames].Value, f[acceptance.LoopGain].Value)
	}
}
