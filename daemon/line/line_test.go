package line

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
)

// TestCardOverConnectionsThatBreak: flattoned dies with the card in its hands, twice. Each time the line says
// anew how it stands and hands over the same card under the same id, until it is told that it is stored.
func TestCardOverConnectionsThatBreak(t *testing.T) {
	b := newBox(t, "")
	d, stop := b.armed()
	stars := 0
	for stars < len(visa) {
		k := hear(d, any[wire.Key]).m.(wire.Key)
		if stars++; k != (wire.Key{Capture: "cap_a", Field: "pan", Stars: stars}) {
			t.Errorf("key %d is told as %+v", stars, k)
		}
	}
	verdict := hear(d, any[wire.Verdict]).m.(wire.Verdict)
	if verdict != (wire.Verdict{Capture: "cap_a", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242", Length: 16}) {
		t.Errorf("the verdict is %+v", verdict)
	}
	first := hear(d, any[wire.Card])
	if first.m != (wire.Card{Capture: "cap_a", Profile: "number", Brand: "visa", Last4: "4242"}) {
		t.Error("what is said of the card differs")
	}
	if n := first.card[0]; int(n) != len(visa) || string(first.card[1:1+n]) != visa {
		t.Error("card differs")
	}

	// The connection breaks, and then flattoned goes away for a while.
	d.hangUp()
	for i, down := range []bool{false, true} {
		if down {
			b.ln.Close()
			b.listen()
		}
		d = b.accept()
		call, stands := d.next(), d.next()
		if m, ok := call.m.(wire.Call); !ok || !strings.HasPrefix(m.Edge, "call_") {
			t.Errorf("connection %d begins with %T, want the call", i+2, call.m)
		}
		if stands.m != (wire.State{State: "keying", Capture: "cap_a"}) {
			t.Errorf("connection %d goes on with %+v, want the state", i+2, stands.m)
		}
		again := hear(d, any[wire.Card])
		if again.m != first.m || again.card != first.card {
			t.Errorf("connection %d: card differs", i+2)
		}
		if !down {
			d.hangUp()
		}
	}

	if err := d.Send(wire.Stored{Capture: "cap_a", Token: "tok_a"}); err != nil {
		t.Fatal(err)
	}
	hear(d, state("done"))
	d.hangUp()

	// Stored once is stored: nothing of the card is left to be handed over.
	d = b.accept()
	if err := d.Send(wire.Stored{Capture: "cap_a", Token: "tok_a"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Send(wire.Cancel{ID: 2}); err != nil {
		t.Fatal(err)
	}
	for answered := false; !answered; {
		switch m := d.next().m.(type) {
		case wire.Card:
			t.Error("the card is handed over again")
		case wire.Answer:
			answered = true
			if !strings.Contains(m.Error, "no card is being taken") {
				t.Errorf("cancel is answered with %q", m.Error)
			}
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	log := b.log.String()
	if !strings.Contains(log, "state=armed") || !strings.Contains(log, "came too late") {
		t.Error("the log doesn't tell what happened")
	}
	for i := range len(visa) - 4 {
		if strings.Contains(log, visa[i:i+5]) {
			t.Fatal("the log has digits of the card")
		}
	}
}

func TestCommandsAreAnsweredInWords(t *testing.T) {
	b := newBox(t, "")
	b.cfg.Lines[0].WAV.Pace = 1 // the call must outlast the commands
	b.listen()
	stop, _ := b.run()
	d := b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	for i, test := range []struct {
		command func(id uint64) wire.Message
		says    string // "" for done
	}{
		{func(id uint64) wire.Message { return wire.Cancel{ID: id} }, "no card is being taken"},
		{func(id uint64) wire.Message { return wire.MoreTime{ID: id} }, "no card is being taken"},
		{func(id uint64) wire.Message { return wire.Again{ID: id} }, "no card is being taken"},
		{func(id uint64) wire.Message { return wire.Acknowledge{ID: id} }, "not held"},
		{func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "c", Profile: "none"} }, "unknown profile"},
		{func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "c", Profile: "number"} }, ""},
		{func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "d"} }, "busy"},
		{func(id uint64) wire.Message { return wire.MoreTime{ID: id} }, ""},
		{func(id uint64) wire.Message { return wire.Again{ID: id, Field: "cvv"} }, "the profile doesn't ask for that field: cvv"},
		{func(id uint64) wire.Message { return wire.Again{ID: id, Field: "name"} }, `field "name" is unknown`},
		{func(id uint64) wire.Message { return wire.Again{ID: id} }, ""},
		{func(id uint64) wire.Message { return wire.Cancel{ID: id, Reason: "shutdown"} }, ""},
	} {
		id := uint64(i + 1)
		answer := d.ask(id, test.command(id))
		if (answer == "") != (test.says == "") || !strings.Contains(answer, test.says) {
			t.Errorf("%T is answered with %q, want %q", test.command(id), answer, test.says)
		}
	}
	if void := hear(d, state("void")).m.(wire.State); void.Reason != "shutdown" {
		t.Errorf("the capture is void for %q, and not for the reason that was given", void.Reason)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestRefusedLineEnds(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	_, ended := b.run()
	c, err := b.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	why := wire.Refused{Reason: wire.ReasonLine, Detail: "line is not in the config"}
	if err := errors.Join(c.Send(why), c.Close()); err != nil {
		t.Fatal(err)
	}
	err = <-ended
	if refused, ok := errors.AsType[wire.Refused](err); !ok || refused != why {
		t.Errorf("the line ends with %v, want the refusal", err)
	}
	// All is given back: the next process can be the line's.
	l, err := b.newLine()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

func TestLostDeviceEndsTheLine(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	_, ended := b.run()
	d := b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if err := os.Truncate(b.path("caller.wav"), 50); err != nil {
		t.Fatal(err)
	}
	if err := d.Send(wire.Arm{ID: 1, Capture: "cap_a"}); err != nil { // the line may be gone before it can answer
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, hw.ErrLost) {
		t.Errorf("the line ends with %v, want a lost device", err)
	}
}

// held counts what a process may leak without a goroutine: open files, and kilobytes of locked memory.
func held(t *testing.T) (files int, locked string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmLck:") {
			locked = line
		}
	}
	return len(open), locked
}

