// Package native builds the test devices that are written in C, once for each state of their source, into the repository's build folder.
//
// It never skips a test: without a compiler or headers it fails, and says what to install.
package native

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

// building holds back tests of one process that want the same.
var building sync.Mutex

// Build is the path of a file that gcc makes of the sources in a folder of hw/hwtest, with further arguments. Packages are those to install where it can't.
func Build(t testing.TB, folder, packages string, args ...string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path, err := build(folder, args)
	if err != nil {
		t.Fatalf("build %s: %v: apt-get install gcc libc6-dev %s", folder, err, packages)
	}
	return path
}

func build(folder string, args []string) (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("where is it? run the tests without -trimpath")
	}
	hwtest := filepath.Join(filepath.Dir(here), "..")
	sources, _ := filepath.Glob(filepath.Join(hwtest, folder, "*.c")) // the pattern is good
	if sources == nil {
		return "", errors.New("there is no source: run the tests from a checkout, without -trimpath")
	}
	sum := sha256.New()
	for _, source := range sources {
		code, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		sum.Write(code)
	}
	dir := filepath.Join(hwtest, "..", "..", "build", "hwtest")
	path := filepath.Join(dir, fmt.Sprintf("%s-%x", folder, sum.Sum(nil)))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Another process may be building it: each builds its own, and the last one stays.
	own := fmt.Sprintf("%s.%d", path, os.Getpid())
	gcc := exec.Command("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", own)
	gcc.Args = append(append(gcc.Args, sources...), args...)
	if out, err := gcc.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, os.Rename(own, path)
}
