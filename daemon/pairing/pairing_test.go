package pairing

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/lockout"
)

// box is pairings at a time that the test sets, and what they noted last.
type box struct {
	*Pairings
	now    lockout.Moment
	noted  string
	notes  int
	failed error
}

func newBox() *box {
	b := &box{now: lockout.Moment{Wall: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), Up: time.Hour}}
	b.Pairings = New(Deps{Clock: func() lockout.Moment { return b.now }, Note: func(_ context.Context, by, action, object, result string) error {
		b.noted = fmt.Sprintf("%s %s %s: %s", by, action, object, result)
		b.notes++
		return b.failed
	}})
	return b
}

func (b *box) pass(d time.Duration) {
	b.now.Wall, b.now.Up = b.now.Wall.Add(d), b.now.Up+d
}

func (b *box) pair(t *testing.T, name string) string {
	t.Helper()
	code, ends, err := b.Pair(t.Context(), "tech", Agent{Name: name})
	if err != nil || len(code) != 9 || !ends.Equal(b.now.Wall.Add(Lasts)) {
		t.Fatalf("a code of %d letters until %v: %v", len(code), ends, err)
	}
	return code
}

func (b *box) wants(t *testing.T, what, code string, who string, want error) {
	t.Helper()
	a, err := b.Redeem(t.Context(), "desk", code)
	if a.Name != who || !errors.Is(err, want) {
		t.Errorf("%s: %q, %v; want %q, %v", what, a.Name, err, who, want)
	}
}

func TestACodeNamesAPersonOnce(t *testing.T) {
	b := newBox()
	code := b.pair(t, "Anna Weiß")
	if b.noted != "tech agent.pairing Anna Weiß: agent" {
		t.Error(b.noted)
	}
	b.wants(t, "as people type", " "+strings.ToLower(strings.NewReplacer("-", "", "0", "o", "1", "l").Replace(code))+" ", "Anna Weiß", nil)
	if b.noted != "desk agent.paired Anna Weiß: ok" {
		t.Error(b.noted)
	}
	b.wants(t, "again", code, "", ErrWrong)
	if b.noted != "desk agent.refused desk: "+ErrWrong.Error() {
		t.Error(b.noted)
	}
}

func TestACodeEnds(t *testing.T) {
	b := newBox()
	old := b.pair(t, "anna")
	newer := b.pair(t, "anna")
	b.wants(t, "one that another took the place of", old, "", ErrWrong)
	b.pass(Lasts - time.Nanosecond)
	b.wants(t, "in time", newer, "anna", nil)
	late := b.pair(t, "anna")
	b.pass(Lasts)
	b.wants(t, "too late", late, "", ErrWrong)
	back := b.pair(t, "anna")
	b.now.Wall = b.now.Wall.Add(-time.Hour)
	b.now.Up += Lasts
	b.wants(t, "too late, by a clock that was set back", back, "", ErrWrong)
}

func TestSoManyCodesWait(t *testing.T) {
	b := newBox()
	for i := range mostWaiting {
		b.pair(t, fmt.Sprint("agent ", i))
	}
	if _, _, err := b.Pair(t.Context(), "tech", Agent{Name: "one more"}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	b.pass(Lasts)
	b.pair(t, "one more")
}

func TestNothingHappensThatIsNotNoted(t *testing.T) {
	b := newBox()
	code := b.pair(t, "anna")
	b.failed = errors.New("the disk is full")
	b.wants(t, "a good code", code, "", b.failed)
	b.wants(t, "a wrong code", "no", "", b.failed)
	if code, _, err := b.Pair(t.Context(), "tech", Agent{Name: "bob"}); !errors.Is(err, b.failed) || code != "" {
		t.Error(err)
	}
}

// TestAHundredThousandAttempts are ten a second, without end: each lock lets ten be looked at. A code that is made while nothing is locked is good.
func TestAHundredThousandAttempts(t *testing.T) {
	b := newBox()
	b.pair(t, "anna")
	looked, before := 0, heap()
	for i := range 100_000 {
		b.pass(100 * time.Millisecond)
		_, err := b.Redeem(t.Context(), "desk", fmt.Sprintf("%08d", i))
		if _, locked := errors.AsType[*lockout.Error](err); !locked && !errors.Is(err, ErrWrong) {
			t.Fatalf("attempt %d: %v", i, err)
		}
		looked = b.notes
	}
	if passed := 100_000 * 100 * time.Millisecond; looked > 10*(int(passed/lockout.Time)+1)+1 {
		t.Errorf("%d attempts were looked at in %v", looked, passed)
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("memory has grown by %d bytes", grown)
	}
	b.pass(lockout.Time)
	b.wants(t, "a right code, after the wait", b.pair(t, "anna"), "anna", nil)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
