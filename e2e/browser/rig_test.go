package browser

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/audio/words"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/desktest"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// patience bounds every wait for something that must happen. It is no measure of speed.
const patience = 60 * time.Second

// bin is the folder of the binaries under test, built once.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "flattone-bin-")
	if err != nil {
		panic(err)
	}
	for cgo, what := range map[string][]string{"0": {"../../cmd/flattone", "../../cmd/flattoned", "../../cmd/flattone-desk"}, "1": {"../../cmd/flattone-line"}} {
		build := exec.Command("go", append([]string{"build", "-tags", "lab", "-o", dir + "/"}, what...)...)
		build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := build.CombinedOutput(); err != nil {
			slog.Error("building the binaries under test", "err", err, "output", string(out))
			os.Exit(1)
		}
	}
	bin = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// rig is a box with a desk and a provider, on loopback.
type rig struct {
	*box.Box
	client *control.Client
	// origin is the desk's address as browsers know it.
	origin string
	// secret is that of the program crm, which may use the desk's API where its configuration names crm.secret.
	secret string
}

// newRig starts them. more is for the desk's configuration.
func newRig(t *testing.T, more string, lines ...box.Line) *rig {
	t.Helper()
	dir := t.TempDir()
	var b *box.Box
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "desk.log"))
			t.Logf("the desk's log ends:\n%s", log[max(0, len(log)-3000):])
			if b != nil {
				log, _ = os.ReadFile(b.Log())
				t.Logf("the box's log ends:\n%s", log[max(0, len(log)-3000):])
			}
		}
	})
	chain, key := desktest.Certificate(t, "localhost")
	write(t, dir, "tls.pem", chain)
	write(t, dir, "tls.key", key)
	write(t, dir, "api.key", []byte(stripesim.Key))
	identity, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	till, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := stripesim.Serve(till, &tls.Config{Certificates: []tls.Certificate{identity}}, nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Leave)
	b, err = box.New(box.Config{Bin: bin, Dir: filepath.Join(dir, "box"), Webhook: "http://127.0.0.1:9/", Secret: box.NewSecret(), Today: "2026-11-22", Lines: lines, Profile: `gateway = "till"`,
		Tables: fmt.Sprintf("[gateway.till]\nkind = \"stripe\"\ncurrency = \"EUR\"\nca_file = %q\nurl = \"https://%s\"\nsecret_file = %q\n", filepath.Join(dir, "tls.pem"), till.Addr(), filepath.Join(dir, "api.key"))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := &rig{Box: b, secret: box.NewSecret()}
	write(t, dir, "crm.secret", []byte(r.secret))
	t.Cleanup(func() { b.Stop() })
	if r.client, err = b.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r.openDesk(t, dir, more)
	return r
}

// openDesk starts flattone-desk, and waits until it answers.
func (r *rig) openDesk(t *testing.T, dir, more string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	r.origin = fmt.Sprintf("https://localhost:%d", port)
	write(t, dir, "desk.toml", fmt.Appendf(nil, "version = 1\nlisten = \"127.0.0.1:%d\"\norigin = %q\ncert_file = \"tls.pem\"\nkey_file = \"tls.key\"\nadmin_socket = %q\n%s\n",
		port, r.origin, filepath.Join(dir, "box", "run", "admin.sock"), more))
	log, err := os.Create(filepath.Join(dir, "desk.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, "flattone-desk"), "--config", filepath.Join(dir, "desk.toml"))
	cmd.Stdout, cmd.Stderr = log, log
	desk, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-desk.Gone()
	})
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		resp, err := trusting.Get(r.origin + "/signin")
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the desk doesn't answer: %v", err)
		}
	}
}

// code is a technician's for an agent.
func (r *rig) code(t *testing.T, agent string) string {
	t.Helper()
	c, err := r.client.Pair(t.Context(), control.Pairing{Agent: agent})
	if err != nil {
		t.Fatal(err)
	}
	return c.Code
}

// hear answers with which of the words were spoken on a line, in order, by their places in the list. It hears by the samples of what the agent's ear was given.
func (r *rig) hear(t *testing.T, line string, choice []string) (first, second int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		heard, err := os.ReadFile(r.Heard(line))
		if err != nil {
			continue
		}
		found := map[int]int{} // by place in the recording
		for i, word := range choice {
			frames, err := words.Frames("en", word, audio.Rate8k)
			if err != nil {
				t.Fatal(err)
			}
			var pcm bytes.Buffer
			binary.Write(&pcm, binary.LittleEndian, frames)
			if at := bytes.LastIndex(heard, pcm.Bytes()); at >= 0 {
				found[at] = i
			}
		}
		if len(found) < 2 {
			continue
		}
		last, before := -1, -1
		for at := range found {
			if at > last {
				last, before = at, last
			} else if at > before {
				before = at
			}
		}
		return found[before], found[last]
	}
	t.Fatalf("no two of %v were spoken on line %s", choice, line)
	return 0, 0
}

// caller makes a recorded call: keys, and pauses of as many tenths of a second as a number in braces says.
func caller(t *testing.T, script string) string {
	t.Helper()
	const rate = audio.Rate8k
	frames := make([]int16, rate)
	for rest := script; rest != ""; {
		if pause, after, ok := strings.Cut(rest, "}"); ok && rest[0] == '{' {
			var tenths int
			fmt.Sscan(pause[1:], &tenths)
			frames = append(frames, make([]int16, tenths*int(rate)/10)...)
			rest = after
			continue
		}
		pair, _ := tone.Pair(rest[0], -10, 0)
		frames = tone.Append(frames, rate, 560, 16, pair[:]...)
		frames = append(frames, make([]int16, 560)...)
		rest = rest[1:]
	}
	dir := t.TempDir()
	for name, x := range map[string][]int16{"caller.wav": frames, "agent.wav": make([]int16, len(frames))} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := wav.Append(f, 0, rate)
		if err == nil {
			err = w.Write(x)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

func line(name, call string) box.Line {
	return box.Line{Name: name, Calls: []string{call}, Pace: 1, Gap: time.Second}
}

func write(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
