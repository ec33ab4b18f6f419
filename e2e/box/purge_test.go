package box

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

// TestPurged: without the package the box is silent. Its vault stays until somebody has said that it may go; whoever installs the package again finds it.
func TestPurged(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 8})
	b.RunAs(shell.Ann, "flattone", "watch", "a", "--arm", "--until", "delivered", "--timeout", patience.String())
	token := b.arrives("a")
	for _, purge := range []func(){
		func() { b.Run("apt-get", "purge", "--quiet", "--yes", "flattone") }, // where nobody can be asked
		func() { b.purgeAsked("no") },
	} {
		purge()
		if left := b.active(); left != "" {
			t.Errorf("units still run:\n%s", left)
		}
		b.Run("test", "-s", "/var/lib/flattone/flattone.db")
		b.Run("test", "-s", "/etc/flattone/vault-key.cred")
		b.apt(pkg)
		b.Serves()
		if out := b.Run("flattone", "tokens"); !strings.Contains(out, token) {
			t.Errorf("the vault that was kept has lost its token:\n%s", out)
		}
	}
	b.purgeAsked("yes")
	b.gone()
	// Or before anybody could be asked.
	b.apt(pkg)
	b.Serves()
	b.Run("bash", "-c", "echo 'flattone flattone/delete_vault boolean true' | debconf-set-selections")
	b.Run("apt-get", "purge", "--quiet", "--yes", "flattone")
	b.gone()
}

// purgeAsked purges the package at a terminal, where somebody answers once he is asked.
func (b *installed) purgeAsked(answer string) {
	b.T.Helper()
	cmd := b.command("root", "timeout", fmt.Sprint(patience.Seconds()), "env", "DEBIAN_FRONTEND=readline", "TERM=dumb",
		"script", "--quiet", "--return", "--command", "apt-get purge --quiet --yes flattone", "/dev/null")
	keys, err := cmd.StdinPipe()
	if err != nil {
		b.T.Fatal(err)
	}
	shown := &screen{until: "Delete flattone's vault, with every card in it? [yes/no] ", then: func() { io.WriteString(keys, answer+"\n") }}
	cmd.Stdout, cmd.Stderr = shown, shown
	if err := cmd.Run(); err != nil || shown.then != nil {
		b.T.Fatalf("purge ended with %v, and says:\n%s", err, &shown.all)
	}
}

// screen keeps what is shown, and when something is does something, once.
type screen struct {
	all   bytes.Buffer
	until string
	then  func()
}

func (s *screen) Write(p []byte) (int, error) {
	n, err := s.all.Write(p)
	if s.then != nil && bytes.Contains(s.all.Bytes(), []byte(s.until)) {
		s.then()
		s.then = nil
	}
	return n, err
}

// gone checks that nothing is left of the box.
func (b *installed) gone() {
	b.T.Helper()
	for _, gone := range []string{"/var/lib/flattone", "/var/lib/flattone-line", "/etc/flattone", "/run/flattone"} {
		if out, code := b.Try("root", "ls", "-laR", gone); code == 0 {
			b.T.Errorf("%s is still there:\n%s", gone, out)
		}
	}
}
