package line

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
)

// soundDevices are those there are and those that were adopted beside the config file. Each device that is free is opened for a moment, as PortAudio
// does to look at it.
func soundDevices(file string) ([]wire.Device, error) {
	adopted, err := config.LoadDevices(config.DevicesFile(file))
	if err != nil {
		return nil, err
	}
	var notes cards.Notes
	switch cfg, err := config.Load(file); {
	case err == nil:
		notes = cards.Notes(locks(cfg.RuntimeDir))
	case !errors.Is(err, config.ErrAbsent): // without a config no line has ever opened a device
		return nil, err
	}
	plugged, err := cards.Kernel{}.List()
	if err != nil {
		return nil, err
	}
	listed, err := sound.Devices()
	if err != nil {
		return nil, err
	}
	return devices(adopted, notes, plugged, listed), nil
}

// devices are the kernel's cards, then the adopted ones that aren't there, then what else PortAudio has.
func devices(adopted config.Devices, notes cards.Notes, plugged []cards.Card, listed []sound.Device) []wire.Device {
	known := knownCards(adopted)
	list := []wire.Device{}
	for _, c := range plugged {
		for _, pcm := range c.PCMs {
			d := wire.Device{Name: known.Name(c.Identity, pcm), Card: c.Name, Place: c.Place, IDs: c.IDs, Serial: c.Serial, Plugging: c.Plugging, PCM: pcm}
			for _, l := range listed {
				if strings.HasSuffix(l.Name, c.Ending(pcm)) {
					d.Free, d.In, d.Out, d.Rates = true, l.In, l.Out, l.Rates
				}
			}
			if d.Name != "" {
				_, err := notes.Judge(known, d.Name, c, plugged)
				d.Trouble = cards.Reason(err)
			}
			list = append(list, d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, err := known.Find(name, plugged); err != nil {
			a := adopted[name]
			list = append(list, wire.Device{Name: name, Card: a.Card, Place: a.Place, IDs: a.IDs, Serial: a.Serial, PCM: a.PCM, Trouble: cards.Reason(err)})
		}
	}
	for _, l := range listed {
		if !strings.Contains(l.Name, " (hw:") {
			list = append(list, wire.Device{Name: l.Name, Free: true, In: l.In, Out: l.Out, Rates: l.Rates})
		}
	}
	return list
}
