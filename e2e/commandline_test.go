package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestArgumentsAreRefused: to the daemons an argument that is no flag is a mistake, and starts nothing.
func TestArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"flattoned", "flattone-line", "flattone-desk"} {
		cmd := exec.Command(filepath.Join(bin, name), "--config", "none.toml", "foo")
		text, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 2 {
			t.Errorf("%s ended with %d", name, code)
		}
		says(t, string(text), name+`: it takes no argument, and "foo" is one`, "-config")
	}
}
