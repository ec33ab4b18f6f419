package vault

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// logged are the results of an action, in the order of the log.
func (r *rig) logged(t *testing.T, action string) (results []string) {
	t.Helper()
	all, err := r.audit.Recent(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Action == action {
			results = append(results, e.Result)
		}
	}
	slices.Reverse(results)
	return results
}

// A fingerprint key that vanishes isn't made anew in silence: the vault stays shut until it is back, or given up in the configuration.
func TestALostFingerprintKey(t *testing.T) {
	cfg := config()
	cfg.Destinations[0].Fingerprint = true
	dir := t.TempDir()
	opened := func(cfg Config) *rig {
		t.Helper()
		r, err := openRigAs(t.Context(), dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := opened(cfg)
	r.mustSeal(t, visa("a"))
	r.close()
	r = opened(cfg)
	r.mustSeal(t, visa("b"))
	told := r.told(t)
	if first := told[0].Fingerprint; first == "" || told[1].Fingerprint != first {
		t.Errorf("after a restart the card has the fingerprint %q, and had %q", told[1].Fingerprint, first)
	}
	all, err := r.vault.Certificates(t.Context())
	if err != nil || len(all) != 1 || all[0].Kind != "fingerprint-webhook" || !strings.Contains(string(all[0].Note), "Destination: webhook\n") {
		t.Errorf("certificates %+v, %v", all, err)
	}
	if made := r.logged(t, "key.fingerprint_made"); len(made) != 1 {
		t.Errorf("the log has %q", made)
	}
	r.edit(t, "DELETE FROM safe WHERE purpose = 'fingerprint'")
	r.close()

	if _, err := openRigAs(t.Context(), dir, cfg); !errors.Is(err, ErrFingerprintLost) || !strings.Contains(err.Error(), "that of webhook") {
		t.Errorf("with a key that vanished it opens: %v", err)
	}
	off := cfg
	off.Destinations = []Destination{{Name: "webhook"}}
	r = opened(off)
	if lost, given := r.logged(t, "key.fingerprint_lost"), r.logged(t, "key.fingerprint_given_up"); len(lost) != 1 || lost[0] == "ok" || len(given) != 1 {
		t.Errorf("the log has %q and %q", lost, given)
	}
	r.close()
	r = opened(cfg)
	defer r.close()
	r.mustSeal(t, visa("c"))
	if now := r.told(t)[2].Fingerprint; now == "" || now == told[0].Fingerprint {
		t.Errorf("by a new key the card has the fingerprint %q", now)
	}
}

// Fingerprints that are switched off for a while are the same afterwards.
func TestFingerprintsSwitchedOff(t *testing.T) {
	cfg := config()
	dir := t.TempDir()
	for i, on := range []bool{true, false, true} {
		cfg.Destinations = []Destination{{Name: "webhook", Fingerprint: on}}
		r, err := openRigAs(t.Context(), dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		r.mustSeal(t, visa(string(rune('a'+i))))
		if told := r.told(t); i == 2 && (told[0].Fingerprint != told[2].Fingerprint || told[1].Fingerprint != "") {
			t.Errorf("told %q, %q, %q", told[0].Fingerprint, told[1].Fingerprint, told[2].Fingerprint)
		}
		r.close()
	}
}
