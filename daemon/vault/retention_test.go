package vault

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

// gone fails the test unless nothing is left of a card but that there was one.
func (r *rig) gone(t *testing.T, token string, why Why) {
	t.Helper()
	if err := r.vault.Use(t.Context(), charge(token), nothing); !errors.Is(err, ErrShredded) {
		t.Errorf("%s: %v, want ErrShredded", token, err)
	}
	var cards, boxes, aliases int
	var said Why
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.One([]any{&cards, &boxes, &aliases, &said}, `SELECT (SELECT COUNT(*) FROM card WHERE token = $1), (SELECT COUNT(*) FROM card_key WHERE token = $1),
			(SELECT COUNT(*) FROM alias WHERE token = $1), (SELECT why FROM shred WHERE token = $1)`, token)
	})
	if err != nil || cards+boxes+aliases != 0 || said != why {
		t.Errorf("%s: %d cards, %d keys, %d aliases are left, and it says %q, want %q (%v)", token, cards, boxes, aliases, said, why, err)
	}
}

// Cards are shredded when their time is over: each kind at its own, but for those on hold. A second purge finds nothing.
func TestPurge(t *testing.T) {
	cfg := config()
	cfg.Destinations[0].Own = true
	r := newRigAs(t, cfg)
	kept, once, flight, held := r.mustSeal(t, visa("a")), r.mustSeal(t, of(Once, "b")), r.mustSeal(t, of(Flight, "c")), r.mustSeal(t, visa("d"))
	if err := r.vault.Hold(t.Context(), "anna", held, "a dispute"); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Hold(t.Context(), "anna", held, "a dispute"); !errors.Is(err, ErrHoldSame) {
		t.Errorf("held twice: %v", err)
	}
	for _, reason := range []string{"", "the card is 4242424242424242", "4242 4242 4242 4242", "4-2-4-2-4-2-4-2-4-2-4-2", "\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662",
		"two\nlines", strings.Repeat("x", 201)} {
		if err := r.vault.Hold(t.Context(), "anna", kept, reason); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is taken for a reason: %v", reason, err)
		}
	}
	if all, err := r.vault.Held(t.Context(), 5); err != nil || len(all) != 1 || all[0].Token != held || all[0].Hold == nil || all[0].Hold.Reason != "a dispute" || all[0].Hold.By != "anna" {
		t.Errorf("on hold are %+v, %v", all, err)
	}
	if err := r.vault.Shred(t.Context(), "anna", held); !errors.Is(err, ErrOnHold) {
		t.Errorf("on hold, it is shredded: %v", err)
	}
	now := time.Now()
	for _, step := range []struct {
		after time.Duration
		want  Purged
	}{
		{23 * time.Hour, Purged{}},
		{25 * time.Hour, Purged{Cards: 2, Unresolved: 1}},
		{25 * time.Hour, Purged{}},
		{r.cfg.Retention + time.Hour, Purged{Cards: 1, Held: 1}},
	} {
		if got, err := r.vault.Purge(t.Context(), now.Add(step.after)); err != nil || got != step.want {
			t.Errorf("after %s: %+v, %v, want %+v", step.after, got, err, step.want)
		}
	}
	r.gone(t, kept, Expired)
	r.gone(t, once, Expired)
	r.gone(t, flight, Unresolved)
	if err := r.reveals(t, held, visa("d")); err != nil {
		t.Errorf("on hold, it doesn't open: %v", err)
	}
	if err := r.vault.Release(t.Context(), "anna", held); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Shred(t.Context(), "anna", held); err != nil {
		t.Fatal(err)
	}
	r.gone(t, held, Asked)
	if err := r.vault.Shred(t.Context(), "anna", held); !errors.Is(err, ErrShredded) {
		t.Errorf("shredded twice: %v", err)
	}
	if err := r.vault.Shred(t.Context(), "anna", "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("one that there never was: %v", err)
	}
}

func TestResolve(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, of(Flight, "a"))
	if err := r.reveals(t, token, visa("a")); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Resolve(t.Context(), "payment", token); err != nil {
		t.Fatal(err)
	}
	r.gone(t, token, Resolved)
	if again := r.mustSeal(t, of(Flight, "a")); again != token {
		t.Error("resent after that, the capture got another token")
	}
}

