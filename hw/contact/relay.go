package contact

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// outputs are those of a serial port, by their names in RS-232.
var outputs = map[string]int{"rts": unix.TIOCM_RTS, "dtr": unix.TIOCM_DTR}

// RelayConfig says where a relay hangs.
type RelayConfig struct {
	// Device is a GPIO chip's or a serial port's path, and Output the number of the chip's line, or rts or dtr of the port.
	Device, Output string
}

// String is the relay, as its owner would call it.
func (c RelayConfig) String() string { return c.Device + " " + c.Output }

// Relay is an output that is on while a relay is to be energised. It is off at first, and off once the process has ended, however it did: a serial
// port's because the kernel puts it so when nobody has the port open any more; a GPIO line's where its chip lets go of lines that nobody has, which the
// wiring must see to with a resistor. One goroutine has it.
type Relay struct {
	cfg    RelayConfig
	output interface {
		set(on bool) error
		close() error
	}
}

// OpenRelay finds the output, and puts it off. A serial port's outputs are on for the moment in which it is opened, which is shorter than a relay takes.
func OpenRelay(cfg RelayConfig) (*Relay, error) {
	r := &Relay{cfg: cfg}
	var err error
	if bit, serial := outputs[cfg.Output]; serial {
		r.output, err = openOutput(cfg.Device, bit)
	} else {
		r.output, err = requestGPIO(cfg.Device, cfg.Output, lineOutput)
	}
	if err != nil {
		return nil, fmt.Errorf("relay %v: %w", cfg, err)
	}
	return r, nil
}

func openOutput(device string, bit int) (*serial, error) {
	s, err := openPort(device, bit)
	if err != nil {
		return nil, err
	}
	err = s.set(false)
	if errors.Is(err, unix.ENOTTY) {
		_, termios := unix.IoctlGetTermios(s.fd, unix.TCGETS)
		err = errors.New("it has no outputs: use a port that has a real connector, or an adapter with all its wires")
		if termios != nil {
			err = errors.New("it is no serial port: name one, such as those in /dev/serial/by-id")
		}
	}
	if err == nil {
		err = s.keep()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// Set energises the relay, or lets it go. An error means that the device is lost.
func (r *Relay) Set(on bool) error {
	if err := r.output.set(on); err != nil {
		return fmt.Errorf("relay %v: %w", r.cfg, err)
	}
	return nil
}

// Close lets the relay go, and gives the device back.
func (r *Relay) Close() error { return errors.Join(r.output.set(false), r.output.close()) }
