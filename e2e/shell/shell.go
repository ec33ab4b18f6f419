// Package shell commands a machine in which the package is installed, as people do, and waits for what comes of it. It is the same whether the machine is a container
// (e2e/box) or emulated (e2e/qemu): they differ in how a command gets into them. Whatever a command must succeed in, and doesn't, ends the test.
package shell

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

const (
	// Ann is who commands the box: a member of flattone-admin.
	Ann = "ann"
	// Console is root, whom login(1) has let in at the machine itself. Whoever else runs a command has no session.
	Console = "console"
)

// Session are the properties of a transient unit of systemd's by which it is a session at the machine itself.
var Session = []string{"--property=PAMName=login", "--setenv=XDG_SESSION_TYPE=tty", "--setenv=XDG_SESSION_CLASS=user"}

// Shell is a machine's.
type Shell struct {
	T *testing.T
	// Try runs a command as one of the machine's users, and says what it printed and how it ended.
	Try func(user string, argv ...string) (output string, code int)
	// Patience bounds every wait for something that must happen. It is no measure of speed.
	Patience time.Duration
}

// Run runs a command that must succeed, as root.
func (s *Shell) Run(argv ...string) string { s.T.Helper(); return s.RunAs("root", argv...) }

// RunAs runs a command that must succeed.
func (s *Shell) RunAs(user string, argv ...string) string {
	s.T.Helper()
	out, code := s.Try(user, argv...)
	if code != 0 {
		s.T.Fatalf("%s as %s ended with %d:\n%s", strings.Join(argv, " "), user, code, out)
	}
	return out
}

// Journal is what journalctl says.
func (s *Shell) Journal(args ...string) string {
	s.T.Helper()
	return s.Run(append([]string{"journalctl", "--no-pager", "--quiet"}, args...)...)
}

// Property is one of a unit, as systemd has it.
func (s *Shell) Property(unit, name string) string {
	s.T.Helper()
	return strings.TrimSpace(s.Run("systemctl", "show", "--value", "--property="+name, unit))
}

// Serves waits until flattoned answers, and looks for units that failed.
func (s *Shell) Serves() {
	s.T.Helper()
	Soon(s.T, s.Patience, "flattoned serves", func() bool { _, code := s.Try("root", "flattone", "lines"); return code == 0 })
	if failed := s.Run("systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
		s.T.Errorf("units failed:\n%s", failed)
	}
}

// Line is how a line is, down if flattoned doesn't answer.
func (s *Shell) Line(name string) control.Line {
	s.T.Helper()
	out, code := s.Try(Ann, "flattone", "lines", "--json")
	var lines []control.Line
	if code == 0 && json.Unmarshal([]byte(out), &lines) != nil {
		s.T.Fatalf("flattone lines: %s", out)
	}
	i := slices.IndexFunc(lines, func(l control.Line) bool { return l.Name == name })
	if i < 0 {
		return control.Line{Name: name}
	}
	return lines[i]
}

// PID is that of a unit's process.
func (s *Shell) PID(unit string) string { s.T.Helper(); return s.Property(unit, "MainPID") }

// Moment is when something happened to a unit, since the machine booted.
func (s *Shell) Moment(unit, what string) time.Duration {
	s.T.Helper()
	us, err := strconv.ParseInt(s.Property(unit, what+"TimestampMonotonic"), 10, 64)
	if err != nil {
		s.T.Fatal(err)
	}
	return time.Duration(us) * time.Microsecond
}

// Unit is a line's.
func Unit(line string) string { return "flattone-line@" + line + ".service" }

// Soon waits until something holds.
func Soon(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v have passed, and not: %s", patience, what)
		}
	}
}

// Tokens are those that a receiver has noted (demo/receiver), by line, in the order in which they arrived.
func Tokens(t *testing.T, noted []byte) map[string][]string {
	t.Helper()
	tokens := map[string][]string{}
	for l := range bytes.Lines(noted) {
		var one struct {
			Event struct {
				Data struct{ Line, Token string }
			}
		}
		if err := json.Unmarshal(l, &one); err != nil {
			t.Fatal(err)
		}
		at := one.Event.Data.Line
		tokens[at] = append(tokens[at], one.Event.Data.Token)
	}
	return tokens
}

// Read is what a file of this machine's holds.
func Read(t *testing.T, elem ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
