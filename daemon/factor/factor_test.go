package factor

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

// TestVectors are those of RFC 6238, appendix B, and of RFC 4226, appendix D: SHA-1, and the secret of both.
func TestVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := code(secret, step(time.Unix(at, 0)), 8); got != want {
			t.Errorf("at %d it is %s, want %s", at, got, want)
		}
	}
	for n, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := code(secret, int64(n), digits); got != want {
			t.Errorf("number %d is %s, want %s", n, got, want)
		}
	}
}

// house is a real store, log and vault.
type house struct {
	t   *testing.T
	dir string
	db  *store.DB
	log *audit.Log
	*Factors
	began time.Time
	set   time.Duration // how far the wall clock was set
	less  time.Duration // how much of the time that the machine is up was lost in a restart
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), began: time.Now().Add(-100 * time.Hour)}
	if err := os.Chmod(h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "vault.key"), []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	h.open()
	return h
}

func (h *house) state() string { return filepath.Join(h.dir, "state") }

func (h *house) open() {
	h.t.Helper()
	ctx := h.t.Context()
	where, err := storetest.At(h.state())
	if err != nil {
		h.t.Fatal(err)
	}
	if h.db, err = store.Open(ctx, store.Config{Dir: h.state(), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		h.t.Fatal(err)
	}
	if h.log, err = audit.New(ctx, audit.Config{Box: "test", KeyFile: filepath.Join(h.dir, "audit.key")}, audit.Deps{Store: h.db}); err != nil {
		h.t.Fatal(err)
	}
	root, err := keys.OpenFile(filepath.Join(h.dir, "vault.key"))
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := vault.New(ctx, vault.Config{}, vault.Deps{Store: h.db, Root: root, Audit: h.log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		h.t.Fatal(err)
	}
	h.Factors = New(Config{Box: "box-1"}, Deps{Store: h.db, Audit: h.log, Safe: v, Clock: func() lockout.Moment {
		return lockout.Moment{Wall: time.Now().Add(h.set), Up: time.Since(h.began) - h.less}
	}})
}

func (h *house) close() {
	if err := h.db.Close(); err != nil {
		h.t.Error(err)
	}
}

// enroll answers with the secret that anna's authenticator reads.
func (h *house) enroll() []byte {
	h.t.Helper()
	uri, err := h.Enroll(h.t.Context(), "root (anna)", "anna")
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/flattone:anna@box-1" || u.Query().Get("issuer") != "flattone" {
		h.t.Fatalf("enrolled as %s, %v", u.Redacted(), err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil || len(secret) != secretSize {
		h.t.Fatalf("a secret of %d bytes: %v", len(secret), err)
	}
	return secret
}

func (h *house) check(code string) error { return h.Check(h.t.Context(), "root (anna)", "anna", code) }

// wants holds what a check said against what it should.
func (h *house) wants(what string, err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		h.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// now is the code of so many periods from now.
func now(secret []byte, from int64) string { return code(secret, step(time.Now())+from, digits) }

// wrong is none of the codes that could be right now.
func wrong(secret []byte) string {
	for i := range 1_000_000 {
		c := fmt.Sprintf("%06d", i)
		if c != now(secret, -1) && c != now(secret, 0) && c != now(secret, 1) {
			return c
		}
	}
	panic("all codes are right")
}

func inBubble(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(27 * 365 * 24 * time.Hour) // a bubble begins in the year 2000
		h := newHouse(t)
		f(h)
		h.close()
	})
}

func TestACodeIsTakenOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		h.wants("without a factor", h.check("123456"), ErrNone)
		h.wants("asked for, without a factor", h.check(""), ErrNone)
		secret := h.enroll()
		h.wants("asked for", h.check(""), nil)
		if _, err := h.Enroll(h.t.Context(), "anna", "anna"); !errors.Is(err, ErrEnrolled) {
			t.Errorf("a second one: %v", err)
		}
		h.wants("of the period before", h.check(now(secret, -1)), nil)
		h.wants("of this period", h.check(now(secret, 0)), nil)
		h.wants("again", h.check(now(secret, 0)), ErrUsed)
		h.wants("the one before again", h.check(now(secret, -1)), ErrUsed)
		h.wants("of the period after", h.check(now(secret, 1)), nil)
		h.wants("of two periods after", h.check(now(secret, 2)), ErrWrong)
		h.close()
		h.open()
		h.wants("again, after a restart", h.check(now(secret, 1)), ErrUsed)
		time.Sleep(2 * period)
		h.wants("of a later period", h.check(now(secret, 0)), nil)
		if err := h.Check(h.t.Context(), "otto", "otto", now(secret, 1)); !errors.Is(err, ErrNone) {
			t.Errorf("as another: %v", err)
		}
		if err := h.Forget(h.t.Context(), "root", "anna"); err != nil {
			t.Error(err)
		}
		h.wants("forgotten", h.check(now(secret, 1)), ErrNone)
		if err := h.Forget(h.t.Context(), "root", "anna"); !errors.Is(err, ErrNone) {
			t.Errorf("forgotten twice: %v", err)
		}
		if other := h.enroll(); string(other) == string(secret) {
			t.Error("the secret is the old one")
		}
	})
}

