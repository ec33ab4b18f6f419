package usb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	quectel = Layout{[]string{"2c7c:0121", "2c7c:0125"}, []int{2, 1}}
	usr     = Layout{[]string{"0baf:0303"}, []int{0}}
	huawei  = []Layout{{[]string{"12d1:1001"}, []int{2, 1}}, {[]string{"12d1:1436"}, []int{4, 3}}}
)

// sys looks like /sys to who looks for serial ports.
type sys struct {
	t    *testing.T
	root string
}

func newSys(t *testing.T) sys {
	s := sys{t, t.TempDir()}
	// What every machine has: ports that are at no USB.
	s.tty("devices/pnp0/00:04", "ttyS0")
	if err := os.MkdirAll(filepath.Join(s.root, "devices/virtual/tty/tty1"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.link("class/tty/tty1", "devices/virtual/tty/tty1")
	return s
}

func (s sys) file(name, text string) {
	s.t.Helper()
	name = filepath.Join(s.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text+"\n"), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

func (s sys) link(name, to string) {
	s.t.Helper()
	name = filepath.Join(s.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.Symlink(filepath.Join(s.root, to), name)); err != nil {
		s.t.Fatal(err)
	}
}

// tty is the port of a folder.
func (s sys) tty(folder, name string) {
	s.t.Helper()
	s.file(folder+"/tty/"+name+"/dev", "188:0")
	s.link(folder+"/tty/"+name+"/device", folder)
	s.link("class/tty/"+name, folder+"/tty/"+name)
}

// plug plugs a device in, with a port on each interface that has a name: of usb-serial, or of CDC ACM.
func (s sys) plug(at, id string, ports map[string]string) {
	s.t.Helper()
	device := "devices/pci0000:00/0000:00:14.0/usb1/" + at
	vendor, product, _ := strings.Cut(id, ":")
	s.file(device+"/idVendor", vendor)
	s.file(device+"/idProduct", product)
	for number, name := range ports {
		in := device + "/" + filepath.Base(at) + ":1." + strings.TrimPrefix(number, "0")
		s.file(in+"/bInterfaceNumber", number)
		if strings.HasPrefix(name, "ttyUSB") {
			in += "/" + name
		}
		s.tty(in, name)
	}
}

func TestPortsOfModems(t *testing.T) {
	s := newSys(t)
	s.plug("1-2", "2c7c:0125", map[string]string{"00": "ttyUSB7", "01": "ttyUSB3", "02": "ttyUSB12", "03": "ttyUSB0"})
	s.plug("1-4/1-4.1", "0baf:0303", map[string]string{"00": "ttyACM1"})
	s.plug("1-5", "12d1:1436", map[string]string{"03": "ttyUSB21", "04": "ttyUSB20", "0a": "ttyUSB22"})
	s.plug("1-6", "0403:6001", map[string]string{"00": "ttyUSB30"})
	k := Kernel{s.root, "/d"}
	for want, layouts := range map[string][]Layout{
		"/d/ttyUSB12 /d/ttyUSB3":  {quectel},
		"/d/ttyACM1":              {usr},
		"/d/ttyUSB20 /d/ttyUSB21": huawei,
		"/d/ttyUSB22":             {{[]string{"12d1:1436"}, []int{10}}},
	} {
		if got, err := k.Ports(layouts); err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
}

func TestPortsBeside(t *testing.T) {
	s := newSys(t)
	s.plug("1-2", "2c7c:0125", map[string]string{"01": "ttyUSB1", "02": "ttyUSB2", "03": "ttyUSB3"})
	s.plug("1-3", "2c7c:0125", map[string]string{"01": "ttyUSB4", "02": "ttyUSB5"})
	s.plug("1-4", "2c7c:0121", map[string]string{"02": "ttyUSB6"})
	k := Kernel{s.root, filepath.Join(s.root, "dev")}
	s.file("dev/ttyUSB3", "")
	s.link("by-path", "dev/ttyUSB3")
	for port, want := range map[string]string{
		"dev/ttyUSB3": "dev/ttyUSB2 dev/ttyUSB1", "dev/ttyUSB5": "dev/ttyUSB5 dev/ttyUSB4", "by-path": "dev/ttyUSB2 dev/ttyUSB1",
		"dev/ttyUSB6": "", "dev/ttyS0": "",
	} {
		got := strings.ReplaceAll(strings.Join(k.Beside(filepath.Join(s.root, port), []Layout{quectel}), " "), s.root+"/", "")
		if got != want {
			t.Errorf("beside %s: got %q, want %q", port, got, want)
		}
	}
	if got := k.Beside(filepath.Join(s.root, "dev/ttyUSB3"), huawei); got != nil {
		t.Errorf("got %v of another make", got)
	}
}

func TestPortsThatAreNotThere(t *testing.T) {
	s := newSys(t)
	k := Kernel{Sys: s.root}
	says := func(layouts []Layout, absent bool, parts ...string) {
		t.Helper()
		got, err := k.Ports(layouts)
		if got != nil || err == nil || errors.Is(err, fs.ErrNotExist) != absent ||
			slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(err.Error(), part) }) {
			t.Errorf("got %v, %v; want it absent %v, and %q said", got, err, absent, parts)
		}
	}
	says(huawei, true, "12d1:1001, 12d1:1436", "plug it in")
	s.plug("1-2", "12d1:1001", map[string]string{"00": "ttyUSB0", "01": "ttyUSB1"})
	says(huawei, true, "USB 1-2", "interface 2", "another mode")
	s.plug("1-3", "12d1:1436", map[string]string{"03": "ttyUSB2", "04": "ttyUSB3"})
	says(huawei, false, "2 modems", "1-2, 1-3", "/dev/serial/by-path")

	k.Sys = filepath.Join(s.root, "none")
	says(huawei, true, "plug it in")
}

// The machine that the test runs on is one, too.
func TestThisMachine(t *testing.T) {
	if _, err := (Kernel{}).devices(); err != nil {
		t.Error(err)
	}
}
