package line

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest/uhid"
)

// hookOnly is a headset's hook switch and nothing else, in a report without a number.
var hookOnly = []byte{0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x02, 0x95, 0x07, 0x81, 0x01, 0xc0}

// toldBy runs a recorded line in real time that is told of its calls as a live one is: A keys ten digits, and B the rest, from three seconds
// later on. The recording's own call has begun. It answers with the box, whose log may be read after stop.
func toldBy(t *testing.T, calls config.Calls) (b *box, d *daemon, stop func()) {
	t.Helper()
	b = newBox(t, "")
	both := append(keyed(visa[:10]), make([]int16, 2*8000)...)
	os.Remove(b.path("caller.wav"))
	b.record("caller.wav", append(both, keyed(visa[10:])...))
	b.cfg.Lines[0].WAV.Pace, b.cfg.Lines[0].Calls = 1, calls
	b.listen()
	l, err := b.newLine()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	stop = func() { cancel(); runs.Wait() }
	t.Cleanup(stop)
	runs.Go(func() { l.Run(ctx) })
	d = b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	runs.Go(func() { l.source(ctx) })
	return b, d, stop
}

// nothingMore fails if the line tells of a key or a card for as long as B keys.
func (d *daemon) nothingMore() {
	d.t.Helper()
	for until := time.After(8 * time.Second); ; {
		select {
		case s := <-d.said:
			switch s.m.(type) {
			case wire.Key, wire.Verdict, wire.Card:
				d.t.Errorf("after the call was over the line says %T", s.m)
			}
			if s.err != nil {
				d.t.Fatal("the line says no more")
			}
		case <-until:
			return
		}
	}
}

// A is on the headset, keys ten digits and drops; B is connected two seconds later, and keys the rest.
func TestAContactEndsWhatIsKeyed(t *testing.T) {
	const place = "usb-test-5/input0"
	headset := uhid.New(t, uhid.Spec{Name: "Headset", Place: place, Vendor: 0x1209, Product: 3, Descriptor: hookOnly,
		Answer: func(byte) []byte { return []byte{0, 0} }})
	_, d, _ := toldBy(t, config.Calls{Source: config.SourceHID, Device: place, Contact: config.Hook})
	hear(d, func(m wire.Source) bool { return m.Code == "ok" })
	hear(d, func(m wire.Call) bool { return m.Edge == "call_ended" }) // on the hook at first
	if answer := d.ask(1, wire.Arm{ID: 1, Capture: "cap_a"}); answer == "" {
		t.Fatal("armed without a call")
	}
	headset.Report(1)
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if answer := d.ask(2, wire.Arm{ID: 2, Capture: "cap_a"}); answer != "" {
		t.Fatalf("not armed: %s", answer)
	}
	hear(d, func(m wire.Key) bool { return m.Stars == 10 })
	headset.Report(0)
	hear(d, func(m wire.State) bool { return m.State == "void" && m.Reason == "call_ended" })
	time.Sleep(2 * time.Second)
	headset.Report(1)
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	d.nothingMore()
}

// The headset is pulled out while a card is keyed: that is void, and the line goes on with calls that are presumed. It is put back with somebody on it: held.
func TestAContactIsLost(t *testing.T) {
	const place = "usb-test-6/input0"
	spec := uhid.Spec{Name: "Headset", Place: place, Vendor: 0x1209, Product: 4, Descriptor: hookOnly, Answer: func(byte) []byte { return []byte{0, 0} }}
	headset := uhid.New(t, spec)
	_, d, _ := toldBy(t, config.Calls{Source: config.SourceHID, Device: place, Contact: config.Hook})
	hear(d, func(m wire.Call) bool { return m.Edge == "call_ended" })
	headset.Report(1)
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if answer := d.ask(1, wire.Arm{ID: 1, Capture: "cap_a"}); answer != "" {
		t.Fatalf("not armed: %s", answer)
	}
	hear(d, func(m wire.Key) bool { return m.Stars == 2 })
	headset.Unplug()
	hear(d, func(m wire.Source) bool { return m.Code == "source_lost" })
	hear(d, func(m wire.State) bool { return m.State == "void" && m.Reason == "source_lost" })
	hear(d, func(m wire.Call) bool { return m.Edge == "call_presumed" })
	hear(d, state("idle"))
	if answer := d.ask(2, wire.Arm{ID: 2, Capture: "cap_b"}); answer != "" {
		t.Fatalf("not armed: %s", answer)
	}
	spec.Answer = func(byte) []byte { return []byte{0, 1} }
	uhid.New(t, spec)
	hear(d, func(m wire.Source) bool { return m.Code == "ok" })
	hear(d, func(m wire.State) bool { return m.State == "void" && m.Reason == "call_unknown" })
	hear(d, state("held"))
}

