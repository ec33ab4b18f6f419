//go:build cgo

package sound

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/card"
)

func TestCardsOfTheKernelAreFoundByWhatIsOpen(t *testing.T) {
	dir := t.TempDir()
	for fd, to := range map[string]string{"0": "/dev/null", "1": "/dev/snd/pcmC1D0p", "2": "/dev/snd/pcmC1D0c", "3": "/dev/snd/controlC2", "4": "/dev/snd/timer",
		"5": "/dev/snd/pcmC12D3c", "6": "socket:[1]", "7": "/elsewhere/dev/snd/pcmC4D0p"} {
		if err := os.Symlink(to, filepath.Join(dir, fd)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "8"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if numbers, err := cardsOpen(dir); err != nil || fmt.Sprint(numbers) != "[1 12]" {
		t.Errorf("cards %v, %v", numbers, err)
	}
	if _, err := cardsOpen(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that can't be read counts as no card")
	}
}

// A card of the kernel has a mixer: where it isn't found, nobody knows what is open.
func TestACardOfTheKernelHasAMixer(t *testing.T) {
	card.New(t)
	l := looker{mixers: []*watched{{name: "hw:7", kernels: true}, {name: "pulse"}}}
	for range 2 {
		if seen := l.look(); seen.err == nil || !strings.Contains(seen.err.Error(), "hw:7") || strings.Contains(seen.err.Error(), "pulse") {
			t.Errorf("%v", seen.err)
		}
	}
}
