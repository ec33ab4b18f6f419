package contact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hid is a USB headset's hook switch. It is read from the headset's own reports, because the kernel's input events (evdev) leave
// that switch out. Nothing is sent to the headset.
type hid struct {
	fd     int
	hook   bit
	report []byte
	on     bool
	known  bool
}

// mostReport is the longest report that is read whole: a switch lies near its beginning.
const mostReport = 4 << 10

func openHID(device string) (input, error) {
	path, err := hidPath(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0) // asking for a report takes the right to write
	if err != nil {
		return nil, fmt.Errorf("%w: is it plugged in, and may this user open it?", err)
	}
	h := &hid{fd: fd, report: make([]byte, mostReport)}
	if err := h.find(); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.ask()
	return h, nil
}

// find looks the hook switch up in what the headset says of its reports.
func (h *hid) find() error {
	var size int32
	err := ioctl(h.fd, unix.HIDIOCGRDESCSIZE, unsafe.Pointer(&size))
	if errors.Is(err, unix.ENOTTY) {
		return errors.New("it is no HID device: name one such as /dev/hidraw0")
	}
	d := unix.HIDRawReportDescriptor{Size: uint32(size)}
	if err == nil {
		err = ioctl(h.fd, unix.HIDIOCGRDESC, unsafe.Pointer(&d))
	}
	if err != nil {
		return err
	}
	found := false
	if h.hook, found = hookSwitch(d.Value[:min(int(d.Size), len(d.Value))]); !found {
		return errors.New("it has no hook switch: name the headset's device that has one, or use another source of calls")
	}
	return nil
}

// ask has the headset say how its switch is now. Not all can: then it isn't known before the switch moves.
func (h *hid) ask() {
	const hidGetInput = 3<<30 | 'H'<<8 | 0x0a // HIDIOCGINPUT, without its length
	h.report[0] = h.hook.report
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(h.fd), hidGetInput|uintptr(h.hook.length())<<16, uintptr(unsafe.Pointer(&h.report[0])))
	if errno != 0 {
		return
	}
	report := h.report[:min(int(n), len(h.report))]
	if h.hook.report == 0 && len(report) > 0 { // here, unlike in what is read, the number is there even where it is none
		report = report[1:]
	}
	h.take(report)
}

func (h *hid) take(report []byte) {
	if on, told := h.hook.in(report); told {
		h.on, h.known = on, true
	}
}

// high reads all reports there are.
func (h *hid) high() (on, known bool, err error) {
	for {
		n, err := unix.Read(h.fd, h.report)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return h.on, h.known, nil
		case err != nil:
			return false, false, err
		case n == 0:
			return false, false, errors.New("it says no more")
		default:
			h.take(h.report[:n])
		}
	}
}

func (h *hid) close() error { return unix.Close(h.fd) }

// hidClass is where the kernel lists HID devices.
const hidClass = "/sys/class/hidraw"

// hidPath is the path of a device that is named by itself, or by its place. Paths are numbered anew whenever something is plugged in.
func hidPath(device string) (string, error) {
	if filepath.IsAbs(device) {
		return device, nil
	}
	files, err := filepath.Glob(hidClass + "/*/device/uevent")
	if err != nil {
		return "", err
	}
	var there []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil { // gone meanwhile
			continue
		}
		place, name := hidPlace(string(text))
		if place == device {
			return filepath.Join("/dev", filepath.Base(filepath.Dir(filepath.Dir(file)))), nil
		}
		there = append(there, fmt.Sprintf("%s (%s)", place, name))
	}
	if len(there) == 0 {
		return "", errors.New("there is no HID device at all: plug the headset in")
	}
	return "", fmt.Errorf("there is no HID device at that place: there are %s", strings.Join(there, ", "))
}

// hidPlace reads what the kernel says of a device.
func hidPlace(uevent string) (place, name string) {
	for line := range strings.Lines(uevent) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "HID_PHYS":
			place = value
		case "HID_NAME":
			name = value
		}
	}
	return place, name
}
