//go:build cgo

package line

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest/card"
)

func barred(on bool) func(wire.Bar) bool {
	return func(b wire.Bar) bool { return b.Code == "untuned" && b.On == on }
}

// A line of sound devices takes no card until flattoned has told it of a tuning that holds for it; one of recordings needs none.
func TestALineTakesNoCardUntilItIsTuned(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	card.New(t, card.Spec{Name: "trunk", Rate: 8000, Channels: 2, Patient: true})
	b.cfg.Lines[0].Sound = &config.Sound{Caller: "trunk", CallerChannel: 1, Agent: "trunk", AgentChannel: 2}
	stop, _ := b.run()
	d := b.accept()
	hear(d, barred(true))
	armed := func(id uint64) string { return d.ask(id, wire.Arm{ID: id, Capture: "cap_a"}) }
	says := func(m wire.Message) {
		t.Helper()
		if err := d.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	if answer := armed(1); !strings.HasSuffix(answer, ": untuned") {
		t.Errorf("a line that was never tuned says %q", answer)
	}
	fingerprint, _ := b.cfg.Lines[0].Fingerprint(nil)
	says(wire.Accepted{Report: acceptancetest.Good("desk-1", "another")})
	bad := acceptancetest.Good("desk-1", fingerprint)
	bad.Figures[3].Value += 100
	says(wire.Accepted{Report: bad})
	says(wire.Accepted{})
	if answer := armed(2); !strings.HasSuffix(answer, ": untuned") {
		t.Errorf("a line whose tuning doesn't hold says %q", answer)
	}
	says(wire.Accepted{Report: acceptancetest.Good("desk-1", fingerprint)})
	hear(d, barred(false))

	// While it is tuned it takes none, and a tuning that is cut short changes nothing.
	if answer := d.ask(3, wire.Tune{ID: 3}); answer != "" {
		t.Fatalf("not tuned: %s", answer)
	}
	hear(d, func(m wire.Tuning) bool { return m.Step == "quiet" && m.Of == 3 })
	if answer := armed(4); !strings.Contains(answer, "being tuned") {
		t.Errorf("a line that is tuned says %q", answer)
	}
	says(wire.Cancel{ID: 5})
	if m := hear(d, any[wire.Answer]).m; m != (wire.Answer{ID: 5}) {
		t.Errorf("a tuning isn't cancelled: %+v", m)
	}
	if m := hear(d, any[wire.Tuned]).m.(wire.Tuned); m.Code != "tune_cancelled" || m.Step != "quiet" || m.Report.Line != "" {
		t.Errorf("it ends with %+v", m)
	}
	if answer := armed(6); answer != "" {
		t.Errorf("a line that was tuned before says %q", answer)
	}
	if answer := d.ask(7, wire.Tune{ID: 7}); !strings.Contains(answer, "busy") {
		t.Errorf("an armed line is tuned: %q", answer)
	}

	// A flattoned that no longer knows of it is believed: what is under way is void.
	says(wire.Accepted{})
	hear(d, barred(true))
	hear(d, state("held"))
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// The silence of a card without a converter is a dead input: that is the report, and the tuning's end.
func TestADeadInputIsReported(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	card.New(t, card.Spec{Name: "trunk", Rate: 8000, Channels: 2, Patient: true})
	b.cfg.Lines[0].Sound = &config.Sound{Caller: "trunk", CallerChannel: 1, Agent: "trunk", AgentChannel: 2}
	stop, _ := b.run()
	d := b.accept()
	if answer := d.ask(1, wire.Tune{ID: 1}); answer != "" {
		t.Fatalf("not tuned: %s", answer)
	}
	m := hear(d, any[wire.Tuned]).m.(wire.Tuned)
	if r := m.Report; m.Code != "ok" || r.Good() || r.Line != "desk-1" || len(r.Figures) == 0 || !r.Figures[0].Good || r.Figures[1].Good || r.Devices != "trunk" || !strings.Contains(r.Settings, "trunk") {
		t.Errorf("it ends with %+v", m)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// What a card's mixer lets past the mask is reported with its remedy, before anything is measured.
func TestAnOpenMixerIsReported(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	card.New(t, card.Spec{Name: "trunk", Rate: 8000, Channels: 2, Patient: true, Mixer: []card.Control{card.Switch("Sidetone Playback Switch", 1)}})
	b.cfg.Lines[0].Sound = &config.Sound{Caller: "trunk", CallerChannel: 1, Agent: "trunk", AgentChannel: 2}
	stop, _ := b.run()
	d := b.accept()
	if answer := d.ask(1, wire.Tune{ID: 1}); answer != "" {
		t.Fatalf("not tuned: %s", answer)
	}
	m := hear(d, any[wire.Tuned]).m.(wire.Tuned)
	if r := m.Report; m.Code != "ok" || r.Good() || len(r.Figures) != 1 || r.Figures[0].Good || len(r.Mixers) != 1 || !strings.Contains(r.Mixers[0], "Sidetone Playback Switch") {
		t.Errorf("it ends with %+v", m)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestARecordedLineNeedsNoTuning(t *testing.T) {
	b := newBox(t, "")
	d, stop := b.armed()
	if answer := d.ask(2, wire.Tune{ID: 2}); !strings.Contains(answer, "nothing to tune") {
		t.Errorf("it says %q", answer)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
