package serial

import (
	"errors"
	"fmt"
	"strings"
)

// ask is what somebody wants of a modem.
type ask struct {
	do     func(*control, string)
	number string
}

// Answer asks the modem to take the call that rings. The error says why it can't be asked now; what comes of it is told by Events.
func (m *Modem) Answer() error {
	if m.control.now() != ringing {
		return errors.New("serial: no call rings: wait for one")
	}
	return m.ask(ask{do: (*control).answer})
}

// Dial asks the modem to call a number, as Answer does.
func (m *Modem) Dial(number string) error {
	if err := telephone(number); err != nil {
		return err
	}
	switch m.control.now() {
	case ready:
		return m.ask(ask{(*control).dial, number})
	case down:
		return errors.New("serial: the modem isn't up: its state says why")
	}
	return errors.New("serial: there is a call: hang up first")
}

// HangUp asks the modem to end the call, or to refuse the one that rings.
func (m *Modem) HangUp() error {
	switch m.control.now() {
	case down, ready:
		return errors.New("serial: there is no call")
	case ringing:
		if m.control.voice() {
			return errors.New("serial: a call on a telephone line can't be refused: let it ring, or answer it and hang up")
		}
	}
	return m.ask(ask{do: (*control).hangUp})
}

func (m *Modem) ask(a ask) error {
	select {
	case m.control.asks <- a:
		return nil
	default:
		return errors.New("serial: the modem is busy with what it was asked before: try again in a few seconds")
	}
}

// telephone says what is wrong with a number. One with * or # would be a command to the network, such as to send this line's calls elsewhere.
func telephone(number string) error {
	digits := strings.TrimPrefix(number, "+")
	if digits == "" || len(digits) > longestNumber || strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("serial: that is no telephone number: give up to %d digits, with a + before a country's code, and no * or #", longestNumber)
	}
	return nil
}
