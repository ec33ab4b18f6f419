package daemon

import (
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// What a person is told when a command can't be done. Whoever says what was
// being tried names the line, so that the text need not.

func unknownLine(name string, have []string) error {
	return &control.Error{Code: control.CodeUnknownLine,
		Text:   fmt.Sprintf("there is no line %q", name),
		Remedy: "the lines are " + strings.Join(have, ", ")}
}

func lineDown(name, reason string) error {
	return &control.Error{Code: control.CodeLineDown,
		Text:   fmt.Sprintf("its process does not run (%s)", reason),
		Remedy: "line " + name + " is started again by itself; flattone status says where to read why it ended"}
}

// noAnswer is neither success nor failure: the line has the command, and may still do it.
func noAnswer(name string, after time.Duration) error {
	return &control.Error{Code: control.CodeNoAnswer,
		Text:   fmt.Sprintf("it did not answer in %.0f s, and may still do it", after.Seconds()),
		Remedy: "flattone watch " + name + " shows how it is"}
}

func wrongState(name, why string) *control.Error {
	return &control.Error{Code: control.CodeWrongState, Text: why, Remedy: "flattone watch " + name + " shows how it is"}
}

// refusal is a line's own word on why it can't.
func refusal(name, why string) error {
	err := wrongState(name, why)
	if strings.HasSuffix(why, ": "+codeUntuned) { // the only thing in the way
		err.Remedy = "flattone tune " + name
	}
	return err
}

// codeUntuned is the line's code for a line that no tuning holds for.
const codeUntuned = "untuned"

func unknownProfile(name string, have []string) error {
	return &control.Error{Code: control.CodeUnknownProfile,
		Text:   fmt.Sprintf("there is no profile %q", name),
		Remedy: "the profiles are " + strings.Join(have, ", ")}
}

func unknownField(name string) error {
	return &control.Error{Code: control.CodeBadRequest,
		Text:   fmt.Sprintf("a card has no field %q", name),
		Remedy: "the fields are pan, expiry and cvv; none is the one that is being keyed"}
}

func neverTuned(name string) error {
	return &control.Error{Code: control.CodeUntuned, Text: "it was never tuned", Remedy: "flattone tune " + name}
}

func needsNoTuning(name string) error {
	return &control.Error{Code: control.CodeUntuned, Text: "its agent's side is no sound device, so there is nothing to tune", Remedy: "flattone lines shows line " + name}
}

// badTest says what can't be tested, nil if it can.
func badTest(t control.Test) error {
	e := &control.Error{Code: control.CodeBadRequest}
	switch {
	case t.What != control.TestTone && t.What != control.TestLoopback:
		e.Text, e.Remedy = fmt.Sprintf("%q is no test", t.What), "it can be "+control.TestTone+" or "+control.TestLoopback
	case t.Leg != control.LegCaller && t.Leg != control.LegAgent:
		e.Text, e.Remedy = fmt.Sprintf("%q is no side of a line", t.Leg), "it can be "+control.LegCaller+" or "+control.LegAgent
	case t.Seconds < 1 || t.Seconds > config.MostTestSeconds:
		e.Text, e.Remedy = fmt.Sprintf("a test of %d s can't be had", t.Seconds), fmt.Sprintf("use 1 to %d s", config.MostTestSeconds)
	case t.What == control.TestTone:
		e.Text, e.Remedy = config.ToneFlaw(t.Hz, t.DBm0)
	}
	if e.Text == "" {
		return nil
	}
	return e
}

// shuttingDown says what the machine is about to do.
func shuttingDown(what string) error {
	return &control.Error{Code: control.CodeShuttingDown,
		Text:   fmt.Sprintf("the machine is about to go down (%s), so no card is taken", what),
		Remedy: "wait until it is up again"}
}

// codeShutdown is the line's code for a capture that is void because of that.
const codeShutdown = "shutdown"
