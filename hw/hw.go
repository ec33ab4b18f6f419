// Package hw is the contract that every interface to a telephone line meets, whether it is made of sound
// devices, serial ports or recordings. The tests in hw/hwtest hold each kind to it.
//
// A [Line] is two sides that face each other through the box: the caller's [Port] and the agent's. Each
// Port is full duplex, mono, 16-bit linear, and is driven by its own device's clock.
package hw

import (
	"context"
	"errors"

	"github.com/flattone/flattone/audio"
)

// Turn is what a Port calls once a period, on the Port's own thread: Take or Lost first, then Fill, for as many frames. The slices are the
// device's memory and valid only during the call. None of them ever blocks, allocates or panics.
type Turn interface {
	// Take gets the frames just captured.
	Take(in []int16)
	// Lost comes in the place of Take where the device lost what it should have captured.
	Lost(frames int)
	// Fill fills out whole.
	Fill(out []int16)
}

// Port is one side of a line.
type Port interface {
	// Rate is fixed from the moment the Port exists.
	Rate() audio.Rate
	// Run opens the device's clock and takes a turn once a period until ctx ends (Run then returns nil) or
	// the device is lost (an error that wraps ErrLost). turn is never called after Run has returned, and
	// never by two threads at once. Run is called once in a Port's life.
	Run(ctx context.Context, turn Turn) error
}

// Line is an opened interface.
type Line struct {
	// Device names what the line holds, as an owner would call it. One process at a time owns a Device.
	Device        string
	Caller, Agent Port
	// OneClock: the sides share a clock, and of each period both are heard before either speaks: the caller's Take, the agent's whole turn,
	// the caller's Fill. They begin when both Ports run, and end when one of them does.
	OneClock bool
	// Calls says when calls begin and end. It is never closed and never blocks the Port: an edge that
	// nobody fetched is replaced by the next.
	Calls <-chan Edge
	// Close gives the devices back. It is called after both Runs have returned.
	Close func() error
}

// Edge is the beginning or the end of a call, as far as the line saw it.
type Edge struct {
	Kind EdgeKind
	// At is the position on the caller's sample clock.
	At audio.Position
}

// EdgeKind says which way the line went.
type EdgeKind uint8

// The edges of a call.
const (
	CallBegan EdgeKind = iota + 1
	CallEnded
	// CallJoined: the line came up in the middle of a call. Who is on it, and what they were asked for, is
	// not known.
	CallJoined
	// CallPresumed: nobody tells when calls begin and end on this line, or nobody does any more. There may be one from here on, and then the next.
	CallPresumed
)

func (k EdgeKind) String() string {
	switch k {
	case CallBegan:
		return "call_began"
	case CallEnded:
		return "call_ended"
	case CallJoined:
		return "call_joined"
	case CallPresumed:
		return "call_presumed"
	}
	return "unknown"
}

// Errors of Port.Run and of opening a line.
var (
	// ErrLost: the device went away while it ran.
	ErrLost = errors.New("device lost")
	// ErrBusy: another process owns the device.
	ErrBusy = errors.New("device is in use")
)
