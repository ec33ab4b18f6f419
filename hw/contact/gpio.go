package contact

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's GPIO interface, version 2 (linux/gpio.h).
const (
	gpioChipInfo  = 2<<30 | 68<<16 | 0xb4<<8 | 0x01  // _IOR, of struct gpiochip_info
	gpioGetLine   = 3<<30 | 592<<16 | 0xb4<<8 | 0x07 // _IOWR, of lineRequest
	gpioGetValues = 3<<30 | 16<<16 | 0xb4<<8 | 0x0e  // _IOWR, of lineValues

	gpioSetValues = 3<<30 | 16<<16 | 0xb4<<8 | 0x0f // _IOWR, of lineValues

	lineInput    = 1 << 2
	lineOutput   = 1 << 3
	linePullUp   = 1 << 8
	linePullDown = 1 << 9
)

// lineRequest is struct gpio_v2_line_request, for one line without attributes.
type lineRequest struct {
	offsets    [64]uint32
	consumer   [32]byte
	flags      uint64 // of struct gpio_v2_line_config,
	attributes uint32
	_          [5]uint32
	_          [10][24]byte // and its attributes
	lines      uint32
	events     uint32
	_          [5]uint32
	fd         int32
}

// lineValues is struct gpio_v2_line_values.
type lineValues struct{ bits, mask uint64 }

// chipInfo is struct gpiochip_info.
type chipInfo struct {
	name, label [32]byte
	lines       uint32
}

// gpio is a line of a GPIO chip, as an input that nobody else has. It is pulled to what counts as open where the chip can do that,
// so that a wire that fell off is no call.
type gpio struct{ fd int }

func openGPIO(chip, number string, inverted bool) (input, error) {
	flags := uint64(lineInput | linePullDown)
	if inverted {
		flags = lineInput | linePullUp
	}
	return requestGPIO(chip, number, flags)
}

// requestGPIO has a line to itself; as an output it is low at first.
func requestGPIO(chip, number string, flags uint64) (*gpio, error) {
	line, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a line: write one from 0 on, such as \"17\"", number)
	}
	fd, err := unix.Open(chip, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: is there such a chip, and may this user open it?", err)
	}
	defer unix.Close(fd)
	var info chipInfo
	switch err := ioctl(fd, gpioChipInfo, unsafe.Pointer(&info)); {
	case errors.Is(err, unix.ENOTTY):
		return nil, errors.New("it is no GPIO chip: name one such as /dev/gpiochip0")
	case err != nil:
		return nil, err
	case line >= uint64(info.lines):
		return nil, fmt.Errorf("the chip has lines 0 to %d only", int64(info.lines)-1)
	}
	ask := lineRequest{flags: flags, lines: 1}
	ask.offsets[0] = uint32(line)
	copy(ask.consumer[:], "flattone")
	switch err := ioctl(fd, gpioGetLine, unsafe.Pointer(&ask)); {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("%w: another program or the kernel uses this line: name another", err)
	case err != nil:
		return nil, err
	}
	return &gpio{int(ask.fd)}, nil
}

func (g *gpio) high() (high, known bool, err error) {
	v := lineValues{mask: 1}
	err = ioctl(g.fd, gpioGetValues, unsafe.Pointer(&v))
	return v.bits&1 != 0, true, err
}

func (g *gpio) set(on bool) error {
	v := lineValues{mask: 1}
	if on {
		v.bits = 1
	}
	return ioctl(g.fd, gpioSetValues, unsafe.Pointer(&v))
}

func (g *gpio) close() error { return unix.Close(g.fd) }

// ioctl asks the kernel again where a signal came between.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}
