package custody

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

// TestMain has Go's FIPS 140-3 module seed its generator before there is a bubble: its entropy is how long things take, and in a bubble nothing takes any time.
func TestMain(m *testing.M) {
	rand.Read(make([]byte, 1))
	goleak.VerifyTestMain(m)
}

// safe is one as the vault is: with a key that each of its roots has a box of, by name.
type safe struct {
	mu    sync.Mutex
	boxes map[string][]byte
	root  keys.Root // nil: locked
	mine  string
	fails error
}

var aad = keys.Bind("a test's safe")

func (s *safe) Locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.root == nil
}

func (s *safe) Unlock(_ context.Context, root keys.Root) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return "", s.fails
	}
	if len(s.boxes) == 0 {
		if err := s.add("root_0", root); err != nil {
			return "", err
		}
	}
	for id, box := range s.boxes {
		if root.Open(make([]byte, keys.Size), box, aad) == nil {
			if s.root != nil {
				s.root.Close()
			}
			s.root, s.mine = root, id
			return id, nil
		}
	}
	return "", errors.New("wrong key")
}

func (s *safe) add(id string, root keys.Root) error {
	box, err := root.Seal(bytes.Repeat([]byte{7}, keys.Size), aad)
	s.boxes[id] = box
	return err
}

func (s *safe) AddRoot(_ context.Context, _ string, root keys.Root) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprintf("root_%d", len(s.boxes)+10)
	return id, s.add(id, root)
}

func (s *safe) DropRoot(_ context.Context, _, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == s.mine || s.boxes[id] == nil {
		return errors.New("not that one")
	}
	delete(s.boxes, id)
	return nil
}

// lock is what a restart does.
func (s *safe) lock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root != nil {
		s.root.Close()
	}
	s.root, s.mine = nil, ""
}

// house is a real store and log, a safe, and clocks that can be set.
type house struct {
	*testing.T
	dir  string
	db   *store.DB
	log  *audit.Log
	safe *safe
	*Custody

	began time.Time
	set   time.Duration // how far the wall clock was set
	less  time.Duration // how much of the time that the machine is up was lost in a restart
}

func inBubble(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t, dir: t.TempDir(), safe: &safe{boxes: map[string][]byte{}}, began: time.Now()}
		if err := os.Chmod(h.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Hour)
		h.open()
		defer h.close()
		f(h)
	})
}

func (h *house) state() string { return filepath.Join(h.dir, "state") }

func (h *house) open() {
	h.Helper()
	where, err := storetest.At(h.state())
	if err != nil {
		h.Fatal(err)
	}
	if h.db, err = store.Open(h.Context(), store.Config{Dir: h.state(), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		h.Fatal(err)
	}
	if h.log, err = audit.New(h.Context(), audit.Config{Box: "test", KeyFile: filepath.Join(h.dir, "audit.key")}, audit.Deps{Store: h.db}); err != nil {
		h.Fatal(err)
	}
	h.Custody = New(Deps{Store: h.db, Audit: h.log, Safe: h.safe, Clock: func() lockout.Moment {
		return lockout.Moment{Wall: time.Now().Add(h.set), Up: time.Since(h.began) - h.less}
	}})
}

func (h *house) close() {
	h.Custody.Close()
	h.safe.lock()
	if err := h.db.Close(); err != nil {
		h.Error(err)
	}
}

func (h *house) restart() { h.Helper(); h.close(); h.open() }

func (h *house) wants(what string, err, want error) {
	h.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		h.Errorf("%s: %v, want %v", what, err, want)
	}
}

// take is person's share, on paper.
func (h *house) take(person string) []byte {
	h.Helper()
	page := make([]byte, PaperSize)
	if err := h.Take(h.Context(), person, person, page); err != nil {
		h.Fatal(err)
	}
	return page
}

func (h *house) confirm(person string, text []byte) error {
	_, err := h.Confirm(h.Context(), person, person, text)
	return err
}

// enrolAll takes people through an enrolment, once it has begun.
func (h *house) enrolAll(people ...string) map[string][]byte {
	h.Helper()
	papers := map[string][]byte{}
	for _, p := range people {
		papers[p] = h.take(p)
	}
	for _, p := range people {
		h.wants(p+" types his share", h.confirm(p, papers[p]), nil)
	}
	return papers
}

