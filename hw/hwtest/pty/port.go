package pty

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Port is a serial port, as far as a terminal without wires can be one, seen from the device's end.
type Port struct {
	// Path is where a program opens it.
	Path   string
	device *os.File
	// kept is the program's end, held open: what the device says is kept until a program comes, and not echoed to it.
	kept *os.File
}

// OpenPort makes a serial port, raw, with nobody at its other end.
func OpenPort() (*Port, error) {
	device, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	p := &Port{device: device}
	if err := p.unlock(); err != nil {
		return nil, errors.Join(err, device.Close())
	}
	p.kept, err = os.OpenFile(p.Path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		err = raw(int(p.kept.Fd()))
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// unlock doesn't ask the file for its number, which would make it one whose Close waits for Read.
func (p *Port) unlock() error {
	conn, err := p.device.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		n, err := unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		p.Path = fmt.Sprintf("/dev/pts/%d", n)
		failed = errors.Join(err, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
	})
	return errors.Join(err, failed)
}

func raw(fd int) error {
	t := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200}
	t.Cc[unix.VMIN] = 1
	return unix.IoctlSetTermios(fd, unix.TCSETS, &t)
}

// Read waits for what a program writes.
func (p *Port) Read(b []byte) (int, error) { return p.device.Read(b) }

// Write doesn't wait: what has no room, because no program reads, is lost.
func (p *Port) Write(b []byte) (n int, err error) {
	conn, err := p.device.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = conn.Write(func(fd uintptr) bool {
		n, failed = unix.Write(int(fd), b)
		return true
	})
	return max(n, 0), errors.Join(err, failed)
}

// Close takes the port away under whoever has it open.
func (p *Port) Close() error { return errors.Join(p.device.Close(), p.kept.Close()) }
