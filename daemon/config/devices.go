package config

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/flattone/flattone/daemon/private"
	"github.com/pelletier/go-toml/v2"
)

// DevicesName is the file of the adopted sound cards, beside the configuration. `flattone devices adopt` writes it, so that no person has to copy
// what a card is known by.
const DevicesName = "devices.toml"

// Devices are the adopted sound cards by the names that a [line.sound] table may use.
type Devices map[string]Device

// Device is a sound card that its owner has adopted. What is in it means something to package hw/sound/cards alone.
type Device struct {
	// Place, IDs and Serial are what the card is known by; IDs and Serial may be empty.
	Place  string `toml:"place"`
	IDs    string `toml:"ids"`
	Serial string `toml:"serial"`
	// PCM is which of the card's devices is meant.
	PCM int `toml:"pcm"`
	// Card is what it calls itself, for people.
	Card string `toml:"card"`
	// Plugging is which plugging of the card was adopted; empty for one that is built in.
	Plugging string `toml:"plugging"`
}

// DevicesFile is where the adopted devices of a configuration file are.
func DevicesFile(path string) string { return filepath.Join(filepath.Dir(path), DevicesName) }

// Devices reads the devices that have been adopted by now; none where there is no file. Any error but the system's is [Faults].
func (c *Config) Devices() (Devices, error) { return LoadDevices(DevicesFile(c.file)) }

// LoadDevices reads a file of adopted devices; one that isn't there holds none.
func LoadDevices(path string) (Devices, error) {
	abs, doc, err := read(path)
	if errors.Is(err, ErrAbsent) {
		return Devices{}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDevices(abs, doc)
}

func parseDevices(name string, doc []byte) (Devices, error) {
	root, err := document(name, doc)
	if err != nil {
		return nil, err
	}
	r := root.r
	devices, taken := Devices{}, map[Device]string{}
	j := judgement{r: r}
	names, tables := root.named("device")
	for i, t := range tables {
		name := names[i]
		var d Device
		t.device(&d)
		devices[name] = d
		j.name(j.table("device"), name, name)
		same := Device{Place: d.Place, PCM: d.PCM}
		if first := taken[same]; first != "" && d.Place != "" {
			t.fault("place", "is where "+first+" is, too", "leave one of the two out: flattone devices forget NAME")
		}
		taken[same] = name
	}
	r.unknown()
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return devices, nil
}

func (t *table) device(d *Device) {
	const again = "let flattone devices adopt write it"
	t.need("place", again)
	t.text("place", &d.Place)
	t.text("ids", &d.IDs)
	t.text("serial", &d.Serial)
	t.whole("pcm", &d.PCM, 0, 31)
	t.text("card", &d.Card)
	t.text("plugging", &d.Plugging)
	if t.values["place"] == "" {
		t.fault("place", "is empty", again)
	}
}

// Write replaces the file at path, whole or not at all. Everybody may read it.
func (d Devices) Write(path string) error {
	for name := range d {
		if flaw := nameFlaw(name); flaw != "" {
			return private.Flaw{Reason: fmt.Sprintf("%q can't be used as a name", name), Remedy: flaw}
		}
	}
	text, err := toml.Marshal(struct {
		Version int     `toml:"version"`
		Device  Devices `toml:"device"`
	}{Version, d})
	if err != nil {
		return err
	}
	const head = "# The sound cards of this box, and what they are called. flattone devices adopt writes this file.\n"
	return private.Replace(path, append([]byte(head), text...), 0o644)
}
