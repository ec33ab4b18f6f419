package session_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// A gap of 30 ms in the sound of a key, through a real path: the agent is told that a key was not clear, and the number isn't taken.
func TestAGapOverAKeyRefusesTheField(t *testing.T) {
	for lost, want := range map[time.Duration]string{0: "pan ok", 30 * time.Millisecond: "pan unclear_key"} {
		if said := keyNumber(t, lost); !slices.Contains(said, want) || want != "pan ok" && slices.Contains(said, "pan ok") {
			t.Errorf("with a gap of %v the session says %v, and should say %q", lost, said, want)
		}
	}
}

// keyNumber keys a number of which the middle of the eighth key never arrives, and answers what the session said of it.
func keyNumber(t *testing.T, lost time.Duration) []string {
	p, err := path.New(path.Config{Rate: audio.Rate8k})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	seen := &log{}
	s, err := session.New(session.Config{
		Line: "desk-1", Rate: audio.Rate8k, MarkDir: t.TempDir(),
		Default: "number", Profiles: map[string]capture.Profile{"number": {Fields: []capture.Field{capture.PAN}}},
	}, session.Deps{Path: p, Observer: seen, Today: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	defer func() {
		cancel()
		<-ran
	}()
	if err := s.Edge(hw.Edge{Kind: hw.CallBegan, At: 0}); err != nil {
		t.Fatal(err)
	}
	if err := s.Arm("cap", ""); err != nil {
		t.Fatal(err)
	}
	const key, period = 800, 80 // frames
	x := make([]int16, 8000)
	for i := range len(visa) {
		pair, _ := tone.Pair(visa[i], -10, 0)
		x = append(tone.Append(x, audio.Rate8k, key, 8, pair[:]...), make([]int16, key)...)
	}
	x = append(x, make([]int16, 8000)...)
	from := 8000 + 7*2*key + key/2
	out := make([]int16, period)
	for at := 0; at < len(x); at += period {
		if at >= from && at < from+audio.Rate8k.Frames(lost) {
			p.Lost(period)
		} else {
			p.Write(x[at : at+period])
		}
		p.Read(out)
		if err := s.Follow(p.Position()); err != nil {
			t.Fatal(err)
		}
	}
	return seen.said
}
