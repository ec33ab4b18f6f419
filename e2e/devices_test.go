package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// desk is a box with a line between two USB cards, which people plug in and out.
type desk struct {
	*rig
	t    *testing.T
	sys  *card.Sys
	made map[string]*card.Card
	ids  map[string]string
}

// Ports, and what they are called.
const (
	one, two, three = "1.1", "1.2", "3"
	controller      = "pci-0000:00:14.0-usb-"
)

// newDesk has the cards A and B, plugged into one and two. The box sees the cards of a machine of its own: its /sys is ours.
func newDesk(t *testing.T, idsA, idsB string) *desk {
	d := &desk{t: t, sys: card.NewSys(t), made: map[string]*card.Card{}, ids: map[string]string{"A": idsA, "B": idsB}}
	made := card.New(t, card.Spec{Name: "A", HW: "1,0", Rate: 8000}, card.Spec{Name: "B", HW: "2,0", Rate: 8000})
	d.made["A"], d.made["B"] = made[0], made[1]
	d.plug("A", 1, one)
	d.plug("B", 2, two)
	d.rig = newRig(t, box.Config{
		Lines: []box.Line{{Name: "one", Sound: "caller = \"trunk\"\nagent = \"headset\""}},
		Wrap:  []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `mount --bind "$0" /sys && exec "$@"`, d.sys.Root},
	})
	d.start(t)
	return d
}

func (d *desk) plug(name string, number int, port string) {
	d.sys.Plug(card.USB{Number: number, Port: port, IDs: d.ids[name], Product: "Codec " + name})
	d.made[name].Number(fmt.Sprintf("%d,0", number))
	d.made[name].Plug()
}

func (d *desk) pull(name string, number int) {
	d.made[name].Unplug()
	d.sys.Pull(number)
}

