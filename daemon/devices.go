package daemon

import (
	"context"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// askYourself is what to do if a line's program finds nothing out.
const askYourself = "see what flattone-line --answer says to such a question, as the user that lines run as"

// Devices asks a line's program which sound devices there are, and adds which lines use them: flattoned itself touches none.
func (b *backend) Devices(ctx context.Context) ([]control.Device, error) {
	found, err := b.d.lines.Ask(ctx, wire.Question{Devices: true})
	if err != nil {
		return nil, &control.Error{Code: control.CodeInternal, Text: "the sound devices can't be looked at: " + err.Error(), Remedy: askYourself}
	}
	list := make([]control.Device, 0, len(found.Devices))
	for _, d := range found.Devices {
		list = append(list, control.Device{Name: d.Name, Card: d.Card, Place: d.Place, IDs: d.IDs, Serial: d.Serial, PCM: d.PCM, Plugging: d.Plugging,
			Free: d.Free, In: d.In, Out: d.Out, Rates: d.Rates, Trouble: d.Trouble})
	}
	return b.uses(list), nil
}

// uses adds the lines of each device, and the devices that only lines know of.
func (b *backend) uses(list []control.Device) []control.Device {
	lined := b.d.lined.Load()
	for _, view := range b.d.board.views() {
		l, _ := lined.Line(view.Name)
		sound := l.Sound
		if sound == nil {
			continue
		}
		for _, side := range []struct{ name, device string }{{"caller", sound.Caller}, {"agent", sound.Agent}} {
			if side.device == "" { // a modem
				continue
			}
			at := slices.IndexFunc(list, func(d control.Device) bool { return d.Name == side.device })
			use := control.Use{Line: view.Name, Side: side.name, Plays: view.Up && !strings.HasPrefix(view.Reason, "device_")}
			if at < 0 {
				at = len(list)
				list = append(list, control.Device{Name: side.device})
				if !use.Plays { // else it isn't listed because the line has it
					list[at].Trouble = control.DeviceAbsent
				}
			}
			list[at].Uses = append(list[at].Uses, use)
		}
	}
	return list
}
