package line

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/recording"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/daemon/wire"
)

// recorded is the only recording in a folder: left and right.
func recorded(t *testing.T, folder string) (left, right []int16) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.wav"))
	if err != nil || len(names) != 1 {
		t.Fatalf("recordings: %v, %v", names, err)
	}
	file, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, (len(file)-44)/2)
	if _, err := binary.Decode(file[44:], binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(samples); i += 2 {
		left, right = append(left, samples[i]), append(right, samples[i+1])
	}
	return left, right
}

// Whatever state the line is in, what is recorded is what the agent's device is given and gives, bit for bit, and never more than that.
func TestRecordedIsWhatTheAgentHears(t *testing.T) {
	for _, clocks := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			const rate, period = audio.Rate8k, 160
			b := newBridgeOver(t, path.Config{Rate: rate, Idle: mask.Idle, Wire: true}, clocks)
			b.toAgent.Set(3)
			heard, err := recording.NewTap(rate)
			if err != nil {
				t.Fatal(err)
			}
			b.recorded = heard
			folder := t.TempDir()
			ails := recording.OK
			r := recording.New(recording.Config{Line: "one", Rate: rate, Folder: folder, Most: time.Hour}, heard, func(c recording.Code) { ails = c }, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(t.Context())
			var done sync.WaitGroup
			done.Go(func() { r.Run(ctx) })

			var agentHeard, agentSaid, callerSaid []int16
			run := func(caller []int16, lost bool) {
				for ; len(caller) >= period; caller = caller[period:] {
					agent := voice(len(agentSaid)+3, period)
					toCaller, toAgent := make([]int16, period), make([]int16, period)
					said, in := caller[:period], agent
					if lost {
						said, in, agent = nil, nil, make([]int16, period)
					}
					oneClock(b, said, in, toCaller, toAgent)
					agentHeard, agentSaid, callerSaid = append(agentHeard, toAgent...), append(agentSaid, agent...), append(callerSaid, caller[:period]...)
					time.Sleep(rate.Duration(period))
				}
			}
			r.Call(true)
			run(keyed("42"), false) // idle
			b.path.SetGrade(mask.Armed)
			run(keyed(visa), false) // a card
			b.path.Cover(true)
			run(voice(0, 8000), false)
			b.path.Cover(false)
			run(voice(0, 4000), true) // the devices lose sound
			b.path.SetGrade(mask.Closed)
			run(keyed(visa), false) // held
			tap, err := tune.NewTap(rate)
			if err != nil {
				t.Fatal(err)
			}
			tap.Shut(true)
			b.tap.Store(tap)
			run(voice(0, 8000), false) // a test of a leg
			b.tap.Store(nil)
			b.path.SetGrade(mask.Pass)
			run(keyed("911"), false) // on_fault = "wire": as the agent hears it
			cancel()
			done.Wait()
			left, right := recorded(t, folder)
			if !slices.Equal(left, agentHeard) {
				t.Error("what is recorded isn't what the agent's device was given")
			}
			if !slices.Equal(right, agentSaid) {
				t.Error("what is recorded isn't what the agent's device gave")
			}
			if ails != recording.OK {
				t.Errorf("it is %s", ails)
			}
			if slices.Equal(agentHeard[rate.Frames(30*time.Millisecond):], callerSaid[:len(callerSaid)-rate.Frames(30*time.Millisecond)]) {
				t.Error("nothing was masked, so that this test shows nothing")
			}
			if err := tap.Close(); err != nil {
				t.Error(err)
			}
			if err := heard.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A whole line records its call, and that as the agent has heard it while the card was taken.
func TestALineRecordsItsCall(t *testing.T) {
	b := newBox(t, "")
	b.cfg.Lines[0].WAV.Pace = 16
	b.cfg.Lines[0].Recorder = &config.Recorder{Folder: b.path("calls"), Most: time.Hour}
	d, stop := b.armed()
	hear(d, any[wire.Card])
	hear(d, func(m wire.Call) bool { return m.Edge == "call_ended" })
	if err := stop(); err != nil {
		t.Error(err)
	}
	left, right := recorded(t, b.path("calls"))
	if len(left) < len(keyed(visa)) {
		t.Fatalf("%d frames of the call are recorded", len(left))
	}
	if within(b.heard("agent-heard.wav"), left) < 0 {
		t.Error("what is recorded isn't what the agent has heard")
	}
	if i := slices.IndexFunc(right, func(v int16) bool { return v != 0 }); i >= 0 {
		t.Errorf("the agent, who said nothing, is recorded with something at frame %d", i)
	}
}

// within finds one sound in another, frame for frame.
func within(whole, part []int16) int {
	raw := func(x []int16) []byte {
		b, _ := binary.Append(nil, binary.LittleEndian, x)
		return b
	}
	return bytes.Index(raw(whole), raw(part))
}

// Where there can be no recordings, it is told, told again to a flattoned that comes anew, and the call is as without.
func TestALineThatCannotRecord(t *testing.T) {
	b := newBox(t, "")
	b.cfg.Lines[0].WAV.Pace = 16
	b.record("in-the-way", nil)
	b.cfg.Lines[0].Recorder = &config.Recorder{Folder: b.path("in-the-way"), Most: time.Hour}
	d, stop := b.armed()
	failed := wire.Recording{Code: string(recording.Failed)}
	for taken, told := false, false; !taken || !told; { // either may come first
		switch m := d.next().m.(type) {
		case wire.Card:
			taken = true
		case wire.Recording:
			told = m == failed
		}
	}
	d.hangUp()
	hear(b.accept(), func(m wire.Recording) bool { return m == failed })
	if err := stop(); err != nil {
		t.Error(err)
	}
}
