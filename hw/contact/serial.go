package contact

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// modem are the inputs of a serial port, by their names in RS-232.
var modem = map[string]int{"dcd": unix.TIOCM_CD, "cts": unix.TIOCM_CTS, "dsr": unix.TIOCM_DSR, "ri": unix.TIOCM_RI}

// serial is a serial port whose modem inputs are read. While it is open its outputs DTR and RTS are on: a contact between one of
// them and an input needs no power of its own.
type serial struct{ fd, bit int }

func openSerial(device, name string) (input, error) {
	bit, known := modem[name]
	if !known {
		return nil, fmt.Errorf("a serial port has no input %q: use dcd, cts, dsr or ri", name)
	}
	s, err := openPort(device, bit)
	if err != nil {
		return nil, err
	}
	if err := s.keep(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func openPort(device string, bit int) (*serial, error) {
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: is it plugged in, and may this user open it?", err)
	}
	return &serial{fd, bit}, nil
}

// keep has the kernel keep the port open when DCD goes off, which it would else take for the end of everything.
func (s *serial) keep() error {
	t, err := unix.IoctlGetTermios(s.fd, unix.TCGETS)
	if errors.Is(err, unix.ENOTTY) {
		return errors.New("it is no serial port: name one, such as those in /dev/serial/by-id")
	}
	if err == nil {
		t.Cflag |= unix.CLOCAL | unix.HUPCL // and put its outputs off when nobody has it open any more
		err = unix.IoctlSetTermios(s.fd, unix.TCSETS, t)
	}
	if err == nil {
		_, _, err = s.high()
	}
	if errors.Is(err, unix.ENOTTY) {
		return errors.New("it has no modem inputs: use a port that has a real connector, or an adapter with all its wires")
	}
	return err
}

func (s *serial) high() (on, known bool, err error) {
	state, err := unix.IoctlGetInt(s.fd, unix.TIOCMGET)
	return state&s.bit != 0, true, err
}

func (s *serial) set(on bool) error {
	request := uint(unix.TIOCMBIC)
	if on {
		request = unix.TIOCMBIS
	}
	return unix.IoctlSetPointerInt(s.fd, request, s.bit)
}

func (s *serial) close() error { return unix.Close(s.fd) }
