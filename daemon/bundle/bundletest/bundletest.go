// Package bundletest opens a support bundle as its reader would.
//
// It exists because whoever adds to a bundle has to show what comes out of it, package and tool alike, by the same means. It fails the test that asks, and
// knows nothing of what is in a bundle: an archive that isn't whole fails as well.
package bundletest

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"testing"
)

// Unpack is what is in a bundle, by name.
func Unpack(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for tape := tar.NewReader(zip); ; {
		h, err := tape.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tape)
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = string(text)
	}
}
