package modem_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"golang.org/x/sys/unix"
)

// host is a program that speaks to a modem, by its two ports or its one.
type host struct {
	t         *testing.T
	m         *modem.Modem
	at, sound io.ReadWriter
	heard     []byte // by the port for commands, and not yet expected
	loud      []byte // the same of sound
}

// world is a way to reach a modem.
type world struct {
	name string
	run  func(t *testing.T, body func(t *testing.T))
	open func(t *testing.T, m *modem.Modem) *host
}

var memory = world{"memory", func(t *testing.T, body func(t *testing.T)) { synctest.Test(t, body) }, openMemory}

var worlds = []world{memory, {"terminals", func(t *testing.T, body func(t *testing.T)) { body(t) }, openTTYs}}

func openMemory(t *testing.T, m *modem.Modem) *host {
	at, sound := m.Memory()
	t.Cleanup(func() { at.Close() })
	if sound != nil {
		t.Cleanup(func() { sound.Close() })
	}
	return &host{t: t, m: m, at: at, sound: sound}
}

func openTTYs(t *testing.T, m *modem.Modem) *host {
	at, sound := m.TTYs()
	h := &host{t: t, m: m, at: openTTY(t, at)}
	if sound != "" {
		h.sound = openTTY(t, sound)
	}
	return h
}

// openTTY opens a terminal as tarm/serial does, with a time-out of 100 ms.
func openTTY(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	tio := unix.Termios{Iflag: unix.IGNPAR, Cflag: unix.CREAD | unix.CLOCAL | unix.CS8 | unix.B115200}
	tio.Cc[unix.VTIME] = 1
	fd := int(f.Fd())
	if err := errors.Join(unix.IoctlSetTermios(fd, unix.TCSETS, &tio), unix.SetNonblock(fd, false)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (h *host) write(text string) {
	h.t.Helper()
	if _, err := io.WriteString(h.at, text); err != nil {
		h.t.Fatal(err)
	}
}

// patience is how many time-outs of 100 ms are waited for something. It is no measure of speed.
const patience = 100

// expect waits until the modem has said something, and answers what it said before it.
func (h *host) expect(text string) (before string) {
	h.t.Helper()
	buf := make([]byte, 4096)
	for late := 0; late < patience && len(h.heard) < 1<<20; {
		if before, after, found := bytes.Cut(h.heard, []byte(text)); found {
			h.heard = after
			return string(before)
		}
		n, err := h.at.Read(buf)
		if err == io.EOF {
			late++
		} else if err != nil {
			h.t.Fatal(err)
		}
		h.heard = append(h.heard, buf[:n]...)
	}
	h.t.Fatalf("the modem didn't say %q, but %q", text, h.heard[max(0, len(h.heard)-200):])
	return ""
}

// do has the modem do something, and answers what it said before it was done.
func (h *host) do(command string) (said string) {
	h.t.Helper()
	h.write(command + "\r")
	return h.expect("\r\nOK\r\n")
}

// ends has the modem try something, and expects how that ends.
func (h *host) ends(command, result string) {
	h.t.Helper()
	h.write(command + "\r")
	if said := h.expect("\r\n" + result + "\r\n"); strings.Contains(said, "OK") {
		h.t.Errorf("%s: the modem said %q", command, said)
	}
}

// read reads that many bytes of sound.
func (h *host) read(n int) []byte {
	h.t.Helper()
	from, heard := h.sound, &h.loud
	if from == nil {
		from, heard = h.at, &h.heard
	}
	buf := make([]byte, 4096)
	for late := 0; len(*heard) < n && late < patience; {
		k, err := from.Read(buf)
		if err == io.EOF {
			late++
		} else if err != nil {
			h.t.Fatal(err)
		}
		*heard = append(*heard, buf[:k]...)
	}
	if len(*heard) < n {
		h.t.Fatalf("the modem gave %d bytes of %d", len(*heard), n)
	}
	p := (*heard)[:n]
	*heard = (*heard)[n:]
	return p
}
