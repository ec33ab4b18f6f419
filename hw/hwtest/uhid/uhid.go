// Package uhid gives tests HID devices on kernels that let programs be one: a headset with a hook switch, a GPIO adapter. A program
// under test reaches them as it reaches any that is plugged in, through the kernel's own drivers.
//
// It promises that a device is gone when its test is over. Where the kernel has no /dev/uhid it skips the test: make guest runs it
// in one that has.
package uhid

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"
)

// Spec is a device to be made.
type Spec struct {
	Name string
	// Place is where it seems to be plugged in (HID_PHYS).
	Place           string
	Vendor, Product uint32
	// Descriptor says what its reports are.
	Descriptor []byte
	// Answer gives a report of a number that the kernel asks for, with the number first; nil where the device doesn't say.
	Answer func(number byte) []byte
	// Told, if not nil, is given each report that the kernel sends the device, with its number first.
	Told func(report []byte)
}

// Device is one made device.
type Device struct {
	t       testing.TB
	spec    Spec
	file    *os.File
	serving sync.WaitGroup
	gone    sync.Once
}

// The kernel's events (linux/uhid.h), and where their fields lie.
const (
	destroy        = 1
	getReport      = 9
	getReportReply = 10
	create2        = 11
	input2         = 12
	setReport      = 13
	setReportReply = 14

	eventSize = 4 + 128 + 64 + 64 + 2 + 2 + 4*4 + 4096
	eIO       = 5
	busUSB    = 3
)

// New plugs a device in.
func New(t testing.TB, spec Spec) *Device {
	t.Helper()
	file, err := os.OpenFile("/dev/uhid", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this kernel has no /dev/uhid: make guest runs the test in one that has")
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &Device{t: t, spec: spec, file: file}
	e := make([]byte, 4, eventSize)
	binary.NativeEndian.PutUint32(e, create2)
	e = append(append(append(e, padded(spec.Name, 128)...), padded(spec.Place, 64)...), make([]byte, 64)...)
	e = binary.NativeEndian.AppendUint16(e, uint16(len(spec.Descriptor)))
	e = binary.NativeEndian.AppendUint16(e, busUSB)
	for _, v := range []uint32{spec.Vendor, spec.Product, 0, 0} {
		e = binary.NativeEndian.AppendUint32(e, v)
	}
	d.write(append(e, spec.Descriptor...))
	d.serving.Go(d.serve)
	t.Cleanup(d.Unplug)
	return d
}

func padded(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

// Report has the device send a report, with its number first where it has one.
func (d *Device) Report(report ...byte) {
	d.t.Helper()
	e := binary.NativeEndian.AppendUint32(nil, input2)
	e = binary.NativeEndian.AppendUint16(e, uint16(len(report)))
	d.write(append(e, report...))
}

// Unplug pulls the device out.
func (d *Device) Unplug() {
	d.gone.Do(func() {
		d.write(binary.NativeEndian.AppendUint32(nil, destroy))
		d.file.Close()
		d.serving.Wait()
	})
}

func (d *Device) write(e []byte) {
	if _, err := d.file.Write(e); err != nil {
		d.t.Error(err)
	}
}

// serve answers what the kernel asks for.
func (d *Device) serve() {
	e := make([]byte, eventSize)
	for {
		if _, err := d.file.Read(e); err != nil {
			return
		}
		id := e[4:8]
		switch binary.NativeEndian.Uint32(e) {
		case getReport:
			var report []byte
			if d.spec.Answer != nil {
				report = d.spec.Answer(e[8])
			}
			failed := uint16(0)
			if report == nil {
				failed = eIO
			}
			a := append(binary.NativeEndian.AppendUint32(nil, getReportReply), id...)
			a = binary.NativeEndian.AppendUint16(a, failed)
			a = binary.NativeEndian.AppendUint16(a, uint16(len(report)))
			d.file.Write(append(a, report...)) // it may have been pulled out meanwhile
		case setReport:
			if size := int(binary.NativeEndian.Uint16(e[10:])); d.spec.Told != nil {
				d.spec.Told(append([]byte(nil), e[12:12+size]...))
			}
			d.file.Write(append(append(binary.NativeEndian.AppendUint32(nil, setReportReply), id...), 0, 0))
		}
	}
}
