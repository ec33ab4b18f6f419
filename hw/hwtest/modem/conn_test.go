package modem_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// A port in memory is one as terminals are, down to their oddities.
func TestPorts(t *testing.T) {
	for _, w := range worlds {
		for _, p := range []struct {
			name string
			test func(t *testing.T, h *host, port io.ReadWriteCloser)
		}{
			{"a read that times out is the end of a file", timesOut},
			{"a read that waits when the port goes fails once", goesBehindRead},
			{"a port that is gone is the end of a file for ever", staysGone},
			{"a write waits when the modem doesn't read", writeWaits},
			{"close waits for a read", closeWaits},
			{"a port that is back is another", comesBack},
		} {
			t.Run(p.name+" in "+w.name, func(t *testing.T) {
				w.run(t, func(t *testing.T) {
					h := w.open(t, modem.New(t, modem.Spec{Kind: modem.Huawei}))
					p.test(t, h, h.at.(io.ReadWriteCloser))
				})
			})
		}
	}
}

func timesOut(t *testing.T, _ *host, port io.ReadWriteCloser) {
	begun := time.Now()
	if n, err := port.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read: %d, %v", n, err)
	}
	if d := time.Since(begun); d < 90*time.Millisecond {
		t.Errorf("after %v", d)
	}
}

func goesBehindRead(t *testing.T, h *host, port io.ReadWriteCloser) {
	done := make(chan error)
	go func() {
		for {
			if _, err := port.Read(make([]byte, 1)); err != io.EOF {
				done <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond) // within the read, and not where one ends
	h.m.Vanish()
	if err := <-done; !errors.Is(err, syscall.EIO) {
		t.Errorf("read: %v", err)
	}
	staysEnded(t, port)
}

func staysGone(t *testing.T, h *host, port io.ReadWriteCloser) {
	h.m.Vanish()
	staysEnded(t, port)
}

func staysEnded(t *testing.T, port io.ReadWriteCloser) {
	begun := time.Now()
	for range 1000 {
		if n, err := port.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("read: %d, %v", n, err)
		}
	}
	if d := time.Since(begun); d > 10*time.Second { // 100 s, if they timed out
		t.Errorf("after %v", d)
	}
	if _, err := port.Write([]byte("AT\r")); !errors.Is(err, syscall.EIO) {
		t.Errorf("write: %v", err)
	}
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	if _, err := port.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := port.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("close: %v", err)
	}
}

func writeWaits(t *testing.T, h *host, port io.ReadWriteCloser) {
	h.m.StopReading(modem.AT)
	long := append(bytes.Repeat([]byte{'x'}, 64<<10), "\rAT\r"...)
	done := make(chan error)
	go func() {
		_, err := port.Write(long)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("it didn't wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	h.m.ReadAgain()
	if err := <-done; err != nil {
		t.Error(err)
	}
	h.expect("ERROR")
	h.expect("OK")
}

func closeWaits(t *testing.T, _ *host, port io.ReadWriteCloser) {
	read, reading := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		close(reading)
		port.Read(make([]byte, 1))
	}()
	<-reading
	time.Sleep(50 * time.Millisecond)
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-read:
	case <-time.After(20 * time.Millisecond): // it has what it read, and says so
		t.Error("close didn't wait")
	}
}

func comesBack(t *testing.T, h *host, port io.ReadWriteCloser) {
	h.m.Vanish()
	open := func() (io.ReadWriteCloser, error) {
		if _, memory := port.(*os.File); !memory {
			return h.m.Open(modem.AT)
		}
		return os.OpenFile(port.(*os.File).Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if _, err := open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened while it was gone: %v", err)
	}
	h.m.Return()
	if _, err := port.Write([]byte("AT\r")); !errors.Is(err, syscall.EIO) {
		t.Errorf("write to the old one: %v", err)
	}
	back, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	h.at = back
	if _, err := back.Write([]byte("AT\r")); err != nil { // which it doesn't understand yet
		t.Error(err)
	}
	if said := h.expect("^BOOT"); strings.Contains(said, "OK") {
		t.Errorf("it said %q", said)
	}
	h.do("AT")
}