func TestNewFailsClearlyAndKeepsNothing(t *testing.T) {
	if _, err := New(newBox(t, "").cfg, "desk-9", Deps{}); err == nil || !strings.Contains(err.Error(), `line "desk-9" is not in the config`) {
		t.Errorf("an unknown line: %v", err)
	}
	profile := func(change func(*config.Profile)) func(*box) {
		return func(b *box) {
			p := b.cfg.Profiles["number"]
			change(&p)
			b.cfg.Profiles["number"] = p
		}
	}
	for name, test := range map[string]struct {
		spoil func(*box)
		says  []string
	}{
		"no recording":      {func(b *box) { os.Remove(b.path("caller.wav")) }, []string{"caller.wav", "check the path"}},
		"an odd recording":  {func(b *box) { os.WriteFile(b.path("agent.wav"), []byte("hello"), 0o600) }, []string{"agent.wav", "not a WAV"}},
		"a field of dreams": {profile(func(p *config.Profile) { p.Fields = []config.Field{"pin"} }), []string{"profile number", "pin"}},
		"an odd profile":    {profile(func(p *config.Profile) { p.KeyTimeout = -1 }), []string{"profile number", "use times above zero"}},
		"an odd look-ahead": {func(b *box) { b.cfg.Lines[0].LookAhead = 1 }, []string{"look-ahead of 1ns"}},
	} {
		b := newBox(t, "")
		test.spoil(b)
		files, locked := held(t)
		l, err := b.newLine()
		if err == nil || l != nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, says := range test.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", name, err, says)
			}
		}
		if f, m := held(t); f != files || m != locked {
			t.Errorf("%s: %d files and %q are held, before there were %d and %q", name, f, m, files, locked)
		}
	}
}

// Whatever the config may say of a line, the line can do.
func TestEverySettingIsTaken(t *testing.T) {
	for _, options := range []string{
		"lookahead_ms = 10\nflat_tone_hz = 1020\nflat_tone_dbm0 = -45\nshield = \"keys\"\nidle = \"pass\"",
		"lookahead_ms = 100\nflat_tone_hz = 2950\nflat_tone_dbm0 = -10\nshield = \"field\"\ncaller_cue = true",
	} {
		l, err := newBox(t, options).newLine()
		if err != nil {
			t.Errorf("%q: %v", options, err)
			continue
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}
