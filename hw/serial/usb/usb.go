// Package usb finds the serial ports of a modem at USB by what stays of them: the device's numbers of vendor and product, and which of its interfaces
// has which port. The N of /dev/ttyUSBN is another one after each plugging, and with each other device.
//
// It promises ports of one and the same device, or an error that says what is missing and what to do; never those of one of two. It reads what the
// kernel shows under /sys, opens no port and asks nobody. What it found holds until the modem is unplugged: whoever opens a port anew asks anew.
package usb

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Layout is where devices with one of the IDs ("2c7c:0125") have ports: the numbers of interfaces.
type Layout struct {
	IDs        []string
	Interfaces []int
}

// Kernel is where the kernel shows devices and has them; empty ones are /sys and /dev.
type Kernel struct{ Sys, Dev string }

// Ports are the paths of the ports of the one device that has a layout, in the order of the layout's interfaces. It is an [fs.ErrNotExist] if there is
// no such device or not all of it yet, and any other error if there are several.
func (k Kernel) Ports(layouts []Layout) ([]string, error) {
	devices, err := k.devices()
	if err != nil {
		return nil, fmt.Errorf("serial: look for a modem at USB: %w", err)
	}
	var ports, found, all []string
	for _, at := range slices.Sorted(maps.Keys(devices)) {
		d := devices[at]
		for _, l := range layouts {
			if !slices.Contains(l.IDs, d.id) {
				continue
			}
			found = append(found, at)
			if ports, err = d.ports(l.Interfaces); err != nil {
				err = fmt.Errorf("serial: the modem %s at USB %s: %w", d.id, at, err)
			}
		}
	}
	for _, l := range layouts {
		all = append(all, l.IDs...)
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("serial: no modem at USB is one of %s: %w: plug it in, or name its ports", strings.Join(all, ", "), fs.ErrNotExist)
	case 1:
		return ports, err
	}
	return nil, fmt.Errorf("serial: there are %d modems of this make at USB (%s): name the ports of the one that is meant, by their paths under /dev/serial/by-path",
		len(found), strings.Join(found, ", "))
}

// Beside are the ports of the device that has port, if it has a layout; none else.
func (k Kernel) Beside(port string, layouts []Layout) []string {
	if real, err := filepath.EvalSymlinks(port); err == nil {
		port = real
	}
	devices, err := k.devices()
	if err != nil {
		return nil
	}
	for _, d := range devices {
		if !slices.Contains(slices.Collect(maps.Values(d.at)), port) {
			continue
		}
		for _, l := range layouts {
			if slices.Contains(l.IDs, d.id) {
				ports, _ := d.ports(l.Interfaces)
				return ports
			}
		}
	}
	return nil
}

// device is a USB device with its ports by interface.
type device struct {
	id string
	at map[int]string
}

func (d device) ports(interfaces []int) (ports []string, err error) {
	for _, i := range interfaces {
		port, there := d.at[i]
		if !there {
			return nil, fmt.Errorf("no port on its interface %d: %w: it may be in another mode (usb_modeswitch), or come up still", i, fs.ErrNotExist)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// devices are those with ports, by their places on the bus ("1-1.4").
func (k Kernel) devices() (map[string]device, error) {
	class := filepath.Join(cmp.Or(k.Sys, "/sys"), "class/tty")
	ttys, err := os.ReadDir(class)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without any port there need not be a class
		return nil, err
	}
	devices := map[string]device{}
	for _, tty := range ttys {
		of, number, ok := interfaceOf(filepath.Join(class, tty.Name(), "device"))
		if !ok {
			continue
		}
		vendor, product := word(of, "idVendor"), word(of, "idProduct")
		at := filepath.Base(of)
		d, known := devices[at]
		if !known {
			d = device{vendor + ":" + product, map[int]string{}}
			devices[at] = d
		}
		if _, taken := d.at[number]; !taken {
			d.at[number] = filepath.Join(cmp.Or(k.Dev, "/dev"), tty.Name())
		}
	}
	return devices, nil
}

// interfaceOf is the folder of the USB device that a port hangs on, and on which interface of it. Below the interface a usb-serial port has a folder of its own;
// a CDC ACM port has none.
func interfaceOf(port string) (device string, number int, ok bool) {
	folder, err := filepath.EvalSymlinks(port)
	for range 2 {
		if err != nil {
			return "", 0, false // not at USB, or just gone
		}
		if n, err := strconv.ParseUint(word(folder, "bInterfaceNumber"), 16, 8); err == nil {
			return filepath.Dir(folder), int(n), true
		}
		folder = filepath.Dir(folder)
	}
	return "", 0, false
}

// word is what a file of a folder says; nothing if there is none.
func word(folder, file string) string {
	text, _ := os.ReadFile(filepath.Join(folder, file))
	return strings.TrimSpace(string(text))
}