// Each move of each contact is these edges.
func TestEdgesOfAContact(t *testing.T) {
	for name, c := range map[string]struct {
		contact       config.Contact
		closed, first bool
		want          []string
	}{
		"closed at first": {config.Hook, true, true, []string{"call_joined"}},
		"open at first":   {config.Hook, false, true, []string{"call_ended"}},
		"closes":          {config.Hook, true, false, []string{"call_began"}},
		"opens":           {config.Hook, false, false, []string{"call_ended"}},
		"rings":           {config.Ring, true, false, []string{"call_ended", "call_presumed"}},
		"rings at first":  {config.Ring, true, true, []string{"call_ended", "call_presumed"}},
		"rings no more":   {config.Ring, false, false, nil},
		"doesn't ring":    {config.Ring, false, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, "")
			b.cfg.Lines[0].Calls.Contact = c.contact
			l, err := b.newLine()
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			l.told.say = func(m wire.Message) {
				if call, ok := m.(wire.Call); ok {
					told = append(told, call.Edge)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var session sync.WaitGroup
			session.Go(func() { l.session.Run(ctx) })
			l.moved(c.closed, c.first)
			cancel()
			session.Wait()
			if err := l.close(); err != nil {
				t.Error(err)
			}
			if fmt.Sprint(told) != fmt.Sprint(c.want) {
				t.Errorf("told %q, want %q", told, c.want)
			}
		})
	}
}

// A line whose contact isn't there says so, once, and presumes its calls; it goes on looking.
func TestAContactIsAway(t *testing.T) {
	b, d, stop := toldBy(t, config.Calls{Source: config.SourceSerial, Device: "/dev/nowhere", Input: "dcd", Contact: config.Hook})
	hear(d, func(m wire.Source) bool { return m.Code == "source_lost" })
	hear(d, func(m wire.Call) bool { return m.Edge == "call_presumed" })
	time.Sleep(3 * lookAgain)
	stop()
	if n := strings.Count(b.log.String(), "its contact is away"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

// A line whose calls are told by way of flattoned can't be armed before; and if the connection breaks in a call, its end would not be heard.
func TestALineIsToldOfItsCalls(t *testing.T) {
	b, d, _ := toldBy(t, config.Calls{Source: config.SourceAPI})
	told := func(d *daemon, id uint64, edge, want string) {
		t.Helper()
		if answer := d.ask(id, wire.CallTold{ID: id, Edge: edge}); !strings.Contains(answer, want) || want == "" && answer != "" {
			t.Errorf("told of %s the line answers %q", edge, answer)
		}
	}
	arm := func(d *daemon, id uint64) string { return d.ask(id, wire.Arm{ID: id, Capture: fmt.Sprint("cap_", id)}) }
	told(d, 1, "call_ended", "")
	if arm(d, 2) == "" {
		t.Fatal("armed without a call")
	}
	told(d, 3, "call_joined", "nothing that happens to a call")
	told(d, 4, "call_began", "")
	if answer := arm(d, 5); answer != "" {
		t.Fatalf("not armed: %s", answer)
	}
	hear(d, func(m wire.Key) bool { return m.Stars == 2 })
	d.hangUp()
	d = b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_presumed" })
	hear(d, func(m wire.State) bool { return m.Reason == "source_lost" })
	hear(d, func(m wire.Source) bool { return m.Code == "source_lost" })
	hear(d, state("idle"))
	if answer := arm(d, 6); answer != "" {
		t.Fatalf("not armed: %s", answer)
	}
	told(d, 7, "call_ended", "")
	hear(d, state("idle"))
	if arm(d, 8) == "" {
		t.Error("armed after the call")
	}
}

func TestARecordingTellsOfItsCallsItself(t *testing.T) {
	b := newBox(t, "")
	l, err := b.newLine()
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.callTold("call_ended"); err == nil || !strings.Contains(err.Error(), `source = "api"`) {
		t.Errorf("told all the same: %v", err)
	}
}
