package line

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/serial"
	"github.com/flattone/flattone/hw/serial/usb"
)

// ours are the profiles that flattone comes with.
func ours(t *testing.T) map[string]config.ModemProfile {
	t.Helper()
	profiles, err := config.ModemProfiles(filepath.Join(t.TempDir(), "flattone.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return profiles
}

// A modem that has its answers from one make is of that make, and has its ports where the bus says so.
func TestProbed(t *testing.T) {
	sys := t.TempDir()
	for _, n := range []string{"1", "2"} { // a Quectel with two ports
		in := filepath.Join(sys, "devices/usb1/1-2/1-2:1."+n)
		file(t, filepath.Join(sys, "devices/usb1/1-2/idVendor"), "2c7c")
		file(t, filepath.Join(sys, "devices/usb1/1-2/idProduct"), "0125")
		file(t, filepath.Join(in, "bInterfaceNumber"), "0"+n)
		tty := filepath.Join(sys, "class/tty/ttyUSB"+n)
		if err := os.MkdirAll(tty, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(in, filepath.Join(tty, "device")); err != nil {
			t.Fatal(err)
		}
	}
	said := func(ask string, lines ...string) serial.Answer {
		return serial.Answer{Ask: ask, Lines: lines, OK: true}
	}
	ati := said("ATI", "ACME", "Rocket")
	for name, test := range map[string]struct {
		answers []serial.Answer
		port    string
		fits    []wire.ModemFit
	}{
		"a module at USB": {[]serial.Answer{ati, said("AT+QPCMV=?", "+QPCMV: (0,1),(0-2)")}, "/dev/ttyUSB2",
			[]wire.ModemFit{{Profile: "quectel-ec25", Make: "Quectel EC2x, EG9x, EG25", Port: "/dev/ttyUSB2", SoundPort: "/dev/ttyUSB1", NeedsSoundPort: true}}},
		"a module elsewhere": {[]serial.Answer{ati, said("AT+QPCMV=?", "+QPCMV: (0,1),(0-2)")}, "/dev/ttyS0",
			[]wire.ModemFit{{Profile: "quectel-ec25", Make: "Quectel EC2x, EG9x, EG25", Port: "/dev/ttyS0", NeedsSoundPort: true}}},
		"a voice modem": {[]serial.Answer{ati, said("AT+FCLASS=?", "0,1,1.0,8")}, "/dev/ttyACM0",
			[]wire.ModemFit{{Profile: "v253", Make: "V.253 voice modem", Port: "/dev/ttyACM0"}}},
		"the voice modem that is more": {[]serial.Answer{ati, said("AT+FCLASS=?", "0,1,1.0,8"), said("ATI3", "U.S. Robotics 56K FAX")}, "/dev/ttyACM0",
			[]wire.ModemFit{{Profile: "v253-usr5637", Make: "USRobotics USR5637", Port: "/dev/ttyACM0"}}},
		"one that refuses":   {[]serial.Answer{ati, {Ask: "AT+QPCMV=?", Lines: []string{"+QPCMV"}}}, "/dev/ttyUSB2", nil},
		"one without voice":  {[]serial.Answer{ati, said("AT+FCLASS=?", "0,1")}, "/dev/ttyACM0", nil},
		"one that is silent": {[]serial.Answer{{Ask: "ATI"}}, "/dev/ttyACM0", nil},
	} {
		m := probed(test.answers, ours(t), test.port, usb.Kernel{Sys: sys})
		if !reflect.DeepEqual(m.Fits, test.fits) || len(m.Answers) != len(test.answers) || (m.Draft == "") != (test.fits != nil) {
			t.Errorf("%s: got %+v", name, m)
		}
	}
}

// Each question is asked once, and those of every profile are.
func TestQuestions(t *testing.T) {
	asks := questions(ours(t))
	for _, want := range []string{"ATI", "AT+CGMM", "AT+GMM", "AT+FCLASS=?", "AT+VSM=?", "AT+VLS=?", "AT+QPCMV=?", "AT+CPCMREG=?", "AT^CVOICE?", "ATI3"} {
		if !slices.Contains(asks, want) {
			t.Errorf("nobody asks %s", want)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(asks))); len(unique) != len(asks) {
		t.Errorf("asked twice: %v", asks)
	}
}

func file(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
