package cards_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound/cards"
)

const (
	left  = "pci-0000:00:14.0-usb-1.4"
	right = "pci-0000:00:14.0-usb-1.3"
)

// codec is a card without a serial number: a twin of any other.
func codec(number int, port string) card.USB {
	return card.USB{Number: number, Port: port, IDs: "08bb:2912", Product: "USB Audio CODEC"}
}

func numbered(number int, port, serial string) card.USB {
	return card.USB{Number: number, Port: port, IDs: "1235:8211", Serial: serial, Product: "Scarlett Solo USB"}
}

func list(t *testing.T, s *card.Sys) []cards.Card {
	t.Helper()
	all, err := cards.Kernel{Sys: s.Root}.List()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestList(t *testing.T) {
	s := card.NewSys(t)
	s.Plug(numbered(2, "3", "Y7X"))
	s.Plug(codec(10, "1.4"))
	got := list(t, s)
	boot, _, _ := strings.Cut(got[1].Plugging, "/")
	if len(boot) != 36 {
		t.Errorf("a plugging is %q", got[1].Plugging)
	}
	want := []cards.Card{
		{Identity: cards.Identity{Place: "pci-0000:00:1f.3", IDs: "8086:a348"}, Number: 0, Name: "PCH", PCMs: []int{0, 3}},
		{Identity: cards.Identity{Place: "pci-0000:00:14.0-usb-3", IDs: "1235:8211", Serial: "Y7X"}, Number: 2, Name: "Scarlett Solo USB", Plugging: boot + "/2", PCMs: []int{0}},
		{Identity: cards.Identity{Place: left, IDs: "08bb:2912"}, Number: 10, Name: "USB Audio CODEC", Plugging: boot + "/3", PCMs: []int{0}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	s.Pull(10)
	s.Plug(codec(1, "1.4"))
	if again := list(t, s)[1]; again.Identity != want[2].Identity || again.Number != 1 || again.Plugging != boot+"/4" {
		t.Errorf("plugged in again it is %+v", again)
	}
}

// A place is the controller and the ports from there, or the bus and the device on it, wherever in the kernel's tree that is.
func TestPlaces(t *testing.T) {
	for device, want := range map[string]struct{ bus, ids, place, found string }{
		"pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0":                        {"pci", "08bb", "pci-0000:00:14.0-usb-2", "08bb:"},
		"pci0000:00/0000:00:1c.0/0000:03:00.0/usb4/4-1/4-1.4/4-1.4.2/x":   {"pci", "08bb", "pci-0000:03:00.0-usb-1.4.2", "08bb:"},
		"platform/soc/fe980000.usb/usb3/3-1/3-1:1.1":                      {"platform", "08bb", "platform-fe980000.usb-usb-1", "08bb:"},
		"platform/soc/soc:sound":                                          {"platform", "", "platform-soc:sound", ""},
		"platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0": {"pci", "", "pci-0000:01:00.0", ""},
	} {
		root := t.TempDir()
		folder := filepath.Join(root, "devices", device)
		card := filepath.Join(folder, "sound/card1")
		spot := folder
		if before, _, usb := strings.Cut(folder, "/usb"); usb {
			spot = before
		}
		err := errors.Join(os.MkdirAll(card, 0o755), os.WriteFile(card+"/id", []byte("CODEC\n"), 0o600), os.Symlink("../..", card+"/device"),
			os.Symlink("/anywhere/bus/"+want.bus, spot+"/subsystem"), os.MkdirAll(root+"/class/sound", 0o755),
			os.Symlink(card, root+"/class/sound/card1"))
		if want.ids != "" {
			err = errors.Join(err, os.WriteFile(filepath.Dir(folder)+"/idVendor", []byte(want.ids+"\n"), 0o600),
				os.WriteFile(filepath.Dir(folder)+"/devnum", []byte("7\n"), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := cards.Kernel{Sys: root}.List()
		if err != nil || len(got) != 1 || got[0].Place != want.place || got[0].IDs != want.found || got[0].Name != "CODEC" {
			t.Errorf("%s: %+v, %v", device, got, err)
		}
	}
}

func TestNoSoundAtAll(t *testing.T) {
	if all, err := (cards.Kernel{Sys: t.TempDir()}).List(); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// A card that is being pulled out leaves half a folder behind for a moment.
func TestAHalfCardIsNone(t *testing.T) {
	for _, missing := range []string{"/class/sound/card1/id", "/class/sound/card1/device", "/class/sound/card1/device/../devnum"} {
		s := card.NewSys(t)
		s.Plug(codec(1, "1.4"))
		if err := os.Remove(s.Root + missing); err != nil {
			t.Fatal(err)
		}
		if all := list(t, s); len(all) != 1 {
			t.Errorf("without %s: %+v", missing, all)
		}
	}
}

func TestFind(t *testing.T) {
	known := cards.Known{
		"trunk":   {Identity: cards.Identity{Place: left, IDs: "08bb:2912"}},
		"headset": {Identity: cards.Identity{Place: right, IDs: "08bb:2912"}},
		"desk":    {Identity: cards.Identity{Place: "pci-0000:00:14.0-usb-3", IDs: "1235:8211", Serial: "Y7X"}},
		"lacking": {Identity: cards.Identity{Place: "pci-0000:00:1f.3", IDs: "8086:a348"}, PCM: 2},
		"board":   {Identity: cards.Identity{Place: "pci-0000:00:1f.3", IDs: "8086:a348"}, PCM: 3},
	}
	for name, c := range map[string]struct {
		plugged []card.USB
		find    string
		number  int
		err     error
		says    []string
	}{
		"in its place":                {[]card.USB{codec(4, "1.4")}, "trunk", 4, nil, nil},
		"built in":                    {nil, "board", 0, nil, nil},
		"without its device":          {nil, "lacking", 0, cards.ErrAbsent, []string{"has no device 2"}},
		"among its like":              {[]card.USB{codec(1, "1.3"), codec(2, "1.4"), codec(3, "2")}, "trunk", 2, nil, nil},
		"nowhere":                     {nil, "trunk", 0, cards.ErrAbsent, []string{"trunk (08bb:2912) is not plugged in", "plug it into " + left}},
		"its twin has a name":         {[]card.USB{codec(1, "1.3")}, "trunk", 0, cards.ErrAbsent, nil},
		"in another port":             {[]card.USB{codec(1, "2")}, "trunk", 0, cards.ErrMoved, []string{"adopted in " + left, "is in pci-0000:00:14.0-usb-2:", "adopt trunk anew"}},
		"in another port by its name": {[]card.USB{numbered(1, "2", "Y7X")}, "desk", 0, cards.ErrMoved, []string{`1235:8211 with serial number "Y7X"`}},
		"another kind":                {[]card.USB{numbered(1, "1.4", "Y7X")}, "trunk", 0, cards.ErrReplaced, []string{"in " + left, "another card", "08bb:2912", `"Y7X"`}},
		"another of its kind":         {[]card.USB{numbered(1, "3", "Y8Z")}, "desk", 0, cards.ErrReplaced, []string{`"Y8Z"`}},
		"moved, and replaced":         {[]card.USB{codec(1, "2"), numbered(2, "1.4", "Y8Z")}, "trunk", 0, cards.ErrMoved, nil},
	} {
		s := card.NewSys(t)
		for _, u := range c.plugged {
			s.Plug(u)
		}
		got, err := known.Find(c.find, list(t, s))
		if !errors.Is(err, c.err) || err == nil && got.Number != c.number {
			t.Errorf("%s: card %d, %v", name, got.Number, err)
		}
		for _, says := range c.says {
			if err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", name, err, says)
			}
		}
	}
	if got := known.Name(known["board"].Identity, 3); got != "board" {
		t.Errorf("the board's device is %q", got)
	}
	if got := known.Name(known["board"].Identity, 0); got != "" {
		t.Errorf("the board's other device is %q", got)
	}
}
