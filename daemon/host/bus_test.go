package host_test

import (
	"encoding/xml"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"

	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/host/hosttest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func newBus(t *testing.T) *host.Bus {
	b := &host.Bus{}
	t.Cleanup(func() { b.Close() })
	return b
}

// peer is one more process on the bus, as far as the bus can tell.
func peer(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestInhibitors(t *testing.T) {
	hosttest.Bus(t)
	logind := hosttest.NewLogind(t, 5*time.Second)
	login := host.NewLogin(newBus(t))

	shutdown, err := login.Inhibit(t.Context(), host.Shutdown, "a card is being taken")
	if err != nil {
		t.Fatal(err)
	}
	sleep, err := login.Inhibit(t.Context(), host.Sleep, "a card is being taken")
	if err != nil {
		t.Fatal(err)
	}
	if held := logind.Held(); !slices.Equal(held, []string{"shutdown", "sleep"}) {
		t.Errorf("held is %v", held)
	}
	shutdown.Close()
	if held := logind.Held(); !slices.Equal(held, []string{"sleep"}) {
		t.Errorf("once one was let go, held is %v", held)
	}
	sleep.Close()
	if held := logind.Held(); len(held) != 0 {
		t.Errorf("once both were let go, held is %v", held)
	}
	if _, err := login.Inhibit(t.Context(), "shutdown:sleep", "both at once"); err == nil {
		t.Error("both are granted at once: the rig no longer does what logind does")
	}
	logind.Deny(true)
	if _, err := login.Inhibit(t.Context(), host.Sleep, "why"); err == nil || !strings.Contains(err.Error(), "wait with sleep: Permission denied") {
		t.Errorf("what is denied says %v", err)
	}
	logind.Away()
	if _, err := login.Inhibit(t.Context(), host.Sleep, "why"); err == nil {
		t.Error("nobody's lock is granted")
	}
}

// next is what is told next.
func next[T any](t *testing.T, from <-chan T) (told T, more bool) {
	t.Helper()
	select {
	case told, more = <-from:
		return told, more
	case <-time.After(soon):
		t.Fatal("nothing is told")
		return told, false
	}
}

func TestWatchTellsWhatLogindPrepares(t *testing.T) {
	system := hosttest.Bus(t)
	logind := hosttest.NewLogind(t, 7*time.Second)
	logind.Prepare("Sleep", true) // before anybody listens
	told, err := host.NewLogin(newBus(t)).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	is := func(want host.Preparing) {
		t.Helper()
		want.Within = 7 * time.Second
		if p, _ := next(t, told); p != want {
			t.Errorf("told is %+v, want %+v", p, want)
		}
	}
	is(host.Preparing{Sleep: true})
	logind.Prepare("Sleep", false)
	is(host.Preparing{})
	logind.Prepare("Shutdown", true)
	is(host.Preparing{Shutdown: true})
	logind.Prepare("Shutdown", false)
	is(host.Preparing{})

	system.Down()
	if p, more := next(t, told); more {
		t.Errorf("a bus that is gone tells %+v", p)
	}
}

// Anybody may send a process a signal that looks like logind's. It makes the process ask, and nothing else.
func TestForgedSignalsStopNothing(t *testing.T) {
	hosttest.Bus(t)
	hosttest.NewLogind(t, time.Second)
	bus := newBus(t)
	told, err := host.NewLogin(bus).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next(t, told)
	if err := host.NewAppliance(bus).Show(host.Facts{}); err != nil { // so that the process can be found by its name
		t.Fatal(err)
	}
	forger := peer(t)
	var victim string
	if err := forger.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, host.ApplianceName).Store(&victim); err != nil {
		t.Fatal(err)
	}
	forger.Send(&dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(victim), dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/org/freedesktop/login1")),
		dbus.FieldInterface: dbus.MakeVariant("org.freedesktop.login1.Manager"), dbus.FieldMember: dbus.MakeVariant("PrepareForShutdown"),
		dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(true)),
	}, Body: []any{true}}, nil)
	if p, _ := next(t, told); p.Shutdown || p.Sleep {
		t.Errorf("a stranger's word makes it %+v", p)
	}
}

func TestClock(t *testing.T) {
	system := hosttest.Bus(t)
	clock := host.NewClock(newBus(t))
	if _, err := clock.Synchronised(t.Context()); err == nil || !strings.Contains(err.Error(), "NTPSynchronized") {
		t.Errorf("without a timedated: %v", err)
	}
	timedated := hosttest.NewTimedated(t, true)
	if is, err := clock.Synchronised(t.Context()); err != nil || !is {
		t.Errorf("it is synchronised: %v, %v", is, err)
	}
	changed, err := clock.Changed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	timedated.Say(false, true)
	if _, more := next(t, changed); !more {
		t.Fatal("no change is told")
	}
	if is, err := clock.Synchronised(t.Context()); err != nil || is {
		t.Errorf("it isn't synchronised: %v, %v", is, err)
	}
	system.Down()
	if _, more := next(t, changed); more {
		t.Error("a bus that is gone tells of a change")
	}
	// The bus comes back, and so does the connection.
	system.Up()
	hosttest.NewTimedated(t, true)
	if is, err := clock.Synchronised(t.Context()); err != nil || !is {
		t.Errorf("on the next bus: %v, %v", is, err)
	}
}

