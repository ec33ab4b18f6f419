package session_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/wavline"
)

// The recorded calls through a real path, on a real line, at full speed: armed when the call begins.
func TestRecordedCalls(t *testing.T) {
	for _, c := range []struct {
		name   string
		shield mask.Shield
	}{
		{"visa", mask.Keys}, {"visa", mask.Run}, {"visa", mask.Field},
		{"amex-corrected", mask.Run}, {"no-card-just-talk", mask.Field},
	} {
		t.Run(c.name+"/"+c.shield.String(), func(t *testing.T) { playRecorded(t, c.name, c.shield) })
	}
}

func playRecorded(t *testing.T, name string, shield mask.Shield) {
	dir := filepath.Join("../../data/calls", name)
	truth := readTruth(t, dir)
	p, err := path.New(path.Config{Rate: audio.Rate8k, Shield: shield})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	seen := &log{fits: truth.fits}
	s, err := session.New(
		session.Config{
			Line: "desk-1", Rate: audio.Rate8k, MarkDir: t.TempDir(),
			Default: "card", Profiles: map[string]capture.Profile{"card": {}},
		},
		session.Deps{Path: p, Observer: seen, Today: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }},
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()

	// Once a period, on the line's thread: call edges, then all that happened up to here.
	var line *hw.Line
	ended := audio.Position(0)
	follow := func(at audio.Position) {
		select {
		case e := <-line.Calls:
			if err := s.Edge(e); err != nil {
				t.Error(err)
			}
			switch e.Kind {
			case hw.CallBegan:
				if err := s.Arm("cap", ""); err != nil {
					t.Error(err)
				}
			case hw.CallEnded:
				ended = at
			}
		default:
		}
		if err := s.Follow(at); err != nil {
			t.Error(err)
		}
		if ended > 0 {
			cancel()
		}
	}
	line, err = wavline.Open(wavline.Config{
		CallerIn: []string{filepath.Join(dir, "caller.wav")}, AgentIn: []string{filepath.Join(dir, "agent.wav")},
		AgentOut: filepath.Join(t.TempDir(), "agent.wav"), Gap: time.Second, Follow: follow,
	}, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	agent := make(chan error, 1)
	go func() { agent <- line.Agent.Run(ctx, heard{p}) }()
	if err := line.Caller.Run(ctx, said{p}); err != nil {
		t.Error(err)
	}
	if err := <-agent; err != nil {
		t.Error(err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
	told := strings.Join(slices.DeleteFunc(seen.said, func(s string) bool { return strings.Contains(s, ":") }), ", ")
	want := "idle, armed cap, keying cap, pan ok, expiry ok, cvv ok, card cap"
	if truth.Card == nil {
		want = "idle, armed cap, void cap call_ended"
		if strings.Contains(strings.Join(seen.said, " "), ":") {
			t.Error("speech made a star")
		}
	}
	if told != want {
		t.Errorf("the session says\n  %s\nand should say\n  %s", told, want)
	}
	if seen.wrong {
		t.Error("card differs")
	}
	if p.Stats().Faults != 0 {
		t.Errorf("%d faults on the path", p.Stats().Faults)
	}
}

// said and heard are the turns of a caller who hears nothing, and of an agent who says nothing.
type (
	said  struct{ *path.Path }
	heard struct{ *path.Path }
)

func (p said) Take(in []int16)  { p.Write(in) }
func (p said) Fill(out []int16) { clear(out) }

func (heard) Take([]int16)       {}
func (heard) Lost(int)           {}
func (p heard) Fill(out []int16) { p.Read(out) }

// truth is what a recording's card must be; nil where none is keyed.
type truth struct {
	Card *struct{ PAN, Expiry, CVV string }
}

func readTruth(t *testing.T, dir string) truth {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var tr truth
	if err := json.Unmarshal(b, &tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr truth) fits(c *secret.Card) bool {
	return tr.Card != nil && string(c.PAN.Reveal()) == tr.Card.PAN && string(c.Expiry.Reveal()) == tr.Card.Expiry &&
		string(c.CVV.Reveal()) == tr.Card.CVV
}
