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
			{"what isn't read is lost in the end", unreadIsLost},
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
	failed := make(chan error)
	for range attempts {
		go func() {
			_, err := port.Read(make([]byte, 1))
			failed <- err
		}()
		time.Sleep(50 * time.Millisecond)
		h.m.Vanish()
		err := <-failed
		if errors.Is(err, syscall.EIO) {
			staysEnded(t, port)
			return
		}
		t.Logf("read: %v", err)
		port.Close()
		h.m.Return()
		port = h.open(t, port)
	}
	t.Error("it didn't fail once")
}

// attempts is how often something is tried that a busy machine may come too late for.
const attempts = 5

// open opens the modem's port for commands, of the kind that another one is.
func (h *host) open(t *testing.T, like io.ReadWriteCloser) io.ReadWriteCloser {
	t.Helper()
	if f, terminal := like.(*os.File); terminal {
		return openTTY(t, f.Name())
	}
	port, err := h.m.Open(modem.AT)
	if err != nil {
		t.Fatal(err)
	}
	return port
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

func unreadIsLost(t *testing.T, h *host, _ io.ReadWriteCloser) {
	for range attempts {
		h.m.Endless(2 * time.Second)
		time.Sleep(2500 * time.Millisecond)
		n := len(h.drain())
		h.do("AT")
		if n < 4096 {
			t.Errorf("of 32000 bytes, %d are still there", n)
		}
		if n <= 24<<10 {
			return
		}
		t.Logf("of 32000 bytes, %d are still there: some came while they were read", n)
	}
	t.Error("none was lost")
}

func closeWaits(t *testing.T, h *host, port io.ReadWriteCloser) {
	for range attempts {
		read := make(chan struct{})
		go func() {
			defer close(read)
			port.Read(make([]byte, 1))
		}()
		time.Sleep(50 * time.Millisecond)
		begun := time.Now()
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		waited := time.Since(begun)
		<-read
		if waited > 10*time.Millisecond {
			return
		}
		t.Logf("it waited for %v", waited)
		port = h.open(t, port)
	}
	t.Error("it didn't wait once")
}

func comesBack(t *testing.T, h *host, port io.ReadWriteCloser) {
	h.m.Vanish()
	var err error
	if f, terminal := port.(*os.File); terminal {
		_, err = os.Stat(f.Name())
	} else {
		_, err = h.m.Open(modem.AT)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there while it is gone: %v", err)
	}
	h.m.Return()
	if _, err := port.Write([]byte("AT\r")); !errors.Is(err, syscall.EIO) {
		t.Errorf("write to the old one: %v", err)
	}
	back := h.open(t, port)
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
