package powercut

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// writeIn names the folder in which this process, started by a test, writes, and how.
const writeIn = "FLATTONE_TEST_WRITE"

func TestMain(m *testing.M) {
	if how, dir, ok := strings.Cut(os.Getenv(writeIn), ":"); ok {
		if err := ways[how](dir); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ways are how a process may write pages that it then says are safe. Page n is two sectors of the byte n.
var ways = map[string]func(dir string) error{
	"flushed":           func(dir string) error { return pages(dir, true, true) },
	"file not flushed":  func(dir string) error { return pages(dir, false, true) },
	"name not flushed":  func(dir string) error { return pages(dir, true, false) },
	"replaced":          func(dir string) error { return replace(dir, true) },
	"replaced too soon": func(dir string) error { return replace(dir, false) },
}

func page(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 2*sector) }

func pages(dir string, flushFile, flushName bool) error {
	f, err := os.OpenFile(filepath.Join(dir, "f"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil && flushName {
		err = flushFolder(dir)
	}
	for n := 1; n <= 20 && err == nil; n++ {
		if _, err = f.WriteAt(page(n), int64(n-1)*2*sector); err == nil && flushFile {
			err = f.Sync()
		}
		fmt.Println(n)
	}
	return err
}

func replace(dir string, flushFile bool) (err error) {
	for n := 1; n <= 20 && err == nil; n++ {
		var f *os.File
		if f, err = os.Create(filepath.Join(dir, "new")); err == nil {
			_, err = f.Write(bytes.Repeat(page(n), n))
		}
		if err == nil && flushFile {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close(), os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "f")), flushFolder(dir))
		fmt.Println(n)
	}
	return err
}

func flushFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func record(t *testing.T, how string) *Trace {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writeIn+"="+how+":"+dir)
	trace, err := Record(t.Context(), dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if said := trace.Said(trace.Moments()); !strings.HasSuffix(said, "\n20\n") {
		t.Fatalf("it said %q", said)
	}
	return trace
}

// TestCut cuts the power of processes that flush all they say is safe, and of those that leave out one flush. Of the first nothing that was said may be
// lost; the others must be caught.
func TestCut(t *testing.T) {
	for how := range ways {
		t.Run(how, func(t *testing.T) {
			trace := record(t, how)
			lost := 0
			for seed := range uint64(200) {
				r := rand.New(rand.NewPCG(seed, 0))
				moment, dir := r.IntN(trace.Moments()+1), t.TempDir()
				if err := trace.Cut(moment, r, dir); err != nil {
					t.Fatal(err)
				}
				safe := strings.Count(trace.Said(moment), "\n")
				content, _ := os.ReadFile(filepath.Join(dir, "f"))
				if strings.HasPrefix(how, "replaced") && len(content) > 0 { // whole, and no older than said
					if n := int(content[0]); n < safe || !bytes.Equal(content, bytes.Repeat(page(n), n)) {
						lost++
					}
					continue
				}
				for n := 1; n <= safe; n++ {
					if len(content) < n*2*sector || !bytes.Equal(content[(n-1)*2*sector:n*2*sector], page(n)) {
						lost++
						break
					}
				}
			}
			if honest := how == "flushed" || how == "replaced"; honest != (lost == 0) {
				t.Errorf("%d of 200 cuts lost what was safe", lost)
			}
		})
	}
}

// TestTornPage: of what wasn't flushed either sector may be there without the other.
func TestTornPage(t *testing.T) {
	trace := record(t, "file not flushed")
	seen := map[[2]bool]bool{}
	for seed := range uint64(200) {
		dir := t.TempDir()
		if err := trace.Cut(trace.Moments(), rand.New(rand.NewPCG(seed, 0)), dir); err != nil {
			t.Fatal(err)
		}
		if content, _ := os.ReadFile(filepath.Join(dir, "f")); len(content) >= 2*sector {
			seen[[2]bool{content[0] == 1, content[sector] == 1}] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("of the four states of a page, these came: %v", seen)
	}
}
