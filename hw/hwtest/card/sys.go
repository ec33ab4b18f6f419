package card

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Sys is a folder that looks like /sys to who looks for sound cards: files, and links between them, as the kernel makes them. What is plugged in here
// has no sound; a [Card] with the same Spec.HW has.
type Sys struct {
	t testing.TB
	// Root is the folder.
	Root string
	// devices counts what was ever plugged in, as a USB bus does.
	devices int
}

// USB is a sound card for a USB port.
type USB struct {
	// Number is the kernel's of the card.
	Number int
	// Port is counted from the controller: 2, or 1.4 behind a hub.
	Port string
	// IDs are those of maker and product, such as 08bb:2912. Serial may be empty.
	IDs, Serial string
	// Product is the card's name.
	Product string
}

// controller is where the USB bus is.
const controller = "devices/pci0000:00/0000:00:14.0"

// NewSys makes one with a built-in card, number 0, with two devices, and nothing plugged in.
func NewSys(t testing.TB) *Sys {
	t.Helper()
	s := &Sys{t: t, Root: t.TempDir(), devices: 1}
	s.file("bus/pci/devices", "")
	s.file("bus/usb/devices", "")
	s.link(controller+"/subsystem", "bus/pci")
	const board = "devices/pci0000:00/0000:00:1f.3"
	s.link(board+"/subsystem", "bus/pci")
	s.file(board+"/vendor", "0x8086")
	s.file(board+"/device", "0xa348")
	s.sound(board, 0, "PCH", "D0c", "D0p", "D3p")
	return s
}

// Plug plugs a card in.
func (s *Sys) Plug(u USB) {
	s.t.Helper()
	s.devices++
	ports := strings.Split(u.Port, ".")
	device := controller + "/usb1"
	for i := range ports {
		device += "/1-" + strings.Join(ports[:i+1], ".")
	}
	maker, product, _ := strings.Cut(u.IDs, ":")
	for name, text := range map[string]string{"idVendor": maker, "idProduct": product, "devnum": strconv.Itoa(s.devices), "product": u.Product, "serial": u.Serial} {
		if text != "" {
			s.file(device+"/"+name, text)
		}
	}
	s.link(device+"/subsystem", "bus/usb")
	in := device + "/" + filepath.Base(device) + ":1.0"
	s.link(in+"/subsystem", "bus/usb")
	s.sound(in, u.Number, "Device", "D0c", "D0p")
}

// sound makes the card of a device.
func (s *Sys) sound(device string, number int, id string, pcms ...string) {
	s.t.Helper()
	card := fmt.Sprintf("card%d", number)
	folder := device + "/sound/" + card
	s.file(folder+"/id", id)
	s.file(folder+"/number", strconv.Itoa(number))
	s.link(folder+"/device", device)
	for _, pcm := range pcms {
		s.file(fmt.Sprintf("%s/pcmC%d%s/dev", folder, number, pcm), "116:24")
	}
	s.link("class/sound/"+card, folder)
}

// Pull pulls the card of a number out.
func (s *Sys) Pull(number int) {
	s.t.Helper()
	link := filepath.Join(s.Root, "class/sound", fmt.Sprintf("card%d", number))
	device, err := filepath.EvalSymlinks(filepath.Join(link, "device"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.must(os.Remove(link))
	s.must(os.RemoveAll(filepath.Dir(device)))
}

func (s *Sys) file(path, text string) {
	s.t.Helper()
	path = filepath.Join(s.Root, path)
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	s.must(os.WriteFile(path, []byte(text+"\n"), 0o644))
}

// link makes a link as the kernel does: from its own folder.
func (s *Sys) link(path, to string) {
	s.t.Helper()
	path = filepath.Join(s.Root, path)
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	relative, err := filepath.Rel(filepath.Dir(path), filepath.Join(s.Root, to))
	s.must(err)
	s.must(os.Symlink(relative, path))
}

func (s *Sys) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