func TestNoBusIsSaidSo(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	bus := newBus(t)
	_, watch := host.NewLogin(bus).Watch(t.Context())
	_, lock := host.NewLogin(bus).Inhibit(t.Context(), host.Sleep, "why")
	_, clock := host.NewClock(bus).Synchronised(t.Context())
	for _, err := range []error{watch, lock, clock, host.NewAppliance(bus).Show(host.Facts{})} {
		if err == nil || !strings.Contains(err.Error(), "reach the system bus") || !strings.Contains(err.Error(), "systemctl status dbus.socket") {
			t.Errorf("without a bus: %v", err)
		}
	}
}

func facts() host.Facts {
	return host.Facts{Version: "1.2.3", Started: time.UnixMicro(1_764_000_000_000_000), State: "warning", UpstreamPending: 2,
		Lines:      []host.LineFact{{Name: "desk-1", Place: "desk-side", State: "held", Reason: "starting"}},
		Conditions: []host.ConditionFact{{Code: "clock_unsynchronised", Severity: "warning", Text: "text", Remedy: "remedy"}}}
}

func TestApplianceIsReadAndSignalled(t *testing.T) {
	system := hosttest.Bus(t)
	appliance := host.NewAppliance(newBus(t))
	if err := appliance.Show(facts()); err != nil {
		t.Fatal(err)
	}
	reader := peer(t)
	object := reader.Object(host.ApplianceName, "/org/flattone/Appliance1")
	var all map[string]dbus.Variant
	if err := object.Call("org.freedesktop.DBus.Properties.GetAll", 0, host.ApplianceName).Store(&all); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Version": `"1.2.3"`, "Started": "@t 1764000000000000", "State": `"warning"`,
		"UpstreamPending": "@u 2", "Lines": `[["desk-1", "desk-side", "held", "starting"]]`,
		"Conditions": `[["clock_unsynchronised", "warning", "", "text", "remedy"]]`} {
		one, err := object.GetProperty(host.ApplianceName + "." + name)
		if got := all[name].String(); got != want || err != nil || one.String() != want {
			t.Errorf("%s is %s, alone %v (%v); want %s", name, got, one, err, want)
		}
	}
	if len(all) != 6 {
		t.Errorf("there are %d properties: %v", len(all), all)
	}
	if _, err := object.GetProperty(host.ApplianceName + ".Digits"); err == nil {
		t.Error("what there isn't can be read")
	}
	if err := object.Call("org.freedesktop.DBus.Properties.Set", 0, host.ApplianceName, "State", dbus.MakeVariant("healthy")).Err; err == nil {
		t.Error("a property was set")
	}

	signals := make(chan *dbus.Signal, 4)
	reader.Signal(signals)
	if err := reader.AddMatchSignal(dbus.WithMatchSender(host.ApplianceName)); err != nil {
		t.Fatal(err)
	}
	now := facts()
	for range 2 { // what is as it was is no news
		if err := appliance.Show(now); err != nil {
			t.Fatal(err)
		}
	}
	now.State, now.Conditions, now.Lines[0].State = "healthy", nil, "idle"
	if err := appliance.Show(now); err != nil {
		t.Fatal(err)
	}
	for {
		s, _ := next(t, signals)
		if s.Name != "org.freedesktop.DBus.Properties.PropertiesChanged" {
			continue
		}
		changed := s.Body[1].(map[string]dbus.Variant)
		if len(changed) != 3 || changed["State"].String() != `"healthy"` || changed["Conditions"].String() != "@a(sssss) []" ||
			changed["Lines"].String() != `[["desk-1", "desk-side", "idle", "starting"]]` || s.Body[0] != host.ApplianceName {
			t.Errorf("the signal says %v", s.Body)
		}
		break
	}
	// A second box is refused, and says why; once the bus is another, the object is there again.
	if err := host.NewAppliance(newBus(t)).Show(facts()); err == nil || !strings.Contains(err.Error(), "second flattoned") {
		t.Errorf("a second one: %v", err)
	}
	system.Down()
	system.Up()
	for late := time.Now().Add(soon); ; {
		err := appliance.Show(facts())
		if err == nil {
			break
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
	}
	if v, err := peer(t).Object(host.ApplianceName, "/org/flattone/Appliance1").GetProperty(host.ApplianceName + ".State"); err != nil || v.Value() != "warning" {
		t.Errorf("on the next bus the state is %v (%v)", v, err)
	}
}

// What the object says of itself is held to a file, and there is nothing in it to set, nor a method of its own.
func TestApplianceHasNothingToSet(t *testing.T) {
	hosttest.Bus(t)
	if err := host.NewAppliance(newBus(t)).Show(facts()); err != nil {
		t.Fatal(err)
	}
	var text string
	if err := peer(t).Object(host.ApplianceName, "/org/flattone/Appliance1").Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&text); err != nil {
		t.Fatal(err)
	}
	var node introspect.Node
	if err := xml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	properties := 0
	for _, i := range node.Interfaces {
		for _, p := range i.Properties {
			properties++
			if p.Access != "read" {
				t.Errorf("%s.%s has access %s", i.Name, p.Name, p.Access)
			}
		}
		for _, m := range i.Methods {
			if !slices.Contains([]string{"Introspect", "Ping", "GetMachineId", "Get", "GetAll"}, m.Name) {
				t.Errorf("%s has a method %s", i.Name, m.Name)
			}
		}
	}
	if properties != 6 {
		t.Errorf("there are %d properties", properties)
	}
	indented, err := xml.MarshalIndent(node, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := "testdata/" + host.ApplianceName + ".xml"
	if *update {
		if err := os.WriteFile(golden, append(indented, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != string(indented)+"\n" {
		t.Errorf("%v; the object says of itself\n%s", err, indented)
	}
}