// tool runs a verb that is to end in a way.
func (d *desk) tool(ok bool, args ...string) string {
	d.t.Helper()
	out, err := d.Tool(d.t.Context(), args...).CombinedOutput()
	if (err == nil) != ok {
		d.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	if slices.Contains(args, "--json") {
		return string(out)
	}
	return strings.Join(strings.Fields(string(out)), " ") // however it is wrapped
}

func (d *desk) adopt(name, port string, flags ...string) {
	d.t.Helper()
	d.tool(true, append([]string{"devices", "adopt", name, controller + port, "--config", d.Config()}, flags...)...)
}

// waits waits until the line says why it waits.
func (d *desk) waits(seen int, reason string) {
	d.t.Helper()
	d.waitFrom(d.t, seen, reason, func(e control.Event) bool {
		return e.Line == "one" && e.State == control.StateHeld && e.Reason == reason
	})
}

// runs waits until the line runs.
func (d *desk) runs(seen int) {
	d.t.Helper()
	d.waitFrom(d.t, seen, "the line", func(e control.Event) bool { return e.Line == "one" && e.Code == control.CallPresumed })
}

// devices are the box's, by their names; those without by their places.
func (d *desk) devices() map[string]control.Device {
	d.t.Helper()
	var list []control.Device
	if err := json.Unmarshal([]byte(d.tool(true, "devices", "--json")), &list); err != nil {
		d.t.Fatal(err)
	}
	all := map[string]control.Device{}
	for _, v := range list {
		if v.Name == "" {
			v.Name = v.Place
		}
		all[v.Name] = v
	}
	return all
}

// TestDevicesAreAdopted is what an installer does: he names two devices in the config, sees which cards there are, gives the names to two of them, and the line
// runs. It finds them again whatever the kernel's numbers are, and takes none that is elsewhere or other.
func TestDevicesAreAdopted(t *testing.T) {
	d := newDesk(t, "08bb:2912", "0d8c:0014")
	d.waits(0, control.DeviceAbsent)
	says(t, d.tool(false, "arm", "one"), "it waits for its sound device: flattone devices says which")
	says(t, d.tool(true, "lines"), "one held: the agent can't hear the caller", "device_absent: the device is not there")
	says(t, d.tool(true, "devices"), "Codec A", controller+one+": not adopted yet", "trunk", "give the name to a card: flattone devices adopt trunk PLACE")
	found := d.devices()
	want := control.Device{Name: controller + one, Card: "Codec A", Place: controller + one, IDs: "08bb:2912", Free: true, In: 1, Out: 1, Rates: []int{8000}}
	got := found[controller+one]
	got.Plugging = ""
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}

	seen := d.heardSoFar()
	d.adopt("trunk", one)
	d.adopt("headset", two)
	d.runs(seen)
	for name, side := range map[string]string{"trunk": "caller", "headset": "agent"} {
		v := d.devices()[name]
		if v.Free || v.Trouble != "" || !slices.Equal(v.Uses, []control.Use{{Line: "one", Side: side, Plays: true}}) {
			t.Errorf("%s is %+v", name, v)
		}
	}
	says(t, d.tool(true, "devices"), controller+one+": in use by line one")

	t.Log("plugged in again, both get other numbers")
	seen = d.heardSoFar()
	d.pull("A", 1)
	d.pull("B", 2)
	d.waits(seen, control.DeviceAbsent)
	d.plug("B", 1, two)
	d.plug("A", 2, one)
	began := time.Now()
	d.runs(seen)
	t.Logf("back after %v", time.Since(began).Round(time.Millisecond))

	t.Log("one comes back on another port, and then another card in its place")
	seen = d.heardSoFar()
	d.pull("A", 2)
	d.waits(seen, control.DeviceAbsent)
	d.plug("A", 2, three)
	d.waits(seen, control.DeviceMoved)
	if v := d.devices()["trunk"]; v.Trouble != control.DeviceMoved || v.Place != controller+one {
		t.Errorf("trunk is %+v", v)
	}
	d.sys.Plug(card.USB{Number: 5, Port: one, IDs: "1235:8211", Product: "another"})
	d.pull("A", 2)
	d.waits(seen, control.DeviceReplaced)
	says(t, d.tool(false, "devices", "adopt", "trunk", controller+one, "--config", d.Config()), "trunk is Codec A (08bb:2912)", "--replace")
	d.sys.Pull(5)
	d.plug("A", 2, three)
	d.adopt("trunk", three, "--replace")
	d.runs(seen)
}

// TestTwinsAreSwapped: two cards that are alike change places while the machine runs. Nobody hears anybody until somebody says which is which.
func TestTwinsAreSwapped(t *testing.T) {
	d := newDesk(t, "08bb:2912", "08bb:2912")
	d.waits(0, control.DeviceAbsent)
	d.adopt("trunk", one)
	d.adopt("headset", two)
	d.runs(0)
	seen := d.heardSoFar()
	d.pull("A", 1)
	d.pull("B", 2)
	d.waits(seen, control.DeviceAbsent)
	heard := len(d.made["A"].Heard(1)) + len(d.made["B"].Heard(1))
	d.plug("A", 3, two)
	d.plug("B", 4, one)
	d.waits(seen, control.DeviceSwapped)
	for _, name := range []string{"trunk", "headset"} {
		if v := d.devices()[name]; v.Trouble != control.DeviceSwapped {
			t.Errorf("%s is %+v", name, v)
		}
	}
	says(t, d.tool(true, "devices"), "may have been swapped with one like it", "flattone devices adopt trunk")
	says(t, d.tool(true, "lines"), "one held: the agent can't hear the caller", "device_swapped: the device was plugged in anew, and may have been swapped")
	d.adopt("trunk", one)
	if v := d.devices()["headset"]; v.Trouble != control.DeviceSwapped {
		t.Errorf("the one that nobody has looked at is %+v", v)
	}
	if now := len(d.made["A"].Heard(1)) + len(d.made["B"].Heard(1)); now != heard {
		t.Errorf("%d frames were played meanwhile", now-heard)
	}
	d.adopt("headset", two)
	d.runs(seen)
}
