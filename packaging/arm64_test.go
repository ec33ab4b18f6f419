package packaging

import (
	"bytes"
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/wav"
)

var sysroot = flag.String("sysroot", "", "what the package for arm64 was built against; without one that isn't looked at (make package-arm64)")

// TestARM64: what the package for 64-bit ARM has in it is for that, finds its libraries, and works, as far as a processor that is emulated can show: a line's
// process looks for devices by PortAudio, and lets a recorded caller through to the bit.
func TestARM64(t *testing.T) {
	if *sysroot == "" {
		t.Skip("there is nothing to run it in: make package-arm64")
	}
	dir, site := t.TempDir(), t.TempDir()
	run(t, "dpkg-deb", "--extract", built(t, "arm64"), dir)
	for name := range programs {
		file, err := elf.Open(filepath.Join(dir, "usr/bin", name))
		if err != nil {
			t.Fatal(err)
		}
		if file.Close(); file.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is for %v", name, file.Machine)
		}
	}
	program := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command("qemu-aarch64-static", append([]string{"-L", *sysroot, filepath.Join(dir, "usr/bin", name)}, args...)...)
		cmd.Dir, cmd.Env = site, append(os.Environ(), "GOTRACEBACK=none") // or they would start over, on this machine's own processor
		return cmd
	}
	says := func(want string, cmd *exec.Cmd) {
		t.Helper()
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(want)) {
			t.Fatalf("%s: %v: %s", cmd, err, out)
		}
	}
	if err := os.Mkdir(filepath.Join(site, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(site, "flattone.toml"), config(t))
	put(t, filepath.Join(site, "vault.key"), strings.Repeat("k", 32))
	says("a new webhook secret", program("flattone", "secret", "new", "webhook.secret"))
	says("good, 1 line", program("flattone", "check", "flattone.toml"))
	says("-config", program("flattoned", "-h"))
	says("-line name", program("flattone-line", "-h"))
	ask := program("flattone-line", "--config", "flattone.toml", "--answer")
	ask.Stdin = strings.NewReader("{\"devices\":true}\n")
	says("{", ask)
	passes(t, program("flattone-line", "--config", "flattone.toml", "--line", "one"), filepath.Join(site, "agent.wav"))
}

// passes runs an idle line until its agent was given all that the caller says, and compares.
func passes(t *testing.T, line *exec.Cmd, agent string) {
	t.Helper()
	var said bytes.Buffer
	line.Stderr = &said
	if err := line.Start(); err != nil {
		t.Fatal(err)
	}
	want := frames(t, filepath.Join(call(t), "caller.wav"))
	whole := int64(44 + 2*(8000+240+len(want)))
	for late := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if info, err := os.Stat(agent); err == nil && info.Size() > whole {
			break
		}
		if time.Now().After(late) {
			t.Errorf("the agent was not given the whole call")
			break
		}
	}
	line.Process.Signal(os.Interrupt)
	if err := line.Wait(); err != nil || t.Failed() {
		t.Fatalf("the line ended with %v, and said:\n%s", err, &said)
	}
	got := frames(t, agent)[8000+240:] // the silence before a recorded call, and the look-ahead
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("after %d frames of speech the agent is given %d, and the caller said %d", i, got[i], want[i])
		}
	}
}

func frames(t *testing.T, file string) []int16 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, _, err := wav.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// call is a recorded one without a key in it.
func call(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../data/calls/no-card-just-talk")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func config(t *testing.T) string {
	return `version = 1
state_dir = "state"
runtime_dir = "run"
[vault]
key_file = "vault.key"
[upstream.webhook]
url = "http://127.0.0.1:1/"
secret_file = "webhook.secret"
[profile.card]
[[line]]
name = "one"
place = "trunk-side"
profile = "card"
[line.wav]
caller_in = ["` + call(t) + `/caller.wav"]
agent_in = ["` + call(t) + `/agent.wav"]
agent_out = "agent.wav"
caller_out = "caller.wav"
pace = 0
`
}

func put(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