func TestFiveWrongCodesLock(t *testing.T) {
	inBubble(t, func(h *house) {
		secret := h.enroll()
		bad := wrong(secret)
		for range maxWrong - 1 {
			h.wants("wrong", h.check(bad), ErrWrong)
		}
		h.wants("a good one starts over", h.check(now(secret, 0)), nil)
		for i := range maxWrong - 1 {
			h.wants("wrong", h.check(wrong(secret)), ErrWrong)
			if i == 1 { // in the middle, and nothing is forgotten
				h.close()
				h.open()
			}
		}
		locked := func(what string, err error, want time.Duration) {
			t.Helper()
			if l, ok := errors.AsType[*lockout.Error](err); !ok || l.Left != want {
				t.Errorf("%s: %v, want locked for %s", what, err, want)
			}
		}
		locked("the fifth", h.check(wrong(secret)), lockout.Time)
		locked("a good one", h.check(now(secret, 1)), lockout.Time)
		locked("asked for", h.check(""), lockout.Time)
		time.Sleep(10 * time.Minute)
		h.close()
		h.open()
		locked("after a restart", h.check(now(secret, 0)), lockout.Time-10*time.Minute)
		h.set = 365 * 24 * time.Hour
		locked("the clock set forward a year", h.check(now(secret, 0)), lockout.Time-10*time.Minute)
		h.set = -365 * 24 * time.Hour
		locked("the clock set back a year", h.check(now(secret, 0)), lockout.Time)
		h.less = time.Since(h.began) // the machine starts again
		locked("after a start of the machine", h.check(now(secret, 0)), lockout.Time)
		time.Sleep(lockout.Time - time.Second)
		locked("a second too soon", h.check(now(secret, 0)), time.Second)
		time.Sleep(time.Second)
		h.wants("a good one, half an hour later", h.check(now(secret, 0)), nil)
		h.wants("a wrong one is the first again", h.check(wrong(secret)), ErrWrong)
	})
}

// TestGuessesAtOnce count one by one.
func TestGuessesAtOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		bad := wrong(h.enroll())
		var all sync.WaitGroup
		errs := make(chan error, 50)
		for range cap(errs) {
			all.Go(func() { errs <- h.check(bad) })
		}
		all.Wait()
		close(errs)
		tried := 0
		for err := range errs {
			if errors.Is(err, ErrWrong) {
				tried++
			}
		}
		if tried != maxWrong-1 {
			t.Errorf("%d guesses were looked at before the lock, want %d", tried, maxWrong-1)
		}
	})
}

func TestWhatIsNoted(t *testing.T) {
	inBubble(t, func(h *house) {
		secret := h.enroll()
		good, bad := now(secret, 0), wrong(secret)
		h.check(good)
		h.check(good)
		for range maxWrong + 3 {
			h.check(bad)
		}
		h.Forget(h.t.Context(), "root", "anna")
		entries, err := h.log.Recent(h.t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range entries {
			e := entries[len(entries)-1-i]
			result, _, _ := strings.Cut(e.Result, ":")
			got = append(got, e.Actor+" "+e.Action+" "+e.Object+" "+result)
		}
		want := "flattoned key.created key 1 ok|root (anna) factor.enrolled person anna ok|root (anna) factor.accepted person anna ok|root (anna) factor.refused person anna that code was used already|" +
			strings.Repeat("root (anna) factor.refused person anna that is not the code of this minute|", maxWrong-1) +
			"root (anna) factor.refused person anna too many wrong attempts|root factor.forgotten person anna ok"
		if strings.Join(got, "|") != want {
			t.Errorf("the log is %q\nwant %q", strings.Join(got, "|"), want)
		}
		all := fmt.Sprintf("%+v", entries)
		for _, secret := range []string{good, bad, base32.StdEncoding.EncodeToString(secret), string(secret)} {
			if strings.Contains(all, secret) {
				t.Error("a secret or a code is in the log")
			}
		}
	})
}

// TestASecretIsItsOwners: rows that change places open nothing, and the store holds no secret as it is.
func TestASecretIsItsOwners(t *testing.T) {
	inBubble(t, func(h *house) {
		secret := h.enroll()
		if err := h.db.Write(h.t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE factor SET person = 'otto'")
			if err == nil {
				_, err = tx.Exec("UPDATE safe SET owner = 'otto'")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := h.Check(h.t.Context(), "otto", "otto", now(secret, 0)); !errors.Is(err, vault.ErrAltered) {
			t.Errorf("anna's secret as otto's: %v", err)
		}
		searched := 0
		storetest.Search(t, h.state(), h.state(), func(path string, content []byte) {
			if searched++; bytes.Contains(content, secret) {
				t.Errorf("%s has the secret", path)
			}
		})
		if searched < 3 {
			t.Errorf("only %d files were searched", searched)
		}
	})
}
