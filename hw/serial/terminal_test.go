package serial

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/modem"
	"go.uber.org/goleak"
)

// TestTerminals: on real terminals, at the machine's pace, all that is said is heard; and a port that vanishes leaves nothing behind that would spin.
func TestTerminals(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.String(), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			said := noise(8000 * 10)
			if kind == modem.V253 {
				said = coarse(said)
			}
			far := modem.New(t, modem.Spec{Kind: kind, In: said})
			r := newTerminalRig(t, far, kind)
			r.said = said
			r.up()
			r.talk()
			time.Sleep(2 * time.Second)
			base := r.begins()
			if where := differ(r.hears()[base:], r.through(r.said)); where != "" {
				t.Errorf("what was heard isn't what was said %s", where)
			}
			whole, all := 0, 0
			for at := len(far.Heard()) - 800; at > 800; at -= 160 { // a machine that is busy makes gaps
				all++
				if _, ok := r.played(base, at); ok {
					whole++
				}
			}
			if 2*whole < all {
				t.Errorf("of %d blocks that were filled only %d are played whole", all, whole)
			}
			if _, err := Open(r.cfg); !errors.Is(err, hw.ErrBusy) {
				t.Errorf("a second owner gets %v", err)
			}
			far.Vanish()
			r.gone()
			r.stop()
			if err := r.m.Close(); err != nil {
				t.Error(err)
			}
			if _, err := Open(r.cfg); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a port that is away opens: %v", err)
			}
		})
	}
}

func newTerminalRig(t *testing.T, far *modem.Modem, kind modem.Kind) *rig {
	t.Helper()
	at, sound := far.TTYs()
	p := profiles[kind]
	p.Baud, p.Frame = 115200, 20*time.Millisecond
	r := &rig{t: t, far: far, cfg: Config{Profile: p, Port: at, Sound: sound, LockDir: t.TempDir()}}
	var err error
	if r.m, err = Open(r.cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOneOwnerByAnyName: two names of a port are one port.
func TestOneOwnerByAnyName(t *testing.T) {
	far := modem.New(t, modem.Spec{Kind: modem.V253})
	r := newTerminalRig(t, far, modem.V253)
	defer r.m.Close()
	link := filepath.Join(t.TempDir(), "by-id")
	if err := os.Symlink(r.cfg.Port, link); err != nil {
		t.Fatal(err)
	}
	cfg := r.cfg
	cfg.Port = link
	if _, err := Open(cfg); !errors.Is(err, hw.ErrBusy) {
		t.Errorf("a second owner gets %v", err)
	}
}

func TestConfigsThatDoNotOpen(t *testing.T) {
	good := Config{Profile: profiles[modem.Quectel], Port: "/dev/ttyUSB2", Sound: "/dev/ttyUSB1", LockDir: t.TempDir()}
	good.Profile.Frame = 20 * time.Millisecond
	for says, spoil := range map[string]func(*Config){
		"kind":           func(c *Config) { c.Profile.Kind = "fax" },
		"at a time":      func(c *Config) { c.Profile.Frame = time.Second },
		"another for":    func(c *Config) { c.Sound = c.Port },
		"no folder":      func(c *Config) { c.LockDir = "" },
		"needs its port": func(c *Config) { c.Port = "" },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v doesn't say %q", err, says)
		}
	}
}
