package line

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/selftest"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
)

// open is a shadow that lets all through while it is told to.
type open struct {
	*path.Path
	said  []int16
	leaks *atomic.Bool
}

func (o *open) Write(x []int16) {
	o.Path.Write(x)
	o.said = append(o.said, x...)
}

func (o *open) Read(x []int16) {
	o.Path.Read(x)
	if from := len(o.said) - o.Delay() - len(x); o.leaks.Load() && from >= 0 {
		copy(x, o.said[from:])
	}
}

// tested is a live line in virtual time, whose periods of 10 ms the test gives, and whose shadows leak when it is told to.
type tested struct {
	*Line
	t     *testing.T
	leaks atomic.Bool
	alive atomic.Int32
	ended error  // of the session
	dir   string // of the marks
	stop  func()
}

func newTested(t *testing.T, onFault config.OnFault) *tested {
	const rate = audio.Rate8k
	goesOn := onFault == config.OnFaultWire
	b := newBridgeOver(t, path.Config{Rate: rate, Wire: goesOn}, true)
	r := &tested{t: t}
	r.Line = &Line{cfg: config.Line{Rate: rate, Sound: &config.Sound{}, LookAhead: 30 * time.Millisecond}, log: slog.New(slog.DiscardHandler), path: b.path, bridge: b,
		link: newLink("", wire.Hello{}, nil), device: &hw.Line{Calls: make(chan hw.Edge)}, alive: func(string) { r.alive.Add(1) }}
	r.told.say = r.link.say
	var err error
	if b.ears, err = newEars(rate); err != nil {
		t.Fatal(err)
	}
	bars, err := r.firstTest(func(cfg path.Config) (selftest.Path, error) {
		p, err := path.New(cfg)
		return &open{Path: p, leaks: &r.leaks}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := session.Config{Line: "one", Rate: rate, LookAhead: 30 * time.Millisecond, MarkDir: t.TempDir(), Bars: bars, Wire: goesOn,
		Profiles: map[string]capture.Profile{"number": {Fields: []capture.Field{capture.PAN}}}, Default: "number"}
	r.dir = cfg.MarkDir
	if r.session, err = session.New(cfg, session.Deps{Path: b.path, Observer: r.Line, Today: time.Now}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var rest sync.WaitGroup
	rest.Go(func() { r.ended = r.session.Run(ctx) })
	rest.Go(func() { r.pace(ctx) })
	rest.Go(func() { r.tests(ctx) })
	r.stop = sync.OnceFunc(func() {
		stop()
		rest.Wait()
		if err := r.selfTest.test.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.session.Edge(hw.Edge{Kind: hw.CallBegan}); err != nil {
		t.Fatal(err)
	}
	return r
}

// seconds passes them, with sound or while it stands.
func (r *tested) seconds(n float64, sounds bool) {
	for range int(n * 100) {
		if sounds {
			r.bridge.period(make([]int16, 80), make([]int16, 80))
		}
		time.Sleep(10 * time.Millisecond)
	}
	synctest.Wait()
}

// heard is what the agent hears of a caller's key of 300 ms with a pause before it, and whether that is just what the caller sent.
func (r *tested) heard() (same bool) {
	pair, _ := tone.Pair('5', -10, 0)
	said := tone.Append(make([]int16, 1600), audio.Rate8k, 2400, 8, pair[:]...)
	said = append(said, make([]int16, 1600)...)
	heard := slices.Clone(said)
	for at := 0; at < len(said); at += 80 {
		callers := make([]int16, 80)
		oneClock(r.bridge, said[at:at+80], make([]int16, 80), callers, heard[at:at+80])
		time.Sleep(10 * time.Millisecond)
	}
	synctest.Wait()
	delay := r.path.Delay()
	return slices.Equal(heard[delay:], said[:len(said)-delay])
}

// wreck takes the path's detector away, so that its next tick panics; the test's end gives it back, to be freed.
func (r *tested) wreck() {
	field := reflect.ValueOf(r.path).Elem().FieldByName("detect")
	at := (*unsafe.Pointer)(unsafe.Pointer(field.UnsafeAddr()))
	was := *at
	*at = nil
	r.t.Cleanup(func() { *at = was })
}

func (r *tested) barred() bool { return r.barredBy(capture.SelfTestFailed) }

func (r *tested) barredBy(code capture.Code) bool {
	r.told.mu.Lock()
	defer r.told.mu.Unlock()
	return slices.Contains(r.told.bars, wire.Bar{Code: string(code), On: true})
}

func (r *tested) marked() bool {
	_, err := os.Stat(filepath.Join(r.dir, "one"))
	return err == nil
}

func (r *tested) stands(want session.State) {
	r.t.Helper()
	r.told.mu.Lock()
	defer r.told.mu.Unlock()
	if got := r.told.state.State; got != string(want) {
		r.t.Errorf("the line is %s, not %s", got, want)
	}
}

// A leak is on every surface within 5 s, and the line takes no card until a test has passed. It isn't alive meanwhile.
func TestALeakBarsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTested(t, config.OnFaultMute)
		defer r.stop()
		r.seconds(20, true)
		if r.barred() || r.alive.Load() < 5 {
			t.Fatalf("a sound line is barred: %v, and alive %d times in 20 s", r.barred(), r.alive.Load())
		}
		r.leaks.Store(true)
		r.seconds(5, true)
		if !r.barred() {
			t.Error("a leak isn't told in 5 s")
		}
		r.alive.Store(0)
		if err := r.session.Arm("cap", ""); !errors.Is(err, session.ErrBarred) {
			t.Errorf("armed, it says %v", err)
		}
		r.seconds(10, true)
		if r.alive.Load() > 0 {
			t.Error("a line that leaks says that it is alive")
		}
		r.leaks.Store(false)
		r.seconds(8, true)
		if r.barred() || r.alive.Load() == 0 {
			t.Errorf("mended, it is barred: %v, and alive %d times", r.barred(), r.alive.Load())
		}
		if err := r.session.Arm("cap", ""); err != nil {
			t.Error(err)
		}
	})
}

// A leak voids what is being captured and holds the line, which a test that passes later doesn't let go.
func TestALeakHoldsAnArmedLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTested(t, config.OnFaultMute)
		defer r.stop()
		r.seconds(1, true)
		if err := r.session.Arm("cap", ""); err != nil {
			t.Fatal(err)
		}
		r.leaks.Store(true)
		r.seconds(5, true)
		r.stands(session.Held)
		r.leaks.Store(false)
		r.seconds(10, true)
		if r.stands(session.Held); r.barred() {
			t.Error("it is still barred")
		}
		if err := r.session.Acknowledge(); err != nil {
			t.Fatal(err)
		}
		r.seconds(4, true)
		r.stands(session.Idle)
	})
}

