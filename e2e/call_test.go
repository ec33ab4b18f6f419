package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
)

// delayFrames is the default look-ahead at 8 kHz: 30 ms.
const delayFrames = 240

func oneLine(call string) box.Config {
	return box.Config{Lines: []box.Line{{Name: "one", Calls: []string{filepath.Join(calls, call)}, WaitArmed: true}}}
}

// TestRecordedCallsGiveTheirCards is the product's main job, whole: agent arms, caller keys, card sealed,
// token delivered and verified, nothing readable in what the agent heard.
func TestRecordedCallsGiveTheirCards(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"visa", "amex-corrected"} {
		t.Run(call, func(t *testing.T) {
			want := readTruth(t, call)
			r := newRig(t, oneLine(call))
			r.start(t)
			capture := r.arm(t, "one")
			told := r.wait(t, "the token", kind("one", control.KindToken))
			r.wait(t, "the delivery", func(e control.Event) bool { return e.Delivery == control.DeliveryDelivered })
			r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
			if err := r.Stop(); err != nil {
				t.Fatalf("flattoned did not stop in order: %v", err)
			}
			if told.Capture != capture {
				t.Errorf("the token is for capture %s, armed was %s", told.Capture, capture)
			}
			r.vault(t, func(v *vault.Vault, log *audit.Log) {
				sameCard(t, v, told.Token, want)
				if n, err := log.Verify(t.Context()); err != nil || n < 4 {
					t.Errorf("the audit log has %d entries, %v", n, err)
				}
			})
			var got struct {
				Event struct {
					Type string
					Data struct{ Token, Brand, Last4 string }
				}
			}
			if lines := bytes.Count(r.got.Bytes(), []byte("\n")); lines != 1 {
				t.Fatalf("upstream received %d events", lines)
			}
			if err := json.Unmarshal(r.got.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if d := got.Event.Data; got.Event.Type != vault.EventCaptured || d.Token != told.Token || d.Brand != told.Brand || d.Last4 != told.Last4 {
				t.Error("upstream was told of something else")
			}
			report := attack(t, readWAV(t, filepath.Join(calls, call, "caller.wav")), readWAV(t, r.Heard("one")), want, 0)
			if report.Keys != len(want.Keys) || report.Leaks() {
				t.Errorf("%d of %d keys are readable in what the agent heard", report.Readable, report.Keys)
			}
		})
	}
}

// TestTalkComesThrough: a call without a card is not touched while the line is idle.
func TestTalkComesThroughAnIdleLine(t *testing.T) {
	t.Parallel()
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{filepath.Join(calls, "no-card-just-talk")}}}})
	r.start(t)
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	said, heard := readWAV(t, filepath.Join(calls, "no-card-just-talk", "caller.wav")), readWAV(t, r.Heard("one"))
	if len(heard) < len(said) {
		t.Fatalf("%d frames were said, %d heard", len(said), len(heard))
	}
	for i, v := range heard[delayFrames:] { // the last of them may still be on their way
		if i < len(said) && v != said[i] {
			t.Fatalf("frame %d of the caller did not come through as it was", i)
		}
	}
}

// looking is how tests use a card.
var looking = vault.Rule{Caller: "e2e", Purpose: "compare", Connector: "test", PerHour: 1 << 30}

// vault opens a stopped box's vault in this process.
func (r *rig) vault(t *testing.T, look func(*vault.Vault, *audit.Log)) {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Dir: r.State(), Postgres: r.shared})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log, err := audit.New(ctx, audit.Config{KeyFile: filepath.Join(r.State(), "audit.key")}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	root, err := keys.OpenFile(filepath.Join(r.dir, "vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.New(ctx, vault.Config{Rules: []vault.Rule{looking}}, vault.Deps{Store: db, Root: root, Audit: log,
		Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	look(v, log)
}

// sameCard compares a sealed card with a recording's truth. Neither is ever printed.
func sameCard(t *testing.T, v *vault.Vault, token string, want truth) {
	t.Helper()
	err := v.Use(context.Background(), vault.Use{Token: token, Caller: looking.Caller, Purpose: looking.Purpose, Connector: looking.Connector}, func(card *secret.Card) error {
		if string(card.PAN.Reveal()) != want.Card.PAN || string(card.Expiry.Reveal()) != want.Card.Expiry {
			t.Error("the sealed card differs from what was keyed")
		}
		if card.CVV.Len() != 0 {
			t.Error("the vault holds a CVV")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func readWAV(t *testing.T, path string) []int16 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frames, _, err := wav.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// attack judges a recording in which the call's first frame lies at offset.
func attack(t *testing.T, said, heard []int16, call truth, offset int) adversary.Report {
	t.Helper()
	c := adversary.Case{Rate: audio.Rate8k, In: said, Out: heard[offset:min(len(heard), offset+len(said)+delayFrames)], DelayFrames: delayFrames, FlatTone: adversary.OurFlatTone()}
	for _, k := range call.Keys {
		d, _ := audio.NewDigit(k.Digit[0])
		c.Keys = append(c.Keys, adversary.Key{Symbol: d, Start: audio.Position(k.Start), End: audio.Position(k.End)})
	}
	report, err := adversary.Judge(c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
