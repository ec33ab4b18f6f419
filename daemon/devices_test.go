package daemon

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// devices is what a box says whose flattone-line finds some, or fails.
func devices(t *testing.T, found []wire.Device, script string) ([]control.Device, error) {
	t.Helper()
	h := newHouse(t)
	h.cfg.Lines[0].Sound = &config.Sound{Caller: "trunk", Agent: "headset"}
	h.cfg.Lines[1].Sound = &config.Sound{Caller: "trunk", Agent: "a client"}
	h.finds(wire.Found{Devices: found}, script)
	d := h.daemon()
	// One line runs, the other waits for a device.
	one, two := d.board.lines[d.board.order[0]], d.board.lines[d.board.order[1]]
	one.view.Up, one.view.Reason = true, ""
	two.view.Up, two.view.Reason = true, control.DeviceAbsent
	return d.backend.Devices(context.Background())
}

func TestDevicesAndTheirLines(t *testing.T) {
	got, err := devices(t, []wire.Device{
		{Name: "trunk", Card: "CODEC", Place: "p", IDs: "08bb:2912", Serial: "s", Plugging: "b/1", PCM: 1, Trouble: "t"},
		{Card: "Solo", Place: "q", Free: true, In: 1, Out: 2, Rates: []int{8000}},
	}, `read q; [ "$q $*" = '{"devices":true} --config DIR/flattone.toml --answer' ] && cat DIR/found.json`)
	want := []control.Device{
		{Name: "trunk", Card: "CODEC", Place: "p", IDs: "08bb:2912", Serial: "s", Plugging: "b/1", PCM: 1, Trouble: "t",
			Uses: []control.Use{{Line: "desk-1", Side: "caller", Plays: true}, {Line: "desk-2", Side: "caller"}}},
		{Card: "Solo", Place: "q", Free: true, In: 1, Out: 2, Rates: []int{8000}},
		{Name: "headset", Uses: []control.Use{{Line: "desk-1", Side: "agent", Plays: true}}},
		{Name: "a client", Trouble: control.DeviceAbsent, Uses: []control.Use{{Line: "desk-2", Side: "agent"}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, %v\nwant\n%+v", got, err, want)
	}
}

func TestDevicesThatCantBeLookedAt(t *testing.T) {
	for script, says := range map[string]string{
		"echo flattone-line: no PortAudio here >&2; exit 1": "the sound devices can't be looked at: ",
		"echo trunk": "is it of this version?",
	} {
		_, err := devices(t, nil, script)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", script, err)
		}
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Remedy == "" || strings.Contains(script, "PortAudio") && !strings.Contains(e.Text, "no PortAudio here") {
			t.Errorf("%s: %+v", script, e)
		}
	}
}