var three = []string{"ada", "bob", "cyd"}

// enrolled is two of three.
func (h *house) enrolled() map[string][]byte {
	h.Helper()
	h.wants("enrol", h.Enrol(h.Context(), "ian", Plan{2, three}), nil)
	return h.enrolAll(three...)
}

func (h *house) unlocking() (id string) {
	h.Helper()
	id, err := h.Unlock(h.Context(), "ada")
	h.wants("unlock", err, nil)
	return id
}

func (h *house) give(person, id string, text []byte) error {
	_, err := h.Give(h.Context(), person, person, id, text)
	return err
}

// noted is the log's actions since it was asked last, in order.
func (h *house) noted() string {
	h.Helper()
	entries, err := h.log.Recent(h.Context(), 1000)
	if err != nil {
		h.Fatal(err)
	}
	var all []string
	for _, e := range slices.Backward(entries) {
		all = append(all, e.Actor+" "+e.Action+" "+e.Object+" "+e.Result)
	}
	return strings.Join(all, "\n")
}

// TestTwoOfThree: a first enrolment opens the vault; after a restart any two open it, and one doesn't.
func TestTwoOfThree(t *testing.T) {
	inBubble(t, func(h *house) {
		_, err := h.Unlock(h.Context(), "ada")
		h.wants("without custodians", err, ErrNoCustodians)
		papers := h.enrolled()
		if h.safe.Locked() {
			t.Fatal("enrolled, and the vault is locked")
		}
		_, err = h.Unlock(h.Context(), "ada")
		h.wants("of an open vault", err, ErrSafeOpen)
		for _, pair := range [][2]string{{"ada", "bob"}, {"cyd", "ada"}, {"bob", "cyd"}} {
			h.restart()
			id := h.unlocking()
			missing, err := h.Give(h.Context(), pair[0], pair[0], id, papers[pair[0]])
			if h.wants("the first", err, nil); missing != 1 || !h.safe.Locked() {
				t.Errorf("with one %d are missing, locked %v", missing, h.safe.Locked())
			}
			h.wants("the first again", h.give(pair[0], id, papers[pair[0]]), ErrGiven)
			s, err := h.Status(h.Context())
			if err != nil || s.Ceremony == nil || s.Ceremony.Missing != 1 || !slices.Equal(s.Ceremony.Done, pair[:1]) || s.Ceremony.Purpose != Unlock || s.Need != 2 || len(s.Custodians) != 3 {
				t.Errorf("it stands as %+v, %v", s, err)
			}
			h.wants("the second", h.give(pair[1], id, papers[pair[1]]), nil)
			if h.safe.Locked() {
				t.Errorf("%v don't open it", pair)
			}
			h.wants("one more", h.give("ada", id, papers["ada"]), ErrNoCeremony)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	inBubble(t, func(h *house) {
		papers := h.enrolled()
		other := make([]byte, PaperSize)
		if err := paper(other, "00000000", 0, known(t, 1)); err != nil {
			t.Fatal(err)
		}
		s, err := h.Status(h.Context())
		if err != nil {
			t.Fatal(err)
		}
		wrong := make([]byte, PaperSize)
		if err := paper(wrong, s.Set, 0, known(t, 1)); err != nil {
			t.Fatal(err)
		}
		h.safe.lock()
		id := h.unlocking()
		for _, tc := range []struct {
			what, person string
			text         []byte
			want         error
		}{
			{"another share", "ada", wrong, ErrWrongShare},
			{"one of another set", "ada", other, ErrOtherSet},
			{"bob's", "ada", papers["bob"], ErrOthersShare},
			{"a slip of the pen", "ada", papers["ada"][:70], ErrUnreadable},
			{"a stranger's", "mallory", papers["ada"], ErrNotCustodian},
			{"her own", "ada", papers["ada"], nil},
			{"her own again", "ada", papers["ada"], ErrGiven},
		} {
			h.wants(tc.what, h.give(tc.person, id, tc.text), tc.want)
			if tc.want != nil && !strings.Contains(h.noted(), tc.person+" custodian.refused person "+tc.person+" "+tc.want.Error()) {
				t.Errorf("%s isn't in the log:\n%s", tc.what, h.noted())
			}
		}
		h.wants("to another ceremony", h.give("bob", "otherone", papers["bob"]), ErrNoCeremony)
		_, err = h.Approve(h.Context(), "ada", "export cards", "all", nil)
		if busy, ok := errors.AsType[*BusyError](err); !ok || busy.Purpose != Unlock {
			t.Errorf("two ceremonies at once: %v", err)
		}
		for person, text := range papers {
			for _, part := range strings.Fields(string(text)) {
				if part != s.Set[:4] && part != s.Set[4:] && strings.Contains(h.noted(), part) {
					t.Errorf("a part of %s's share is in the log", person)
				}
			}
		}
	})
}

// TestACeremonyEnds by itself, by somebody, or with the daemon; its shares are gone.
func TestACeremonyEnds(t *testing.T) {
	inBubble(t, func(h *house) {
		papers := h.enrolled()
		for name, end := range map[string]func(){
			"by time":     func() { time.Sleep(CeremonyTime); synctest.Wait() },
			"by somebody": func() { h.wants("abort", h.Abort(h.Context(), "bob"), nil) },
			"by restart":  h.restart,
		} {
			h.safe.lock()
			id := h.unlocking()
			h.wants(name, h.give("ada", id, papers["ada"]), nil)
			h.mu.Lock()
			given := h.now.shares[0]
			h.mu.Unlock()
			end()
			h.wants(name+": the second comes too late", h.give("bob", id, papers["bob"]), ErrNoCeremony)
			if err := given.Use(func([]byte) error { return nil }); !errors.Is(err, keys.ErrDestroyed) {
				t.Errorf("%s: the share is still there: %v", name, err)
			}
			if s, err := h.Status(h.Context()); err != nil || s.Ceremony != nil {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
		for _, want := range []string{"flattoned custody.expired unlock the vault: vault ok", "bob custody.aborted unlock the vault: vault ok"} {
			if !strings.Contains(h.noted(), want) {
				t.Errorf("the log lacks %q", want)
			}
		}
		h.wants("nothing to end", h.Abort(h.Context(), "bob"), ErrNoCeremony)
		h.wants("enrol", h.Enrol(h.Context(), "ian", Plan{2, three}), ErrSafeLocked)
	})
}

// lockedFor holds that somebody is locked, and for how long.
func (h *house) lockedFor(what string, err error, want time.Duration) {
	h.Helper()
	if l, ok := errors.AsType[*lockout.Error](err); !ok || l.Left != want {
		h.Errorf("%s: %v, want locked for %s", what, err, want)
	}
}

// TestTenWrongSharesLock that custodian, and nobody else: whatever is done to machine and clock.
func TestTenWrongSharesLock(t *testing.T) {
	inBubble(t, func(h *house) {
		papers := h.enrolled()
		h.restart()
		wrong := papers["bob"]
		id := h.unlocking()
		for i := range maxWrong - 1 {
			h.wants("wrong", h.give("ada", id, wrong), ErrOthersShare)
			if i == 4 {
				h.restart()
				id = h.unlocking()
			}
		}
		h.wants("a good one begins the count anew", h.give("ada", id, papers["ada"]), nil)
		h.wants("abort", h.Abort(h.Context(), "ada"), nil)
		id = h.unlocking()
		for range maxWrong - 1 {
			h.wants("wrong", h.give("ada", id, wrong), ErrOthersShare)
		}
		h.lockedFor("the tenth", h.give("ada", id, wrong), lockout.Time)
		h.lockedFor("the right one", h.give("ada", id, papers["ada"]), lockout.Time)
		h.wants("bob's", h.give("bob", id, papers["bob"]), nil)
		if s, err := h.Status(h.Context()); err != nil || s.Custodians[0].Locked != lockout.Time || s.Custodians[1].Locked != 0 {
			t.Errorf("it stands as %+v, %v", s, err)
		}
		time.Sleep(10 * time.Minute)
		h.restart()
		h.lockedFor("after a restart", h.give("ada", h.unlocking(), papers["ada"]), lockout.Time-10*time.Minute)
		h.set = 365 * 24 * time.Hour
		h.lockedFor("the clock set forward a year", h.give("ada", h.unlocking(), papers["ada"]), lockout.Time-10*time.Minute)
		h.set = -365 * 24 * time.Hour
		h.lockedFor("the clock set back a year", h.give("ada", h.unlocking(), papers["ada"]), lockout.Time)
		h.less = time.Since(h.began) // the machine starts again
		h.lockedFor("after a start of the machine", h.give("ada", h.unlocking(), papers["ada"]), lockout.Time)
		time.Sleep(lockout.Time - time.Second)
		h.lockedFor("a second too soon", h.give("ada", h.unlocking(), papers["ada"]), time.Second)
		time.Sleep(time.Second)
		id = h.unlocking()
		h.wants("half an hour later", h.give("ada", id, papers["ada"]), nil)
		h.wants("and bob", h.give("bob", id, papers["bob"]), nil)
		if h.safe.Locked() {
			t.Error("they don't open it")
		}
	})
}

// TestGuessesAtOnce count one by one.
func TestGuessesAtOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		wrong := h.enrolled()["bob"]
		h.safe.lock()
		id := h.unlocking()
		var all sync.WaitGroup
		errs := make(chan error, 40)
		for range cap(errs) {
			all.Go(func() { errs <- h.give("ada", id, wrong) })
		}
		all.Wait()
		close(errs)
		looked := 0
		for err := range errs {
			if errors.Is(err, ErrOthersShare) {
				looked++
			}
		}
		if looked != maxWrong-1 {
			t.Errorf("%d guesses were looked at before the lock, want %d", looked, maxWrong-1)
		}
	})
}

func TestEnrolling(t *testing.T) {
	inBubble(t, func(h *house) {
		h.wants("no plan", h.Enrol(h.Context(), "ian", Plan{1, three}), ErrPlan)
		h.wants("begin", h.Enrol(h.Context(), "ian", Plan{2, three}), nil)
		page := make([]byte, PaperSize)
		h.wants("a stranger takes one", h.Take(h.Context(), "mallory", "mallory", page), ErrNotCustodian)
		h.wants("typed before it is taken", h.confirm("ada", []byte(aPaper)), ErrNotTaken)
		lost := h.take("ada")
		papers := map[string][]byte{"ada": h.take("ada"), "bob": h.take("bob"), "cyd": h.take("cyd")}
		h.wants("the one before", h.confirm("ada", lost), ErrWrongShare)
		h.wants("bob's", h.confirm("ada", papers["bob"]), ErrWrongShare)
		h.wants("a slip", h.confirm("ada", lost[:70]), ErrUnreadable)
		for _, p := range three {
			if s, err := h.Status(h.Context()); err != nil || s.Set != "" || s.Ceremony.Purpose != Enrol {
				t.Errorf("in force before all have theirs: %+v, %v", s, err)
			}
			h.wants(p, h.confirm(p, papers[p]), nil)
		}
		h.wants("after the end", h.Take(h.Context(), "ada", "ada", page), ErrNoCeremony)
		for _, want := range []string{"ian custody.began enrol custodians: 2 of ada, bob, cyd ok", "ada custodian.acknowledged person ada ok", "bob custodian.took person bob ok",
			"cyd custodian.confirmed person cyd ok", "cyd custody.enrolled custodians 2 of ada, bob, cyd ok"} {
			if !strings.Contains(h.noted(), want) {
				t.Errorf("the log lacks %q:\n%s", want, h.noted())
			}
		}
	})
}

// TestReplacing: the old custodians agree, the new ones take shares, and the old shares are worth nothing.
func TestReplacing(t *testing.T) {
	for _, own := range []bool{true, false} { // whether the vault was opened by the custodians or by a root of its own
		inBubble(t, func(h *house) {
			if !own {
				tpm := keys.Held(keys.TPM, random(t))
				if _, err := h.safe.Unlock(h.Context(), tpm); err != nil {
					t.Fatal(err)
				}
			}
			old := h.enrolled()
			roots := len(h.safe.boxes)
			h.wants("enrol", h.Enrol(h.Context(), "ian", Plan{2, []string{"dan", "eve"}}), nil)
			h.wants("before the old ones agree", h.Take(h.Context(), "dan", "dan", make([]byte, PaperSize)), ErrNoCeremony)
			id := h.now.id
			h.wants("ada", h.give("ada", id, old["ada"]), nil)
			h.wants("cyd", h.give("cyd", id, old["cyd"]), nil)
			papers := h.enrolAll("dan", "eve")
			if len(h.safe.boxes) != roots || own != (h.safe.mine != "root_0") {
				t.Errorf("the safe has %d roots, want %d, and was opened by %s", len(h.safe.boxes), roots, h.safe.mine)
			}
			h.safe.lock()
			id = h.unlocking()
			h.wants("one who was", h.give("ada", id, old["ada"]), ErrNotCustodian)
			h.wants("dan", h.give("dan", id, papers["dan"]), nil)
			h.wants("eve", h.give("eve", id, papers["eve"]), nil)
			if h.safe.Locked() {
				t.Error("the new ones don't open it")
			}
		})
	}
}

func TestAnApproval(t *testing.T) {
	inBubble(t, func(h *house) {
		papers := h.enrolled()
		failed := errors.New("no printer")
		for _, want := range []error{nil, failed} {
			asked := 0
			id, err := h.Approve(h.Context(), "eva", "export cards", "to the new provider", func(_ context.Context, root keys.Root) error {
				asked++
				return errors.Join(want, root.Close())
			})
			h.wants("begin", err, nil)
			h.wants("bob", h.give("bob", id, papers["bob"]), nil)
			if asked != 0 {
				t.Error("done by one alone")
			}
			h.wants("ada", h.give("ada", id, papers["ada"]), want)
			if asked != 1 {
				t.Errorf("done %d times", asked)
			}
		}
		for _, want := range []string{"eva custody.began export cards: to the new provider ok", "ada custody.agreed export cards: to the new provider ok", "ada custody.agreed export cards: to the new provider no printer"} {
			if !strings.Contains(h.noted(), want) {
				t.Errorf("the log lacks %q", want)
			}
		}
	})
}

// TestAnAlteredStoreOpensNothing: rows that were changed are told as such, and nobody's account is to blame.
func TestAnAlteredStoreOpensNothing(t *testing.T) {
	for what, change := range map[string]struct {
		sql  string
		want error
	}{
		"wraps swapped":      {"UPDATE custodian_wrap SET box = (SELECT box FROM custodian_wrap WHERE subset = 5)", errWraps},
		"a lower threshold":  {"UPDATE custodian_set SET need = 3", ErrWrongShare},
		"another's name":     {"UPDATE custodian SET person = 'mallory' WHERE person = 'cyd'", ErrWrongShare},
		"proofs swapped":     {"UPDATE custodian SET proof = (SELECT proof FROM custodian WHERE position = 2)", ErrWrongShare},
		"a wrap is gone":     {"DELETE FROM custodian_wrap", errWraps},
		"a custodian's gone": {"DELETE FROM custodian WHERE position = 2", ErrWrongShare},
	} {
		inBubble(t, func(h *house) {
			papers := h.enrolled()
			h.safe.lock()
			if err := h.db.Write(h.Context(), func(tx *store.Tx) error { _, err := tx.Exec(change.sql); return err }); err != nil {
				t.Fatal(err)
			}
			id := h.unlocking()
			err := h.give("ada", id, papers["ada"])
			if change.want == errWraps {
				err = errors.Join(err, h.give("bob", id, papers["bob"]))
			}
			if h.wants(what, err, change.want); !h.safe.Locked() {
				t.Errorf("%s: it is open", what)
			}
		})
	}
}

// TestNothingOfAShareIsStored: neither as bytes nor as text.
func TestNothingOfAShareIsStored(t *testing.T) {
	inBubble(t, func(h *house) {
		papers := h.enrolled()
		h.safe.lock()
		h.wants("give", h.give("ada", h.unlocking(), papers["ada"]), nil)
		_, _, share, err := read(papers["ada"])
		if err != nil {
			t.Fatal(err)
		}
		defer share.Destroy()
		searched := 0
		storetest.Search(t, h.state(), h.state(), func(path string, content []byte) {
			searched++
			share.Use(func(key []byte) error {
				if bytes.Contains(content, key[:8]) || bytes.Contains(content, papers["ada"][30:39]) {
					t.Errorf("%s has the share", path)
				}
				return nil
			})
		})
		if searched < 3 {
			t.Errorf("only %d files were searched", searched)
		}
	})
}
