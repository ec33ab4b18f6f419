package line

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
)

// A live line is followed a hundred times a second while it is armed, and ten times while it is idle; a call's edge waits for neither.
func TestPace(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const rate, period = audio.Rate8k, 80
		b := newTestBridge(t, rate)
		calls := make(chan hw.Edge, 1)
		l := &Line{cfg: config.Line{Rate: rate, Sound: &config.Sound{}}, log: slog.New(slog.DiscardHandler), path: b.path, bridge: b,
			link: newLink("", wire.Hello{}, nil), device: &hw.Line{Calls: calls}}
		l.told.say = l.link.say
		var err error
		if b.ears, err = newEars(rate); err != nil {
			t.Fatal(err)
		}
		followed := &followedPath{Path: b.path}
		l.session, err = session.New(session.Config{Line: "one", Rate: rate, LookAhead: 30 * time.Millisecond, MarkDir: dir,
			Profiles: map[string]capture.Profile{"number": {Fields: []capture.Field{capture.PAN}}}, Default: "number"},
			session.Deps{Path: followed, Observer: l, Today: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var rest sync.WaitGroup
		rest.Go(func() { l.session.Run(ctx) })
		rest.Go(func() { l.pace(ctx) })
		second := func() int {
			before := followed.times
			for range int(rate) / period {
				b.period(make([]int16, period), make([]int16, period))
				time.Sleep(10 * time.Millisecond)
			}
			synctest.Wait()
			return followed.times - before
		}
		second()
		if n := second(); n < 9 || n > 11 {
			t.Errorf("an idle line is followed %d times a second", n)
		}
		calls <- hw.Edge{Kind: hw.CallBegan, At: b.path.Position()}
		synctest.Wait()
		if l.told.call.Edge != "call_began" {
			t.Error("a call's beginning waits")
		}
		if err := l.session.Arm("cap_a", ""); err != nil {
			t.Fatal(err)
		}
		if n := second(); n < 60 || n > 101 {
			t.Errorf("an armed line is followed %d times a second", n)
		}
		stop()
		rest.Wait()
	})
}

// followedPath counts how often a session follows it.
type followedPath struct {
	*path.Path
	times int
}

func (p *followedPath) Stats() path.Stats {
	p.times++
	return p.Path.Stats()
}
