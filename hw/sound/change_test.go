package sound_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw/sound"
)

// A change that comes while somebody looks at the cards is not missed.
func TestChangesAreKept(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c, err := sound.Watch(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "file")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c.Next(t.Context())
		first := time.Since(began)
		c.Next(t.Context())
		if second := time.Since(began) - first; first != 100*time.Millisecond || second < 500*time.Millisecond {
			t.Errorf("a change is noticed after %v, none after %v", first, second)
		}
	})
}
