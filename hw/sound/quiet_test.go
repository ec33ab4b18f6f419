//go:build cgo

package sound_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/flattone/flattone/hw/sound"
)

// Whoever looks for devices over and over, on a machine without cards and without a JACK server, writes nothing to standard error.
func TestLookingIsQuiet(t *testing.T) {
	if os.Getenv(variable) != "" {
		for range 3 {
			if _, err := sound.Devices(); err != nil {
				t.Error(err)
			}
		}
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestLookingIsQuiet$")
	child.Env = append(os.Environ(), variable+"=1", "JACK_DEFAULT_SERVER=flattone-none")
	var said bytes.Buffer
	child.Stderr = &said
	if out, err := child.Output(); err != nil || said.Len() > 0 {
		t.Errorf("%v\n%s\nit writes:\n%s", err, out, said.Bytes())
	}
}
