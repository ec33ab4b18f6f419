package host

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"
)

// ApplianceName is the name, and the interface, under which the box is on the bus; its object is at appliancePath.
const (
	ApplianceName = "org.flattone.Appliance1"
	appliancePath = "/org/flattone/Appliance1"
	properties    = "org.freedesktop.DBus.Properties"
)

// Facts are what anybody on the machine may know of the box: codes and names, no digit, no token, nothing of who calls.
type Facts struct {
	Version string
	Started time.Time
	// State is healthy, or the severity of the gravest condition.
	State           string
	UpstreamPending int
	Lines           []LineFact
	Conditions      []ConditionFact
}

// LineFact is a line.
type LineFact struct{ Name, Place, State, Reason string }

// ConditionFact is something that ails the box, or the line named.
type ConditionFact struct{ Code, Severity, Line, Text, Remedy string }

// values are the properties. What isn't in a change signal never changes.
func (f Facts) values() map[string]any {
	return map[string]any{
		"Version": f.Version, "Started": uint64(f.Started.UnixMicro()), "State": f.State,
		"UpstreamPending": uint32(f.UpstreamPending), "Lines": slices.Clone(f.Lines), "Conditions": slices.Clone(f.Conditions),
	}
}

// Appliance is the box's object on the bus, for desktops and monitoring that speak D-Bus: properties to read, changes of which are signalled, and nothing that
// could be set or done.
type Appliance struct {
	bus *Bus

	mu     sync.Mutex
	conn   *dbus.Conn // where the object is
	values map[string]any
}

// NewAppliance puts no object on the bus yet: the first Show does.
func NewAppliance(bus *Bus) *Appliance { return &Appliance{bus: bus} }

// Show brings the object up to date, and on the bus if it isn't there.
func (a *Appliance) Show(f Facts) error {
	conn, err := a.bus.connect()
	if err != nil {
		return err
	}
	now := f.values()
	a.mu.Lock()
	changed, there := map[string]dbus.Variant{}, a.conn == conn
	for name, value := range now {
		if !reflect.DeepEqual(value, a.values[name]) {
			changed[name] = dbus.MakeVariant(value)
		}
	}
	a.values = now
	a.mu.Unlock()
	switch {
	case !there:
		if err := a.export(conn); err != nil {
			return fmt.Errorf("put %s on the system bus: %w", ApplianceName, err)
		}
		a.mu.Lock()
		a.conn = conn
		a.mu.Unlock()
	case len(changed) > 0:
		return conn.Emit(appliancePath, properties+".PropertiesChanged", ApplianceName, changed, []string{})
	}
	return nil
}

// export makes the object, and then takes the name, so that there is never one without the other.
func (a *Appliance) export(conn *dbus.Conn) error {
	if err := conn.Export(applianceProperties{a}, appliancePath, properties); err != nil {
		return err
	}
	if err := conn.Export(introspect.NewIntrospectable(applianceNode()), appliancePath, "org.freedesktop.DBus.Introspectable"); err != nil {
		return err
	}
	switch reply, err := conn.RequestName(ApplianceName, dbus.NameFlagDoNotQueue); {
	case err != nil:
		return fmt.Errorf("%w; the bus policy that lets flattoned have the name comes with the package: install flattone again", err)
	case reply != dbus.RequestNameReplyPrimaryOwner && reply != dbus.RequestNameReplyAlreadyOwner:
		return fmt.Errorf("another process has that name; is there a second flattoned?")
	}
	return nil
}

// applianceProperties answers who asks. There is no Set.
type applianceProperties struct{ a *Appliance }

var (
	errInterface = dbus.NewError("org.freedesktop.DBus.Error.UnknownInterface", []any{"the only interface with properties is " + ApplianceName})
	errProperty  = dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"there is no such property"})
)

func (p applianceProperties) Get(iface, name string) (dbus.Variant, *dbus.Error) {
	all, err := p.GetAll(iface)
	if err != nil {
		return dbus.Variant{}, err
	}
	if value, known := all[name]; known {
		return value, nil
	}
	return dbus.Variant{}, errProperty
}

func (p applianceProperties) GetAll(iface string) (map[string]dbus.Variant, *dbus.Error) {
	if iface != ApplianceName {
		return nil, errInterface
	}
	p.a.mu.Lock()
	defer p.a.mu.Unlock()
	all := map[string]dbus.Variant{}
	for name, value := range p.a.values {
		all[name] = dbus.MakeVariant(value)
	}
	return all, nil
}

// applianceNode is what the object says of itself.
func applianceNode() *introspect.Node {
	own := introspect.Interface{Name: ApplianceName}
	constant := map[string]bool{"Version": true, "Started": true}
	for name, value := range (Facts{}).values() {
		emits := "true"
		if constant[name] {
			emits = "const"
		}
		own.Properties = append(own.Properties, introspect.Property{Name: name, Type: dbus.SignatureOf(value).String(), Access: "read",
			Annotations: []introspect.Annotation{{Name: "org.freedesktop.DBus.Property.EmitsChangedSignal", Value: emits}}})
	}
	slices.SortFunc(own.Properties, func(a, b introspect.Property) int {
		return strings.Compare(a.Name, b.Name)
	})
	arg := func(name, kind, direction string) introspect.Arg {
		return introspect.Arg{Name: name, Type: kind, Direction: direction}
	}
	return &introspect.Node{Name: appliancePath, Interfaces: []introspect.Interface{
		introspect.IntrospectData,
		{Name: properties,
			Methods: []introspect.Method{
				{Name: "Get", Args: []introspect.Arg{arg("interface", "s", "in"), arg("property", "s", "in"), arg("value", "v", "out")}},
				{Name: "GetAll", Args: []introspect.Arg{arg("interface", "s", "in"), arg("properties", "a{sv}", "out")}},
			},
			Signals: []introspect.Signal{{Name: "PropertiesChanged", Args: []introspect.Arg{
				arg("interface", "s", ""), arg("changed", "a{sv}", ""), arg("invalidated", "as", "")}}}},
		own,
	}}
}
