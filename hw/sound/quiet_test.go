//go:build cgo

package sound_test

import (
	"testing"

	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/sound"
)

// Whoever looks for devices over and over, on a machine without cards and without a JACK server, writes nothing to standard error.
func TestLookingIsQuiet(t *testing.T) {
	if hwtest.IsApart() {
		for range 3 {
			if _, err := sound.Devices(); err != nil {
				t.Error(err)
			}
		}
		return
	}
	t.Setenv("JACK_DEFAULT_SERVER", "flattone-none")
	if said := hwtest.Apart(t, t.Name()); len(said) > 0 {
		t.Errorf("it writes:\n%s", said)
	}
}
