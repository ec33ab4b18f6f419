// Package doctor examines the machine that a box of flattone runs on: what can keep calls from going through, and what can let a card out past
// flattone's own walls, such as an open key file, a swap that is not encrypted, or a process that may leave a core file.
//
// It exists so that a technician needs to know no checklist: each check is one small function over a [Machine], whose files, commands and answers tests make
// up, and each [Finding] says what is so, what that means, and the very command that mends it.
//
// It promises to change nothing, to need neither root nor a running flattoned, and to say of what it could not see that it could not: never that it is well. It
// must never read what is in a secret's file: it looks at the file's mode and owner, and no more.
package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// Verdict is how something is.
type Verdict string

// The verdicts.
const (
	OK     Verdict = "ok"
	Warn   Verdict = "warn"   // it works, and its owner should know
	Bad    Verdict = "bad"    // it doesn't work, or is open where it must be shut
	Unseen Verdict = "unseen" // it could not be looked at
)

// Finding is what a check found.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	// Found says what is so, Means what that means; Do is the command that mends it, or whom to ask. All but Found may be empty.
	Found string `json:"found"`
	Means string `json:"means,omitempty"`
	Do    string `json:"do,omitempty"`
}

// Machine is what is examined.
type Machine struct {
	// Root is the folder in which the machine's files are.
	Root string
	// User is who flattoned runs as.
	User int
	// Run runs a command and answers with what it prints; [exec.ErrNotFound] if there is none of the name.
	Run func(ctx context.Context, name string, args ...string) (string, error)
	// Space is how much of the disk below a folder is free, and how much there is, in bytes.
	Space func(folder string) (free, all uint64, err error)
	// Config is the configuration; nil if it can't be read, and then ConfigErr says why.
	ConfigFile string
	Config     *config.Config
	ConfigErr  error
	// Box is what flattoned says; nil if it says nothing, and then BoxErr says why.
	Box    *Box
	BoxErr error
}

// Box is what flattoned says.
type Box struct {
	Status control.Status
	Lines  []control.Line
	// Devices are nil if they could not be looked at, and DevicesErr says why.
	Devices    []control.Device
	DevicesErr error
}

// checks are all there are, in the order in which they are told.
var checks = []struct {
	name    string
	examine func(context.Context, *Machine) []Finding
}{
	{"config", configuration}, {"scope", scope}, {"flattoned", flattoned}, {"units", units}, {"devices", devices}, {"real time", realTime}, {"secrets", secrets},
	{"core dumps", cores}, {"swap", swaps}, {"disk", disk}, {"clock", clock}, {"tpm", tpm}, {"admins", admins},
}

// Examine runs every check.
func Examine(ctx context.Context, m *Machine) (all []Finding) {
	for _, c := range checks {
		for _, f := range c.examine(ctx, m) {
			f.Check = c.name
			all = append(all, f)
		}
	}
	return all
}

// path is where a file of the machine is.
func (m *Machine) path(name string) string { return filepath.Join(m.Root, name) }

// read is what is in a small file of the machine.
func (m *Machine) read(name string) (string, error) {
	text, err := os.ReadFile(m.path(name))
	return string(text), err
}

// unseen says why something could not be looked at.
func unseen(err error) []Finding {
	f := Finding{Verdict: Unseen, Found: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		f.Do = "ask as root"
	}
	return []Finding{f}
}

// first is the first line of a text, which may be several.
func first(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
