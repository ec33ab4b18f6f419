package daemon

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// A test is given to the line as it was asked for, and noted with who asked and how that ended; what can't be is refused before.
func TestLegsAreTested(t *testing.T) {
	h := newHouse(t)
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	by := control.Actor{Name: "somebody", Person: "somebody"}
	answers := func(with string) <-chan wire.Message {
		asked := make(chan wire.Message, 1)
		go func() {
			m, _, err := line.Receive()
			id, _ := wire.CommandID(m)
			if err = errors.Join(err, line.Send(wire.Answer{ID: id, Error: with})); err != nil {
				t.Error(err)
			}
			asked <- m
		}()
		return asked
	}
	tone := control.Test{What: control.TestTone, Leg: control.LegAgent, Hz: 1020, DBm0: -10.5, Seconds: 5}
	asked := answers("")
	if err := d.backend.Test(t.Context(), by, "desk-1", tone); err != nil {
		t.Fatal(err)
	}
	m, _ := (<-asked).(wire.Test)
	if want := (wire.Test{ID: m.ID, What: "tone", Leg: "agent", Hz: 1020, DBm0: -10.5, Seconds: 5}); !reflect.DeepEqual(m, want) {
		t.Errorf("the line is asked for %+v", m)
	}
	asked = answers("")
	if err := d.backend.EndTest(t.Context(), by, "desk-1"); err != nil {
		t.Fatal(err)
	}
	if m, ok := (<-asked).(wire.Cancel); !ok || !m.Test || m.Reason != "" {
		t.Errorf("a test is ended by %+v", m)
	}
	asked = answers("there is a call on the line")
	loop := control.Test{What: control.TestLoopback, Leg: control.LegCaller, Seconds: 60}
	var e *control.Error
	if err := d.backend.Test(t.Context(), by, "desk-1", loop); !errors.As(err, &e) || e.Code != control.CodeWrongState || e.Text != "there is a call on the line" {
		t.Errorf("a line in a call says %v", err)
	}
	<-asked

	for says, change := range map[string]func(*control.Test){
		`"whistle" is no test`:              func(c *control.Test) { c.What = "whistle" },
		`"both" is no side`:                 func(c *control.Test) { c.Leg = "both" },
		"0 s":                               func(c *control.Test) { c.Seconds = 0 },
		"61 s":                              func(c *control.Test) { c.Seconds = 61 },
		"299 Hz is no tone of a telephone":  func(c *control.Test) { c.Hz = 299 },
		"941 Hz is within 60 Hz of a DTMF":  func(c *control.Test) { c.Hz = 941 },
		"1004 Hz is within 60 Hz of a spec": func(c *control.Test) { c.Hz = 1004 },
		"1800 Hz is within 60 Hz of a spec": func(c *control.Test) { c.Hz = 1800 },
		"0.1 dBm0 is no level":              func(c *control.Test) { c.DBm0 = 0.1 },
		"-45.5 dBm0 is no level":            func(c *control.Test) { c.DBm0 = -45.5 },
	} {
		bad := tone
		change(&bad)
		if err := d.backend.Test(t.Context(), by, "desk-1", bad); !errors.As(err, &e) || e.Code != control.CodeBadRequest || !strings.Contains(e.Text, says) || e.Remedy == "" {
			t.Errorf("%+v is answered with %v", bad, err)
		}
	}
	if err := d.backend.Test(t.Context(), by, visa, tone); !errors.As(err, &e) || e.Code != control.CodeUnknownLine {
		t.Errorf("a line that there isn't gives %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	log, err := h.daemon().audit.Recent(t.Context(), 10)
	var got []string
	for _, e := range log {
		if strings.HasPrefix(e.Action, "line.") {
			got = append(got, fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Object, e.Result))
		}
	}
	want := []string{"somebody line.loopback line desk-1 there is a call on the line", "somebody line.test_ended line desk-1 ok", "somebody line.tone line desk-1 ok"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the audit log has %q, %v", got, err)
	}
}