func TestALineThatLeaksComesUpBarred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Line{cfg: config.Line{Rate: audio.Rate8k}, log: slog.New(slog.DiscardHandler)}
		var leaks atomic.Bool
		leaks.Store(true)
		bars, err := l.firstTest(func(cfg path.Config) (selftest.Path, error) {
			p, err := path.New(cfg)
			return &open{Path: p, leaks: &leaks}, err
		})
		if err != nil || !slices.Equal(bars, []capture.Code{capture.SelfTestFailed}) {
			t.Errorf("it comes up with %v, %v", bars, err)
		}
		if err := l.selfTest.test.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What fails while no card is taken is a wire where the owner chose so: the caller comes through bit for bit, the line says so, lives on, and takes no card.
func TestALeakMakesAWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTested(t, config.OnFaultWire)
		defer r.stop()
		r.seconds(5, true)
		if r.heard() {
			t.Fatal("an idle line doesn't mask a key")
		}
		r.seconds(2, true)
		r.leaks.Store(true)
		r.seconds(5, true)
		r.alive.Store(0)
		if !r.heard() || !r.barredBy(capture.Bypassed) {
			t.Errorf("the caller isn't heard as he is, or bypassed isn't told: %v", r.barredBy(capture.Bypassed))
		}
		if r.seconds(8, true); r.alive.Load() == 0 {
			t.Error("it isn't alive")
		}
		r.seconds(4, false)
		r.alive.Store(0)
		if r.seconds(8, false); r.alive.Load() > 0 {
			t.Error("it is alive without sound")
		}
		if err := r.session.Arm("cap", ""); !errors.Is(err, session.ErrBarred) {
			t.Errorf("armed, it says %v", err)
		}
		r.leaks.Store(false)
		r.seconds(8, true)
		if r.heard() || r.barredBy(capture.Bypassed) {
			t.Errorf("mended, a key is heard, or it is still bypassed: %v", r.barredBy(capture.Bypassed))
		}
	})
}

