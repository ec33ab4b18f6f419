package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func someDevices() Devices {
	return Devices{
		"trunk":   {Place: "pci-0000:00:14.0-usb-1.4", IDs: "08bb:2912", Card: "USB Audio CODEC", Plugging: "2d082024/5"},
		"headset": {Place: "pci-0000:00:14.0-usb-1.3", IDs: "1235:8211", Serial: "Y\"7\\X\t\u00fc", PCM: 3},
	}
}

func TestDevicesAreReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), DevicesName)
	if got, err := LoadDevices(path); err != nil || len(got) != 0 {
		t.Errorf("no file: %v, %v", got, err)
	}
	for range 2 { // a second time over the first
		if err := someDevices().Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := LoadDevices(path)
		if err != nil || !reflect.DeepEqual(got, someDevices()) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind are %v, %v", left, err)
	}
}

func TestDevicesThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, DevicesName)
	if err := (Devices{"Trunk": {Place: "p"}}).Write(path); err == nil || !strings.Contains(err.Error(), `"Trunk" can't be used as a name; write 1 to 32`) {
		t.Errorf("a name: %v", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := someDevices().Write(path); err == nil {
		t.Error("a folder was overwritten")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind are %v, %v", left, err)
	}
	if err := someDevices().Write(filepath.Join(dir, "none", DevicesName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestBadDevices(t *testing.T) {
	golden(t, "testdata/devices/*.toml", DevicesName, func(name string, doc []byte) error {
		_, err := parseDevices(name, doc)
		return err
	})
}

func TestCheckLooksAtDevices(t *testing.T) {
	dir, path := aBox(t)
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(doc), "[line.wav]")
	write(t, path, before+"[line.sound]\ncaller = \"trunk\"\nagent = \"desk phone\"\n", 0o600)
	says := func(when string, want ...string) {
		t.Helper()
		c, err := Check(path, os.Geteuid())
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		got := strings.Join(c.Consequences(), "\n")
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: %q does not say %q", when, got, text)
			}
		}
		if n := strings.Count(got, "has been adopted"); n != len(want) {
			t.Errorf("%s: %d are not adopted: %s", when, n, got)
		}
	}
	const caller, agent = `line[0].sound.caller = "trunk": no sound card has been adopted`, `line[0].sound.agent = "desk phone": no sound card`
	says("no file", caller, agent)
	if err := someDevices().Write(filepath.Join(dir, DevicesName)); err != nil {
		t.Fatal(err)
	}
	says("one adopted", agent)
	write(t, filepath.Join(dir, DevicesName), "version = 1\n[device.trunk]\n", 0o600)
	if err := os.Remove(filepath.Join(dir, "vault.key")); err != nil {
		t.Fatal(err)
	}
	_, err = Check(path, os.Geteuid())
	for _, text := range []string{"devices.toml:2: device.trunk.place: is missing; let flattone devices adopt write it", "vault.key does not exist"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
	// A line reads them when it opens its devices, and so does nobody else.
	if c, err := Load(path); err != nil {
		t.Error(err)
	} else if _, err := c.Devices(); !errors.Is(err, ErrInvalid) {
		t.Errorf("a line reads %v", err)
	}
}
