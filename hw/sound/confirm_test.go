//go:build cgo

package sound

import (
	"errors"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound/cards"
	"github.com/gordonklaus/portaudio"
)

// A card is opened by its number, and the number may become another card's between being looked up and being used.
func TestANumberThatChangesWhileItIsUsed(t *testing.T) {
	sys := card.NewSys(t)
	card.New(t, card.Spec{Name: "A", HW: "1,0", Rate: 8000})
	plug := func(number int, port, ids string) { sys.Plug(card.USB{Number: number, Port: port, IDs: ids}) }
	plug(1, "1.1", "08bb:2912")
	known := cards.Known{"trunk": {Identity: cards.Identity{Place: "pci-0000:00:14.0-usb-1.1", IDs: "08bb:2912"}}}
	cfg := Config{Kernel: cards.Kernel{Sys: sys.Root}, Known: known, LockDir: t.TempDir()}
	if err := initialize(true); err != nil {
		t.Fatal(err)
	}
	defer portaudio.Terminate()
	for _, c := range []struct {
		name    string
		between func()
		want    error
	}{
		{"nothing happens", func() {}, nil},
		{"plugged in anew, same number", func() { sys.Pull(1); plug(1, "1.1", "08bb:2912") }, ErrAbsent},
		{"another number", func() { sys.Pull(1); plug(1, "2", "1235:8211"); plug(2, "1.1", "08bb:2912") }, ErrAbsent},
	} {
		_, confirm, err := cfg.find("trunk")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		c.between()
		if err := confirm(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
