// Package serial is one side of a line that is a modem at a serial port: an LTE module that carries a call's sound on a port of its own
// beside the one for commands, or a V.253 voice modem, on whose one port both go.
//
// How a make is spoken to is a [Profile], not code. A [Modem] is brought up by it, rings, answers, dials and hangs up, and tells of all that by
// Events. Its sound never stands still: while there is no call, its Port takes turns of silence by the machine's clock; in a call the modem's own clock drives it.
//
// It promises that whatever a modem says or leaves unsaid ends in a named [Event] within three seconds and never blocks a turn; that a fault of the modem is
// mended without anybody's doing, or ends Run with [hw.ErrLost] so that the process begins anew; and that what a modem reports of keys is known
// only as that there was one: it never passes on which.
package serial

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// Kind is how a modem carries sound.
type Kind string

// The kinds of modems.
const (
	PCM   Kind = "pcm"   // commands on one port, 16-bit linear sound on another
	Voice Kind = "voice" // V.253: both on one port
)

// Profile is how a make of modem is spoken to. Commands are whole ("AT+CLIP=1"); each is answered by OK within its time, or has failed.
type Profile struct {
	Make string
	Kind Kind
	Baud int
	// Frame is what the modem gives at a time.
	Frame time.Duration
	// Init brings the modem up; what of it is in Optional may be refused.
	Init, Optional []string
	// Before goes before Answer and Dial, each call; and behind Init, so that who refuses it is known before there is a call. Dial has %s where the number
	// goes, and what sets a Voice modem's format where the best of those goes that AT+VSM=? was answered with.
	Before, Answer []string
	Dial           string
	HangUp         []string
	// AudioOn begins the sound of a call that is active, tried so many times; AudioOff ends it. Of a Voice modem the last of AudioOn is answered by CONNECT,
	// and AudioOff is a code, written "<DLE>^".
	AudioOn, AudioOff []string
	AudioTries        int
	// Calls asks which calls there are, after a start in the middle of one, and where its sound has stopped.
	Calls string
	// Reset is for a modem whose sound can't be begun any more; it vanishes and comes back.
	Reset string
	Says  Says
}

// Says is by which lines a modem tells of what: patterns of package at, any of which will do. A Voice modem tells by codes within its sound, too.
type Says struct {
	Ring, CallerID, Began, Ended, Key []string
	// Active is a line of the answer to Calls that says there is a call.
	Active []string
}

// Config says which modem.
type Config struct {
	Profile Profile
	// Port is for commands, Sound for a PCM modem's sound.
	Port, Sound string
	// LockDir is a folder for a file a port, by which it has one owner.
	LockDir string
}

// Rate is every serial modem's.
const Rate = audio.Rate8k

// EventKind says what a modem tells of.
type EventKind uint8

// The events.
const (
	Ringing  EventKind = iota + 1 // a call comes in; told again when its number is known
	Began                         // a call is active, and its sound flows
	Joined                        // the same, of a call that was there before
	Ended                         // the call, or the ringing, is over
	KeyHeard                      // the modem itself heard a key; which is not known
	Broken                        // the modem can't do its work, by Code; mended by itself in the end
	Mended                        // it can again
)

// Event is what a modem tells of.
type Event struct {
	Kind EventKind
	// Number is who calls, as the network says; for a person's eyes, and never for a log.
	Number string
	// Code is one of the Codes, of Broken. Err says it in words, without any digit that was keyed.
	Code string
	Err  error
}

// Codes of Broken.
const (
	// Silent: the modem doesn't answer, or nothing that makes sense.
	Silent = "modem_silent"
	// Refuses: it answers ERROR to what can't be done without.
	Refuses = "modem_refuses"
	// NoSound: a call is active, and there is no sound, or only part of it.
	NoSound = "modem_no_sound"
	// Deaf: it doesn't take the sound that it is given.
	Deaf = "modem_deaf"
)
