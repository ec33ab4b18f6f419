package locked_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/locked/lockedtest"
)

// marked fills b with bytes of a seed's, which are nowhere else.
func marked(b []byte, seed uint64) []byte {
	from := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(from.Uint32())
	}
	return b
}

// Of a process that may be dumped, the kernel's own core has what lies in the heap, and nothing of a locked page, secret or not.
func TestNoCoreHoldsAPage(t *testing.T) {
	if where := os.Getenv(child); where != "" {
		dumps(t, strings.HasPrefix(where, "secret"))
		return
	}
	if pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern"); err != nil || bytes.ContainsAny(pattern, "|/") {
		t.Skipf("this kernel's cores go elsewhere: %s", pattern)
	}
	for _, kind := range []string{"secret", "ordinary"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoCoreHoldsAPage$")
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), child+"="+kind)
		out, err := cmd.CombinedOutput()
		cores, _ := filepath.Glob(filepath.Join(cmd.Dir, "core*"))
		if err == nil || len(cores) != 1 {
			t.Fatalf("%s memory: %d cores of a process that was to crash, %v\n%.1000s", kind, len(cores), err, out)
		}
		core, err := os.ReadFile(cores[0])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(core, marked(make([]byte, 16), 1)) {
			t.Errorf("%s memory: the core lacks even what lies in the heap: this looks at the wrong thing", kind)
		}
		if bytes.Contains(core, marked(make([]byte, 16), 2)) {
			t.Errorf("%s memory: the core has what lies in a locked page", kind)
		}
	}
}

var kept []byte

// dumps crashes with one mark in the heap and one in a locked page.
func dumps(t *testing.T, secret bool) {
	if !secret {
		if err := lockedtest.RefuseSecretMemory(unix.ENOSYS); err != nil {
			t.Fatal(err)
		}
	}
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &most); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: most.Max, Max: most.Max}); err != nil {
		t.Fatal(err)
	}
	page, err := locked.Bytes(16)
	if err != nil {
		t.Fatal(err)
	}
	kept = marked(make([]byte, 16), 1)
	marked(page[:16], 2)
	debug.SetTraceback("crash")
	go panic("with a core")
	select {}
}
