package locked_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/flattone/flattone/audio/locked"
)

// vmFlags are the kernel's flags of the mapping that holds addr (proc(5), smaps).
func vmFlags(t *testing.T, addr uintptr) string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inside := false
	for s := bufio.NewScanner(f); s.Scan(); {
		var lo, hi uintptr
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &lo, &hi); n == 2 {
			inside = lo <= addr && addr < hi
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && inside {
			return flags + " "
		}
	}
	t.Fatal("mapping not found")
	return ""
}

func TestPagesAreLockedUndumpableAndWipedOnFork(t *testing.T) {
	b, err := locked.Bytes(100)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 100 {
		t.Fatalf("asked for 100 bytes, got %d", len(b))
	}
	flags := vmFlags(t, uintptr(unsafe.Pointer(&b[0])))
	for _, want := range []string{" lo ", " dd ", " wf "} {
		if !strings.Contains(flags, want) {
			t.Errorf("flag %q is missing in %q", want, flags)
		}
	}
	if err := locked.Free(b); err != nil {
		t.Fatal(err)
	}
	if err := locked.Free(nil); err != nil {
		t.Errorf("freeing nothing: %v", err)
	}
}

func TestNewPlacesAZeroValueThere(t *testing.T) {
	type state struct {
		n    int
		hist [4096]float32
	}
	if locked.HasPointers[state]() {
		t.Fatal("state holds no pointer")
	}
	s, free, err := locked.New[state]()
	if err != nil {
		t.Fatal(err)
	}
	s.hist[4095] = 1
	if s.n != 0 || !strings.Contains(vmFlags(t, uintptr(unsafe.Pointer(s))), " lo ") {
		t.Error("not a zero value in locked memory")
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
}

func TestHasPointers(t *testing.T) {
	for name, c := range map[string]struct{ got, want bool }{
		"int":    {locked.HasPointers[int](), false},
		"array":  {locked.HasPointers[[3]complex128](), false},
		"slice":  {locked.HasPointers[[]byte](), true},
		"string": {locked.HasPointers[string](), true},
		"nested": {locked.HasPointers[struct{ a [2]struct{ p *int } }](), true},
		"empty":  {locked.HasPointers[[0]*int](), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}