// What is shredded is on the disk no more, neither in the file nor in its log.
func TestShreddedIsGoneFromTheDisk(t *testing.T) {
	storetest.OnlySQLite(t, "in PostgreSQL's files it stays, sealed, until they are vacuumed: the certificate names the version whose destruction ends it")
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	var box []byte
	err := r.db.Read(t.Context(), func(tx *store.Tx) error { return tx.One([]any{&box}, "SELECT box FROM card_key") })
	if err != nil {
		t.Fatal(err)
	}
	if !r.onDisk(t, box) {
		t.Fatal("the key isn't there before: this looks at the wrong thing")
	}
	if err := r.vault.Shred(t.Context(), "anna", token); err != nil {
		t.Fatal(err)
	}
	if r.onDisk(t, box) {
		t.Error("a shredded card's key is still on the disk")
	}
}

// A restored copy from before is made to follow the purge log.
func TestReplay(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	r.edit(t, "INSERT INTO shred (token, capture, kind, why, kek, shredded) SELECT token, capture, kind, 'asked', 1, 1 FROM card")
	var n int64
	err := r.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		n, err = Replay(tx)
		return err
	})
	if err != nil || n != 1 {
		t.Errorf("%d cards, %v", n, err)
	}
	r.gone(t, token, Asked)
}

// The housework, in virtual time: a card in flight ends after a day, a key version after its cryptoperiod or its records.
func TestHousework(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.RotateAfter, cfg.RotateRecords = 28*time.Hour, 4
		r, err := openRigAs(t.Context(), t.TempDir(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		var told []Purged
		stopped := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(stopped)
			r.vault.Run(ctx, func(p Purged, err error) {
				if err != nil {
					t.Error(err)
				}
				told = append(told, p)
			})
		}()
		flight := r.mustSeal(t, of(Flight, "a"))
		time.Sleep(24*time.Hour + 2*time.Minute)
		synctest.Wait()
		if len(told) != 1 || told[0] != (Purged{Cards: 1, Unresolved: 1}) {
			t.Errorf("told of %+v", told)
		}
		r.gone(t, flight, Unresolved)
		for _, id := range []string{"b", "c", "d"} { // three records end a version, and sealing their keys anew doesn't end the next
			r.mustSeal(t, visa(id))
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if p, err := r.vault.Progress(t.Context()); err != nil || p.Version != 2 || p.Records != 3 || p.Remaining != 0 {
			t.Errorf("after three records: %+v, %v", p, err)
		}
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if p, err := r.vault.Progress(t.Context()); err != nil || p.Version != 3 || p.Remaining != 0 {
			t.Errorf("after its cryptoperiod: %+v, %v", p, err)
		}
		stop()
		<-stopped
	})
}

// A quarter is certified once it is over, and once.
func TestQuarters(t *testing.T) {
	r := newRig(t)
	if err := r.vault.Shred(t.Context(), "anna", r.mustSeal(t, visa("a"))); err != nil {
		t.Fatal(err)
	}
	r.mustSeal(t, visa("b"))
	now := time.Now().UTC()
	for range 2 {
		for _, later := range []int{0, 3, 3} {
			if err := r.vault.hourly(t.Context(), now.AddDate(0, later, 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := r.vault.Certificates(t.Context())
	if err != nil || len(all) != 1 || !strings.Contains(string(all[0].Note), "Shredded: 1 cards, asked, under key version 1\nOver time now, and not shredded: 0\n") {
		t.Errorf("%d certificates, %v", len(all), err)
	}
}

// What there is to know of kinds of roots.
func TestOffDisk(t *testing.T) {
	for kind, want := range map[keys.Kind]bool{keys.File: false, keys.Host: false, keys.Credential: false, keys.TPM: true, keys.HSM: true, keys.Custodians: true} {
		if kind.OffDisk() != want {
			t.Errorf("%s: %v", kind, !want)
		}
	}
}
