package box

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
	"github.com/flattone/flattone/hw/hwtest/pty"
)

// most is how many commands an owner may need, from the repository to the first rehearsal.
const most = 8

var command = regexp.MustCompile("(?m)^[0-9]+\\. `([^`]+)`")

// TestReadme: the README takes whoever types its commands, and answers what setup asks, to a rehearsal that is complete. The receiver's secret is then
// his to change, root's alone to read, and flattoned's to sign with.
func TestReadme(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(string(shell.Read(t, "../../README.md")), "\n### On a box of its own\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var commands []string
	for _, found := range command.FindAllStringSubmatch(section, -1) {
		commands = append(commands, found[1])
	}
	if len(commands) < 2 || len(commands) > most || commands[0] != "make deb" || commands[len(commands)-1] != "flattone setup" {
		t.Fatalf("the README's commands are %q", commands)
	}
	m := newMachine(t)
	const repository = "/root/flattone" // as far as it is needed here, after the first command
	m.put(repository+"/build/deb/flattone_1_all.deb", shell.Read(t, pkg), "0644")
	for _, leg := range []string{"caller.wav", "agent.wav"} {
		m.put(filepath.Join(repository, "data/calls/visa", leg), shell.Read(t, recordings, "visa", leg), "0644")
	}
	secret := "whsec_" + strings.Repeat("QUFB", 8)
	answers := []pty.Turn{{"Name of the line [line-1]", ""}, {"Place [2]", "1"}, {"Made of", "recordings"}, {"Folder of the recordings", repository + "/data/calls/visa"},
		{"Folder of the recordings", "/srv/visa"}, {"Keep [1]", ""}, {"Address of the receiver [-]", fmt.Sprintf("http://127.0.0.1:%d/hook", upstreamPort)}, {"The receiver's secret", secret},
		{"Auditor [-]", ""}, {"Go on?", "y"}, {"Rehearse now?", ""}}
	shown := ""
	for _, c := range commands[1:] {
		in := "cd " + repository + " && " + c
		if c != "flattone setup" {
			m.RunAs(shell.Console, "bash", "-c", in)
		} else {
			shown = m.talk(answers, "bash", "-c", in)
		}
	}
	words := strings.Join(strings.Fields(shown), " ")
	for _, want := range []string{repository + "/data/calls/visa is in /root, which systemd keeps from lines", "sealed by the host's key alone", "flattoned is started again", "line-1 starts again",
		"TEST complete, and nothing of it was stored", "Visa ending in 4242", "Line line-1 is set up"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in:\n%s", want, shown)
		}
	}
	if kept := m.Run("stat", "--format=%a %U", "/etc/flattone/webhook.secret"); kept != "600 root\n" || m.Run("cat", "/etc/flattone/webhook.secret") != secret+"\n" {
		t.Errorf("the secret's file is %s", kept)
	}
	if handed := m.Run("cat", "/run/credentials/flattoned.service/webhook-secret"); handed != secret+"\n" {
		t.Error("flattoned signs with another secret")
	}
	m.Run("test", "-s", "/etc/flattone/flattone.toml.before")
	m.Run("flattone", "check", "/etc/flattone/flattone.toml")
	b := &installed{machine: m}
	b.Run("useradd", "--groups", "flattone-admin", shell.Ann)
	if l := b.Line("line-1"); !l.Up || l.Place != "trunk-side" {
		t.Errorf("the line is %+v", l)
	}
}

// talk runs a command at the machine's shell.Console, with somebody at it who answers what he is asked.
func (m *machine) talk(answers []pty.Turn, argv ...string) (shown string) {
	m.T.Helper()
	person, program := pty.Open(m.T)
	cmd := m.command(shell.Console, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	if err := cmd.Start(); err != nil {
		m.T.Fatal(err)
	}
	program.Close()
	var unasked []pty.Turn
	var talking sync.WaitGroup
	const endOfInput = "\x04"
	talking.Go(func() { shown, unasked = pty.Converse(person, answers, func() { fmt.Fprint(person, endOfInput) }) })
	err := cmd.Wait()
	talking.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.T.Fatal(err)
	}
	if err != nil || len(unasked) > 0 {
		m.T.Fatalf("%v: %v; nobody asked for %q, after:\n%s", argv, err, unasked, shown)
	}
	return shown
}
