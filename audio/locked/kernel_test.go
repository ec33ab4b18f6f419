package locked_test

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/locked/lockedtest"
)

const child = "FLATTONE_LOCKED_CHILD"

// inChild runs the test again, in a process of its own that says so in the environment, below a command if one is given.
func inChild(t *testing.T, wrap ...string) bool {
	t.Helper()
	if os.Getenv(child) != "" {
		return true
	}
	args := append(wrap, os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), child+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
	return false
}

// Where secret memory is refused, by a sandbox or by a kernel without it, pages are locked all the same.
func TestPagesWithoutSecretMemory(t *testing.T) {
	for name, errno := range map[string]unix.Errno{"refused": unix.EPERM, "unknown": unix.ENOSYS} {
		t.Run(name, func(t *testing.T) {
			if !inChild(t) {
				return
			}
			if err := lockedtest.RefuseSecretMemory(errno); err != nil {
				t.Fatal(err)
			}
			for what, get := range map[string]func(int) ([]byte, error){"once": locked.Bytes, "twice": locked.Twice} {
				b, err := get(100)
				if err != nil {
					t.Fatal(err)
				}
				flags := lockedtest.Flags(t, uintptr(unsafe.Pointer(&b[0])))
				for _, want := range []string{"lo", "dd", "dc"} {
					if !slices.Contains(flags, want) {
						t.Errorf("%s: flag %q is missing in %q", what, want, flags)
					}
				}
				if err := locked.Free(b); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Beyond the limit nothing is handed out, and what to do is said.
func TestTheLimitHolds(t *testing.T) {
	if !inChild(t, "prlimit", "--memlock=65536", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock") {
		return
	}
	var held [][]byte
	for range 17 {
		b, err := locked.Bytes(1)
		if err != nil {
			if len(held) < 8 || !strings.Contains(err.Error(), "raise LimitMEMLOCK") {
				t.Errorf("after %d pages: %v", len(held), err)
			}
			for _, b := range held {
				if err := locked.Free(b); err != nil {
					t.Error(err)
				}
			}
			if _, err := locked.Bytes(1); err != nil {
				t.Errorf("once there is room again: %v", err)
			}
			return
		}
		held = append(held, b)
	}
	t.Errorf("%d pages are locked, and 16 are allowed", len(held))
}

// A page that was given back is wiped before the next user has it, can't be used meanwhile, nor given back again.
func TestAPageIsUsedAgain(t *testing.T) {
	b, err := locked.Bytes(100)
	if err != nil {
		t.Fatal(err)
	}
	copy(b, "something")
	if err := locked.Free(b); err != nil {
		t.Fatal(err)
	}
	if err := locked.Free(b); !errors.Is(err, locked.ErrNotLocked) {
		t.Errorf("given back again: %v", err)
	}
	if err := locked.Free(make([]byte, 10)); !errors.Is(err, locked.ErrNotLocked) {
		t.Errorf("a slice of the heap: %v", err)
	}
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if recover() == nil {
				t.Error("a page that was given back can be read")
			}
		}()
		t.Log(b[0])
	}()
	again, err := locked.Bytes(1)
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Free(again)
	if &again[0] != &b[0] {
		t.Error("a page that is idle is not used again")
	}
	if len(again) != os.Getpagesize() || slices.ContainsFunc(again, func(c byte) bool { return c != 0 }) {
		t.Error("the next user doesn't get a page of zeros")
	}
}

// What secret memory promises, as root finds it: the kernel doesn't show it, but to the process itself.
func TestSecretMemoryIsHidden(t *testing.T) {
	if !lockedtest.HasSecretMemory() {
		t.Skip("this kernel has none; what there is instead is tested above")
	}
	b, err := locked.Bytes(1)
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Free(b)
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	if n, err := mem.ReadAt(make([]byte, 1), int64(uintptr(unsafe.Pointer(&b[0])))); n != 0 || err == nil {
		t.Errorf("%d bytes are read by /proc/self/mem (%v)", n, err)
	}
	masked := make([]byte, 16)
	rand.Read(masked)
	for i, m := range masked {
		b[i] = m ^ lockedtest.Mask
	}
	if n := lockedtest.Copies(t, masked)[0]; n != 1 {
		t.Errorf("a process finds %d copies of what lies in its own secret memory", n)
	}
	all, err := lockedtest.Search(os.Getpid(), func([]byte, bool) {})
	if err != nil || all.Hidden < int64(len(b)) {
		t.Errorf("%d bytes are hidden, %v", all.Hidden, err)
	}
}

func BenchmarkAPage(b *testing.B) {
	for b.Loop() {
		m, err := locked.Bytes(100)
		if err != nil {
			b.Fatal(err)
		}
		locked.Free(m)
	}
}
