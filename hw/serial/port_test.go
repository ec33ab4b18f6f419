package serial

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/pty"
)

// tty is a device at a port of the kernel's, and the port opened.
func tty(t *testing.T) (device *pty.Port, c conn) {
	t.Helper()
	device, err := pty.OpenPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { device.Close() })
	c, err = dial(device.Path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	return device, c
}

// TestConn holds the library and the kernel to what conn says of them, which all the rest is made for.
func TestConn(t *testing.T) {
	device, c := tty(t)
	b := make([]byte, 8)
	began := time.Now()
	if n, err := c.Read(b); n != 0 || err != io.EOF || time.Since(began) < goneTime {
		t.Errorf("nothing came: %d, %v after %v", n, err, time.Since(began))
	}
	if _, err := device.Write([]byte("RING\r\x00\x11\xff")); err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(c, b); err != nil || string(b) != "RING\r\x00\x11\xff" {
		t.Errorf("%d bytes came, %q: %v", n, b[:n], err)
	}
	device.Close()
	began = time.Now()
	for range 3 {
		if n, err := c.Read(b); n != 0 || err != io.EOF {
			t.Errorf("the device is gone for long: %d, %v", n, err)
		}
	}
	if took := time.Since(began); took >= goneTime {
		t.Errorf("the device is gone, and to read it takes %v", took)
	}
	if _, err := c.Write(b); !errors.Is(err, syscall.EIO) {
		t.Errorf("the device is gone: write: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestConnIsPulled: the Read that waits may have ended just before, and then another hears of it, or none.
func TestConnIsPulled(t *testing.T) {
	device, c := tty(t)
	defer c.Close()
	failed := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		failed <- err
	}()
	time.Sleep(readTime / 4)
	device.Close()
	if err := <-failed; !errors.Is(err, syscall.EIO) && err != io.EOF {
		t.Errorf("the device went: %v", err)
	}
}

func TestCloseWaitsForRead(t *testing.T) {
	_, c := tty(t)
	read := make(chan struct{})
	go func() {
		c.Read(make([]byte, 1))
		close(read)
	}()
	time.Sleep(readTime / 4)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-read:
	case <-time.After(time.Second):
		t.Error("the port is closed, and is still being read")
	}
}

func TestAVanishedPortIsLost(t *testing.T) {
	device, c := tty(t)
	p := newPort("modem", c)
	b := make([]byte, 8)
	if n, err := p.read(b); n != 0 || err != nil {
		t.Errorf("nothing came: %d, %v", n, err)
	}
	device.Close()
	for range 3 { // the first is the kernel's EIO, the others would be time-outs
		if _, err := p.read(b); !errors.Is(err, hw.ErrLost) || !strings.Contains(err.Error(), "modem") {
			t.Errorf("the device is gone: %v", err)
		}
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

func TestAVanishedPortIsLostToWhoWrites(t *testing.T) {
	device, c := tty(t)
	p := newPort("modem", c)
	device.Close()
	p.send([]byte("AT\r"))
	<-p.done
	if _, err := p.read(make([]byte, 8)); !errors.Is(err, hw.ErrLost) {
		t.Errorf("the device is gone: %v", err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsSentArrivesWholeAndInOrder(t *testing.T) {
	device, c := tty(t)
	p := newPort("modem", c)
	defer p.close()
	var sent bytes.Buffer
	got := make([]byte, 0, 1<<16)
	for i := 0; sent.Len() < 1<<15; i++ {
		b := bytes.Repeat([]byte{byte(i), 0x10, '\n'}, 1+i%97)
		if !p.send(b) {
			t.Fatal("refused, with a device that takes everything")
		}
		sent.Write(b)
		for len(got) < sent.Len() {
			n, err := device.Read(got[len(got):cap(got)])
			if err != nil {
				t.Fatal(err)
			}
			got = got[:len(got)+n]
		}
	}
	if !bytes.Equal(got, sent.Bytes()) {
		t.Error("the device got something else")
	}
}

// fill sends until the kernel has no room, and what waits has waited for too long.
func fill(p *port) {
	for p.send(make([]byte, 320)) {
		time.Sleep(time.Millisecond)
	}
}

func TestADeviceThatTakesNothingHoldsNobodyUp(t *testing.T) {
	device, c := tty(t)
	p := newPort("modem", c)
	fill(p)
	go io.Copy(io.Discard, device)
	for !p.send(make([]byte, 320)) {
		time.Sleep(time.Millisecond)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

func TestADeviceThatTakesNothingIsLeft(t *testing.T) {
	device, c := tty(t)
	p := newPort("modem", c)
	fill(p)
	if err := p.close(); err == nil || !strings.Contains(err.Error(), "takes nothing") {
		t.Errorf("close: %v", err)
	}
	device.Close()
	<-p.done
}

func TestPortsThatDoNotOpen(t *testing.T) {
	device, c := tty(t)
	c.Close()
	for _, port := range []struct {
		name string
		baud int
		says string
	}{
		{filepath.Join(t.TempDir(), "ttyUSB7"), 115200, "no such file"},
		{"/dev/null", 115200, "inappropriate ioctl"},
		{device.Path, 12345, "baud"},
	} {
		_, err := dial(port.name, port.baud)
		if err == nil || !strings.Contains(err.Error(), port.says) || !strings.Contains(err.Error(), port.name) || !strings.Contains(err.Error(), "check") {
			t.Errorf("%s opens: %v", port.name, err)
		}
	}
}
