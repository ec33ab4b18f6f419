package daemon

import (
	"fmt"
	"strings"

	"github.com/flattone/flattone/daemon/control"
)

// What a person is told when a command can't be done.

func unknownLine(name string, have []string) error {
	return &control.Error{Code: control.CodeUnknownLine,
		Text:   fmt.Sprintf("there is no line %q", name),
		Remedy: "the lines are " + strings.Join(have, ", ")}
}

func lineDown(name, reason string) error {
	return &control.Error{Code: control.CodeLineDown,
		Text:   fmt.Sprintf("line %s: its process does not run (%s)", name, reason),
		Remedy: "it is started again by itself; flattoned's log says why it ended"}
}

func wrongState(name, why string) error {
	return &control.Error{Code: control.CodeWrongState, Text: fmt.Sprintf("line %s: %s", name, why),
		Remedy: "look at it with flattone lines"}
}

func unknownProfile(name string, have []string) error {
	return &control.Error{Code: control.CodeUnknownProfile,
		Text:   fmt.Sprintf("there is no profile %q", name),
		Remedy: "the profiles are " + strings.Join(have, ", ")}
}
