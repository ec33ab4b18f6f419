package vault

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store/storetest"
)

var records = flag.Int("records", 2000, "how many cards TestScale's vault holds")

// samples is how many captures TestScale times; lookups is how many look-ups.
func samples() int { return min(*records/20, 1000) }

func lookups() int { return 10 * samples() }

// TestScale measures an empty vault and one of as many cards as the flag says, side by side (make bench-vault: ten million). It fails where something isn't
// done, and never for how long it took.
func TestScale(t *testing.T) {
	storetest.OnlySQLite(t, "what is measured is SQLite, whose file is filled behind its back")
	r := newRig(t)
	empty := r.measure(t, "empty", nil)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	tokens := r.fill(t, *records)
	t.Logf("%d cards added in %v; the database has %d MiB", *records, time.Since(begun).Round(time.Second), r.size(t)>>20)
	r.close()
	begun = time.Now()
	again, err := openRig(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %v", time.Since(begun).Round(time.Millisecond))
	*r = *again
	r.measure(t, "while it is looked through", tokens)
	quiet(t)
	full := r.measure(t, fmt.Sprint(*records, " cards"), tokens)
	t.Logf("a capture takes %.2f times as long", float64(full)/float64(empty))
	r.rotate(t)
}

// measure times captures, each beside a flush of as much, and look-ups of cards that it was filled with, or took itself. It answers with the median of a capture.
func (r *rig) measure(t *testing.T, what string, filled []string) time.Duration {
	t.Helper()
	f, err := os.Create(filepath.Join(r.dir, "flushed"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var captures, flushes, looks []time.Duration
	var tokens []string
	for n := range samples() {
		flushes = append(flushes, timed(func() {
			_, err := f.WriteAt(make([]byte, 8<<10), int64(n)*8<<10)
			if err = errors.Join(err, unix.Fdatasync(int(f.Fd()))); err != nil {
				t.Fatal(err)
			}
		}))
		s := another()
		card, err := s.card()
		if err != nil {
			t.Fatal(err)
		}
		captures = append(captures, timed(func() {
			token, err := r.vault.Seal(t.Context(), s.Capture, card)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, token)
		}))
		card.Destroy()
	}
	perSecond := r.sealSideBySide(t)
	if filled == nil {
		filled = tokens
	}
	for range lookups() {
		token := filled[rand.N(len(filled))]
		looks = append(looks, timed(func() {
			if rec, err := r.vault.read(context.Background(), token); err != nil || rec.dek == nil {
				t.Fatalf("%s: %v", token, err)
			}
		}))
	}
	t.Logf("%s: capture %s, of which one flush of 8 KiB %s; look-up %s; 8 lines %.0f captures/s", what, spans(captures), spans(flushes), spans(looks), perSecond)
	slices.Sort(captures)
	return captures[len(captures)/2]
}

// quiet waits until the process has next to nothing to do: a start looks through the file for damage, which takes a core while it lasts.
func quiet(t *testing.T) {
	t.Helper()
	used := func() int64 {
		var of unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &of); err != nil {
			t.Fatal(err)
		}
		return of.Utime.Nano() + of.Stime.Nano()
	}
	begun := time.Now()
	for before := used(); ; before = used() {
		time.Sleep(time.Second)
		if used()-before < int64(50*time.Millisecond) {
			t.Logf("looked through within %v", time.Since(begun).Round(time.Second))
			return
		}
	}
}

// another is a capture whose id is as real ones are.
func another() sample {
	s := visa("")
	s.ID = NewCaptureID(time.Now())
	return s
}

// sealSideBySide is how many captures eight lines get done in a second.
func (r *rig) sealSideBySide(t *testing.T) float64 {
	t.Helper()
	var wg sync.WaitGroup
	begun := time.Now()
	for range 8 {
		wg.Go(func() {
			for range samples() / 2 {
				if _, err := r.seal(another()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(8*(samples()/2)) / time.Since(begun).Seconds()
}

// fill adds cards that came in, one each millisecond, up to now, and answers with the tokens of some. Their keys are sealed as [Vault.Seal] does; what their sealed
// content is nobody asks. The store is closed. They go straight into the file: through the store ten million would take an hour.
func (r *rig) fill(t *testing.T, n int) (some []string) {
	t.Helper()
	version, kek, err := r.vault.ring.newest()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	defer p.wipe()
	sealed, err := keys.Seal(p.dek(), p.plain(), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "state", "flattone.db")+
		"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=ignore_check_constraints(ON)&_pragma=cache_size(-100000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	card, err := tx.Prepare(`INSERT INTO card (token, version, tenant, kind, capture, line, place, profile, brand, last4, expiry_month, expiry_year, created, expires, sealed)
		VALUES ($1, 1, 'main', '` + string(Reusable) + `', $2, 'desk-1', 'trunk-side', 'full', 'visa', '4242', 11, 2031, $3, $4, $5)`)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tx.Prepare("INSERT INTO card_key (token, kek, box) VALUES ($1, $2, $3)")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range n {
		at := now.Add(time.Duration(i-n) * time.Millisecond)
		rec := &record{token: id.New("tok_", at)}
		if i%max(n/lookups(), 1) == 0 {
			some = append(some, rec.token)
		}
		err := rec.wrap(p.dek(), version, kek)
		if err == nil {
			_, err = card.Exec(rec.token, NewCaptureID(at), at.UnixMicro(), at.Add(r.cfg.Retention).UnixMicro(), sealed)
		}
		if err == nil {
			_, err = key.Exec(rec.token, version, rec.dek)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	unix.Sync() // what is measured next doesn't wait for these gigabytes
	return some
}

// rotate seals all keys anew under a new version, and looks that nothing is left and all opens.
func (r *rig) rotate(t *testing.T) {
	t.Helper()
	s := visa("before")
	token := r.mustSeal(t, s)
	if _, err := r.vault.Rotate(t.Context(), "test", "test"); err != nil {
		t.Fatal(err)
	}
	ask := func() {
		if _, err := r.vault.Progress(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first, again := timed(ask), timed(ask)
	t.Logf("in a rotation status counts for %v, and asked again for %v", first.Round(100*time.Microsecond), again.Round(100*time.Microsecond))
	took := timed(func() {
		if err := r.vault.Rewrap(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	p, err := r.vault.Progress(t.Context())
	if err != nil || p.Remaining != 0 || p.Records < int64(*records) {
		t.Errorf("after the rotation: %+v, %v", p, err)
	}
	if err := r.reveals(t, token, s); err != nil {
		t.Error(err)
	}
	t.Logf("%d keys sealed anew in %v: %.0f/s", p.Records, took.Round(time.Millisecond), float64(p.Records)/took.Seconds())
}

func (r *rig) size(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(r.dir, "state", "flattone.db"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func timed(do func()) time.Duration {
	begun := time.Now()
	do()
	return time.Since(begun)
}

// spans are the median and the 99th percentile.
func spans(took []time.Duration) string {
	took = slices.Sorted(slices.Values(took))
	return fmt.Sprintf("p50 %v p99 %v", took[len(took)/2].Round(100*time.Nanosecond), took[len(took)*99/100].Round(100*time.Nanosecond))
}
