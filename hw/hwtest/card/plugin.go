package card

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// plugin is the path of the built plugin.
func plugin(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// built builds the plugin into the repository's build folder, unless these very sources have been built there before.
var built = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("card: where is vcard.c? run the tests without -trimpath")
	}
	var sources []string
	var code []byte
	for _, name := range []string{"vcard.c", "mixer.c"} {
		source := filepath.Join(filepath.Dir(here), "..", "vcard", name)
		text, err := os.ReadFile(source)
		if err != nil {
			return "", fmt.Errorf("card: %w: run the tests from a checkout, without -trimpath", err)
		}
		sources, code = append(sources, source), append(code, text...)
	}
	dir := filepath.Join(filepath.Dir(here), "..", "..", "..", "build", "vcard")
	path := filepath.Join(dir, fmt.Sprintf("vcard-%x.so", sha256.Sum256(code)))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("card: %w", err)
	}
	// Another test may be building it: each builds its own, and the last one stays.
	own := fmt.Sprintf("%s.%d", path, os.Getpid())
	gcc := exec.Command("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-DPIC", "-o", own)
	gcc.Args = append(append(gcc.Args, sources...), "-lasound")
	if out, err := gcc.CombinedOutput(); err != nil {
		return "", fmt.Errorf("card: build the virtual card: %w: apt-get install gcc libc6-dev libasound2-dev\n%s", err, out)
	}
	return path, os.Rename(own, path)
})
