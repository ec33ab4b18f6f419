package daemon

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/wire"
)

// standing says shortly what stands: code/detail/line.
func standing(all []health.Condition) string {
	var said []string
	for _, c := range all {
		s := string(c.Code) + "/" + c.Detail
		if c.Line != "" {
			s += "/" + c.Line
		}
		said = append(said, s)
	}
	return strings.Join(said, " ")
}

// Whatever a line may say of itself stands on the health board as long as it says so, and nothing of it once its process has ended.
func TestWhatALineSuffersFromStands(t *testing.T) {
	held := func(reason string) []wire.Message {
		return []wire.Message{wire.State{State: "held", Reason: reason}, wire.State{State: "idle"}}
	}
	barred := func(code string) []wire.Message {
		return []wire.Message{wire.Bar{Code: code, On: true}, wire.Bar{Code: code}}
	}
	input := func(code string) []wire.Message {
		return []wire.Message{wire.Input{Leg: "agent", Code: code}, wire.Input{Leg: "agent", Code: "ok"}}
	}
	says := map[health.Code][]wire.Message{
		health.CodecPoor:  {wire.Codec{Code: "codec_poor", NeedsLookAheadMS: 40}, wire.Codec{Code: "ok"}},
		health.SourceLost: {wire.Source{Code: "source_lost"}, wire.Source{Code: "ok"}},
	}
	for _, code := range []string{"call_unknown", "line_restarted", "sound_stands", "legs_swapped_or_coupled", "line_broken", "starting",
		"device_absent", "device_moved", "device_replaced", "device_swapped"} {
		says[health.Code(code)] = held(code)
	}
	for _, code := range []string{"monitor_open", "mixer_unread", "modem_silent", "modem_refuses", "modem_no_sound", "modem_deaf", "untuned", "self_test_failed"} {
		says[health.Code(code)] = barred(code)
	}
	for _, code := range []string{"input_dead", "input_clips", "gain_clips", "clocks_apart"} {
		says[health.Code(code)] = input(code)
	}
	for _, code := range []string{"recorder_full", "recorder_failed", "recorder_behind"} {
		says[health.Code(code)] = []wire.Message{wire.Recording{Code: code}, wire.Recording{Code: "ok"}}
	}
	says["from_the_future"] = barred("from_the_future")
	details := map[health.Code]string{health.CodecPoor: "it needs a look-ahead of 40 ms", health.SourceLost: "gpio", "input_dead": "agent",
		"input_clips": "agent", "gain_clips": "agent", "clocks_apart": "agent"}
	for code, says := range says {
		t.Run(string(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := twoLines()
				cfg.Lines[0].CallerModem, cfg.Lines[0].AgentModem, cfg.Lines[0].Calls.Source = &config.Modem{}, &config.Modem{}, "gpio"
				p := newPlugWith(t, cfg, nil, nil)
				c, ended := p.line("desk-1", 7)
				p.say(c, wire.State{State: "idle"})
				const rest = "starting//desk-2"
				if got := standing(p.board.Snapshot()); got != rest {
					t.Fatalf("at first %q stands", got)
				}
				changes := p.board.Subscribe()
				p.say(c, says[0])
				p.say(c, wire.Meters{})
				want := fmt.Sprintf("%s/%s/desk-1", code, details[code])
				d, ok := health.Lookup(code)
				if !ok {
					d.Severity = health.Fault
				}
				if got := strings.Split(standing(p.board.Snapshot()), " "+rest)[0]; got != want && d.Severity != health.Notice || !strings.Contains(standing(p.board.Snapshot()), want) {
					t.Errorf("it stands as %q, want %q", got, want)
				}
				p.say(c, says[1])
				if got := standing(p.board.Snapshot()); got != rest {
					t.Errorf("once it is over, %q stands", got)
				}
				p.say(c, says[0])
				c.Close()
				<-ended
				awaits := strings.HasPrefix(string(code), "device_") // its connection ends when the device is there, too: then its process goes on
				if awaits {
					p.exited("desk-1", 1)
				}
				if got := standing(p.board.Snapshot()); got != "process_down//desk-1 "+rest {
					t.Errorf("once the process has ended, %q stands", got)
				}
				var edges []string
				for e := range changes.All(t.Context()) {
					if e.Line == "desk-1" && !(awaits && e.Code == health.Starting) {
						edges = append(edges, fmt.Sprintf("%t %s", e.Raised, e.Code))
					}
					if e.Code == health.ProcessDown {
						break
					}
				}
				if want := fmt.Sprintf("[true %[1]s false %[1]s true %[1]s false %[1]s true process_down]", code); fmt.Sprint(edges) != want {
					t.Errorf("it is told as %v, want %s", edges, want)
				}
			})
		})
	}
}

// One code on both legs is one condition; and what bars a line may be what it is held for.
func TestOneCodeIsOneCondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		c, _ := p.line("desk-1", 7)
		for _, m := range []wire.Message{wire.Bar{Code: "modem_silent", On: true}, wire.State{State: "held", Reason: "modem_silent"},
			wire.Input{Leg: "caller", Code: "input_dead"}, wire.Input{Leg: "agent", Code: "input_dead"}} {
			p.say(c, m)
		}
		const want = "modem_silent//desk-1 input_dead/caller and agent/desk-1 starting//desk-2"
		if got := standing(p.board.Snapshot()); got != want {
			t.Errorf("%q stands, want %q", got, want)
		}
		p.say(c, wire.Bar{Code: "modem_silent"})
		p.say(c, wire.Input{Leg: "caller", Code: "ok"})
		if got := standing(p.board.Snapshot()); got != strings.Replace(want, "caller and agent", "agent", 1) {
			t.Errorf("%q stands", got)
		}
	})
}

func TestALineWithoutRealTimePriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		a, b := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			ended <- p.attach(p.ctx, wire.Hello{Line: "desk-1", NoRealTime: true}, wire.NewConn(b, wire.Daemon))
		}()
		synctest.Wait()
		if got := standing(p.board.Snapshot()); got != "no_realtime//desk-1 starting//desk-1 starting//desk-2" {
			t.Errorf("%q stands", got)
		}
		a.Close()
		<-ended
		if got := standing(p.board.Snapshot()); got != "process_down//desk-1 starting//desk-2" {
			t.Errorf("once the process has ended, %q stands", got)
		}
	})
}

// A process that never gets as far as a connection is down.
func TestALineThatNeverCameIsDown(t *testing.T) {
	p := newPlug(t, nil)
	p.exited("desk-2", 1)
	if got := standing(p.board.Snapshot()); got != "process_down//desk-2 starting//desk-1" {
		t.Errorf("%q stands", got)
	}
}

// A line that a reload took away is not unwell any more, whatever its process still says.
func TestALineThatWasTakenAwayIsNotUnwell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		c, ended := p.line("desk-1", 7)
		p.say(c, wire.State{State: "held", Reason: "line_broken"})
		cfg := twoLines()
		cfg.Lines = cfg.Lines[1:]
		p.know(cfg)
		p.say(c, wire.Bar{Code: "untuned", On: true})
		c.Close()
		<-ended
		if got := standing(p.board.Snapshot()); got != "starting//desk-2" {
			t.Errorf("%q stands", got)
		}
	})
}
