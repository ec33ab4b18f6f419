package box

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/receiver"
	"github.com/flattone/flattone/e2e/shell"
)

// installed is a machine with the package on it, set up and serving: its lines play recorded calls, and a receiver takes its tokens.
type installed struct {
	*machine
	mu  sync.Mutex
	got bytes.Buffer // what the receiver verified, one JSON object a line
}

// line is one line of an installed box, which plays a recorded call once it is armed.
type line struct {
	name, call string
	pace       float64
}

// upstreamPort is where the receiver listens. The package's first configuration names it.
const upstreamPort = 8377

// install does what an owner does.
func install(t *testing.T, lines ...line) *installed {
	t.Helper()
	b := &installed{machine: newMachine(t)}
	b.apt(pkg)
	b.Run("useradd", "--groups", "flattone-admin", shell.Ann)
	for _, l := range lines {
		for _, leg := range []string{"caller.wav", "agent.wav"} {
			b.put(filepath.Join("/srv", l.call, leg), shell.Read(t, recordings, l.call, leg), "0644")
		}
	}
	b.put("/root/flattone.toml", settings(lines), "0644")
	b.receive()
	b.Serves()
	b.RunAs(shell.Console, "flattone", "apply", "--yes", "/root/flattone.toml")
	for _, l := range lines {
		soon(t, "a call waits on line "+l.name, func() bool { return b.Line(l.name).InCall })
	}
	return b
}

// apt installs a package by the name of its file, as the README says.
func (m *machine) apt(file string, flags ...string) {
	m.T.Helper()
	m.put("/root/flattone.deb", shell.Read(m.T, file), "0644")
	m.Run(append([]string{"apt-get", "install", "--quiet", "--yes", "/root/flattone.deb"}, flags...)...)
}

// settings are a configuration with these lines. The recorded cards expire in December 2029 and January 2031, and what is shipped believes
// in no date but the machine's.
func settings(lines []line) []byte {
	var f bytes.Buffer
	fmt.Fprintf(&f, `version = 1
[vault]
credential = "vault-key"
[upstream.webhook]
url = "http://127.0.0.1:%d/"
secret_file = "/run/credentials/flattoned.service/webhook-secret"
first_retry_ms = 100
max_retry_s = 1
[roles]
auditor = [%q]
[profile.card]
`, upstreamPort, shell.Ann)
	for _, l := range lines {
		fmt.Fprintf(&f, `[[line]]
name = %[1]q
place = "trunk-side"
profile = "card"
[line.wav]
caller_in = ["/srv/%[2]s/caller.wav"]
agent_in = ["/srv/%[2]s/agent.wav"]
agent_out = "/var/lib/flattone-line/%[1]s.agent.wav"
caller_out = "/var/lib/flattone-line/%[1]s.caller.wav"
clock_file = "/var/lib/flattone-line/%[1]s.clock"
pace = %[3]g
wait_armed = true
`, l.name, l.call, l.pace)
	}
	return f.Bytes()
}

// receive takes tokens, and checks their signatures by the secret that the package made.
func (b *installed) receive() {
	b.T.Helper()
	rec, err := receiver.New(strings.TrimSpace(b.Run("cat", "/etc/flattone/webhook.secret")), b)
	if err != nil {
		b.T.Fatal(err)
	}
	srv := &http.Server{Handler: rec}
	go srv.Serve(b.listen(upstreamPort))
	b.T.Cleanup(func() { srv.Close() })
}

// Write takes what the receiver verified.
func (b *installed) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got.Write(p)
}

// delivered are the tokens of a line that arrived.
func (b *installed) delivered(line string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return shell.Tokens(b.T, b.got.Bytes())[line]
}

// ask has ann ask the box for something.
func ask[T any](b *installed, verb ...string) (answer T) {
	b.T.Helper()
	out := b.RunAs(shell.Ann, append(append([]string{"flattone"}, verb...), "--json")...)
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		b.T.Fatalf("flattone %s: %v\n%s", strings.Join(verb, " "), err, out)
	}
	return answer
}

// keying arms a line and waits until its caller is in the middle of his card.
func (b *installed) keying(name string) {
	b.T.Helper()
	b.RunAs(shell.Ann, "flattone", "arm", name)
	soon(b.T, name+" is keying", func() bool { return b.Line(name).State == control.StateKeying })
	time.Sleep(time.Second)
}

// arrives waits for the token of a line on which one card was keyed: the line's only one, here and in the vault.
func (b *installed) arrives(name string) (token string) {
	b.T.Helper()
	var tokens, kept []string
	soon(b.T, "the token of "+name+" arrives", func() bool { tokens = b.delivered(name); return len(tokens) > 0 })
	for _, card := range ask[[]control.Token](b, "tokens") {
		if card.Line == name {
			kept = append(kept, card.Token)
		}
	}
	if len(tokens) != 1 || !slices.Equal(tokens, kept) {
		b.T.Errorf("of one card on line %s the tokens %v arrived, and the vault has %v", name, tokens, kept)
	}
	return tokens[0]
}
