package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
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

// TestMadeCalls: what no recording has, because nobody did it: callers who mistype, and who stop keying. All of it rests on when a key's end is told.
func TestMadeCalls(t *testing.T) {
	for name, c := range map[string]struct{ keys, want string }{
		"a field is keyed again after a refusal": {"4242#{50}4242424242424242#1229#123#{50}",
			"idle, armed cap, keying cap, pan too_short, pan ok, expiry ok, cvv ok, card cap"},
		"quiet ends a field":    {"4242424242424242{50}1229{50}123{50}", "idle, armed cap, keying cap, pan ok, expiry ok, cvv ok, card cap"},
		"a caller stops keying": {"424{300}", "idle, armed cap, keying cap, warn key_waiting, void cap timeout_between_keys, idle"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &log{fits: func(*secret.Card) bool { return true }}
			play(t, made(t, c.keys), mask.Run, seen)
			if told := seen.told(); told != c.want {
				t.Errorf("the session says\n  %s\nand should say\n  %s", told, c.want)
			}
		})
	}
}

// made makes a call: keys, and silence of as many tenths of a second as a number in braces says.
func made(t *testing.T, script string) (dir string) {
	t.Helper()
	frames := make([]int16, 2*audio.Rate8k)
	for rest := script; rest != ""; {
		if number, after, is := strings.Cut(rest, "}"); is && rest[0] == '{' {
			tenths, err := strconv.Atoi(number[1:])
			if err != nil {
				t.Fatal(err)
			}
			frames, rest = append(frames, make([]int16, tenths*int(audio.Rate8k)/10)...), after
			continue
		}
		pair, _ := tone.Pair(rest[0], -10, 0)
		frames = append(tone.Append(frames, audio.Rate8k, 560, 16, pair[:]...), make([]int16, 560)...)
		rest = rest[1:]
	}
	dir = t.TempDir()
	for name, x := range map[string][]int16{"caller.wav": frames, "agent.wav": make([]int16, len(frames))} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := wav.Append(f, 0, audio.Rate8k)
		if err == nil {
			err = w.Write(x)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func playRecorded(t *testing.T, name string, shield mask.Shield) {
	dir := filepath.Join("../../data/calls", name)
	truth := readTruth(t, dir)
	seen := &log{fits: truth.fits}
	play(t, dir, shield, seen)
	want := "idle, armed cap, keying cap, pan ok, expiry ok, cvv ok, card cap"
	if truth.Card == nil {
		want = "idle, armed cap, void cap call_ended"
		if strings.Contains(strings.Join(seen.said, " "), ":") {
			t.Error("speech made a star")
		}
	}
	if told := seen.told(); told != want {
		t.Errorf("the session says\n  %s\nand should say\n  %s", told, want)
	}
	if seen.wrong {
		t.Error("card differs")
	}
}

// told is what the session said, but for stars.
func (l *log) told() string {
	return strings.Join(slices.DeleteFunc(l.said, func(s string) bool { return strings.Contains(s, ":") }), ", ")
}

// play plays a call to its end, armed as it begins.
func play(t *testing.T, dir string, shield mask.Shield, seen *log) {
	p, err := path.New(path.Config{Rate: audio.Rate8k, Shield: shield})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := session.New(
		session.Config{
			Line: "desk-1", Rate: audio.Rate8k, MarkDir: t.TempDir(),
			Default: "card", Profiles: map[string]capture.Profile{"card": {Visa19: true}}, // a number of 16 digits then ends with # or quiet
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