// The path panics while no card is taken: a wire at once. A mute line hears nothing.
func TestAPanicMakesAWire(t *testing.T) {
	for _, onFault := range []config.OnFault{config.OnFaultWire, config.OnFaultMute} {
		synctest.Test(t, func(t *testing.T) {
			r := newTested(t, onFault)
			defer r.stop()
			r.seconds(5, true)
			r.wreck()
			r.seconds(1, true)
			open := onFault == config.OnFaultWire
			if r.heard() != open || r.barredBy(capture.Bypassed) != open || r.marked() == open || errors.Is(r.ended, session.ErrBroken) == open {
				t.Errorf("%s: bypassed %v, marked %v, and the session ends with %v", onFault, r.barredBy(capture.Bypassed), r.marked(), r.ended)
			}
			if !open {
				return
			}
			r.seconds(10, true)
			if !r.barred() || !r.heard() || r.ended != nil {
				t.Errorf("after 10 s it is barred: %v, and the session ended with %v", r.barred(), r.ended)
			}
			if err := r.session.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.Position()}); err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); !errors.Is(r.ended, session.ErrBroken) || r.marked() {
				t.Errorf("after the call the session ends with %v, marked %v", r.ended, r.marked())
			}
		})
	}
}

// The path panics while a card is taken: void, held and silent, though the owner chose the wire.
func TestAPanicWhileArmedIsMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTested(t, config.OnFaultWire)
		defer r.stop()
		r.seconds(5, true)
		if err := r.session.Arm("cap", ""); err != nil {
			t.Fatal(err)
		}
		r.seconds(1, true)
		r.wreck()
		r.seconds(1, true)
		r.stands(session.Held)
		if r.heard() || r.barredBy(capture.Bypassed) || !r.marked() || !errors.Is(r.ended, session.ErrBroken) {
			t.Errorf("bypassed %v, marked %v, and the session ends with %v", r.barredBy(capture.Bypassed), r.marked(), r.ended)
		}
	})
}

// A line that waits for its device is alive, for as long as it does nothing else.
func TestWaitingIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		stop := alive(func(string) { n++ })
		time.Sleep(20 * time.Second)
		if stop(); n < 6 {
			t.Errorf("alive %d times in 20 s", n)
		}
		n = 0
		time.Sleep(time.Minute)
		if n > 0 {
			t.Errorf("alive %d times after that", n)
		}
	})
}

// A line whose sound stands, as a thread that is stuck has it, is no longer alive, and takes no card.
func TestStandingSoundIsNotAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTested(t, config.OnFaultMute)
		defer r.stop()
		r.seconds(5, true)
		r.seconds(5, false)
		if !r.barred() {
			t.Error("sound that stands isn't told in 5 s")
		}
		r.alive.Store(0)
		r.seconds(30, false)
		if r.alive.Load() > 0 {
			t.Error("a line whose sound stands says that it is alive")
		}
		r.seconds(8, true)
		if r.barred() || r.alive.Load() == 0 {
			t.Errorf("with sound again it is barred: %v, and alive %d times", r.barred(), r.alive.Load())
		}
	})
}
