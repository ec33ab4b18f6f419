package main

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/control"
)

// Exit codes, also in the manual page: a script can act on them without reading the words.
const (
	exitOK          = 0
	exitFailed      = 1  // it was tried and failed, or the file checked has faults
	exitUsage       = 2  // the command line makes no sense; nothing was tried
	exitUnreachable = 3  // no flattoned answers on the socket
	exitDenied      = 4  // this user may not do that, or not without a code
	exitRefused     = 5  // the box can't do that: no such line, or not in that state
	exitNotYet      = 6  // what --until waits for did not come before --timeout, Ctrl-C or the end
	exitNoCard      = 7  // arm --wait: the capture ended without a card
	exitRefusedLine = 8  // tune: the line was measured, and refused
	exitUnhealthy   = 9  // status and doctor: it is as it was printed, and something of it is a fault
	exitTampered    = 10 // audit verify: the log isn't what was written
	exitNotPaid     = 11 // charge --wait: the card was declined, or not charged
)

// failure is an error that has its own exit code, and may have a hint.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail makes a failure in printf's terms.
func fail(code int, hint, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...), hint}
}

// explain says what went wrong, if anything did, and answers with the exit code.
func (t *tool) explain(err error) int {
	if err == nil {
		return exitOK
	}
	code, hint := exitFailed, ""
	var f *failure
	var e *control.Error
	switch {
	case errors.As(err, &f):
		code, hint = f.code, f.hint
	case errors.As(err, &e):
		code, hint = exitCodeOf(e), e.Remedy
	case !t.began: // cobra found fault with the command line
		code, hint = exitUsage, hintUsage
	}
	t.complain(err, hint)
	return code
}

func exitCodeOf(e *control.Error) int {
	switch e.Code {
	case control.CodeUnreachable, control.CodeLost:
		return exitUnreachable
	case control.CodeDenied, control.CodeFactor, control.CodeShare, control.CodePairing:
		return exitDenied
	case control.CodeUnknownLine, control.CodeUnknownToken, control.CodeUnknownPayment, control.CodeNotCharged, control.CodeGatewayAway, control.CodeRecorderOn, control.CodeVaultLocked, control.CodeUnknownProfile, control.CodeLineDown, control.CodeWrongState, control.CodeBusy, control.CodeUntuned, control.CodeNoModem, control.CodeNeedsRestart:
		return exitRefused
	}
	return exitFailed
}
