package health

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told reads n changes, and says them shortly.
func told(ctx context.Context, s *Changes, n int) string {
	var all []string
	if n == 0 {
		return ""
	}
	for c := range s.All(ctx) {
		mark := "-"
		if c.Raised {
			mark = "+"
		}
		all = append(all, mark+string(c.Code)+"/"+c.Line)
		if len(all) == n {
			break
		}
	}
	return strings.Join(all, " ")
}

func TestWhatStandsIsSortedByGravity(t *testing.T) {
	b := NewBoard()
	if text, err := json.Marshal(b.Snapshot()); err != nil || string(text) != "[]" {
		t.Errorf("where nothing stands, JSON is %s, %v", text, err)
	}
	b.Set(Starting, "b", "")
	b.Set("input_clips", "b", "agent")
	b.Set(KeyFile, "", "")
	b.Set(ProcessDown, "b", "")
	b.Set(ProcessDown, "a", "")
	b.Set("line_broken", "a", "")
	b.Set(StoreFailed, "", "no space left on device")
	var got []string
	for _, c := range b.Snapshot() {
		got = append(got, fmt.Sprintf("%s %s/%s", c.Severity, c.Code, c.Line))
	}
	want := []string{"fault store_failed/", "fault line_broken/a", "fault process_down/a", "fault process_down/b",
		"warning key_file/", "warning input_clips/b", "notice starting/b"}
	if !slices.Equal(got, want) {
		t.Errorf("it stands as %q\nand should as %q", got, want)
	}
}

func TestEdgesAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard()
		b.Set(KeyFile, "", "")
		began := time.Now()
		early := b.Subscribe()
		time.Sleep(time.Minute)
		b.Set(ProcessDown, "a", "")
		b.Set(ProcessDown, "a", "again")
		b.Clear(ProcessDown, "b")
		time.Sleep(time.Minute)
		b.Set(ProcessDown, "b", "")
		late := b.Subscribe()
		b.Clear(ProcessDown, "a")
		b.Clear(ProcessDown, "a")
		b.Set(ProcessDown, "a", "")

		if got := told(t.Context(), early, 5); got != "+key_file/ +process_down/a +process_down/b -process_down/a +process_down/a" {
			t.Errorf("whoever came early is told %q", got)
		}
		if got := told(t.Context(), late, 5); got != "+process_down/a +process_down/b +key_file/ -process_down/a +process_down/a" {
			t.Errorf("whoever came late is told %q", got)
		}
		c := b.Snapshot()[0]
		if c.Code != ProcessDown || c.Line != "a" || c.Detail != "" || !c.Since.Equal(began.Add(2*time.Minute)) {
			t.Errorf("what was raised again is %+v, and began at %v", c, began)
		}
	})
}

func TestADetailIsNoNews(t *testing.T) {
	b := NewBoard()
	s := b.Subscribe()
	b.Set(UpstreamFailing, "", "connection refused")
	b.Set(UpstreamFailing, "", "the receiver answered 500")
	b.Clear(UpstreamFailing, "")
	for c := range s.All(t.Context()) {
		if c.Raised && c.Detail != "connection refused" || !c.Raised && c.Detail != "the receiver answered 500" {
			t.Errorf("it is told as %+v", c)
		}
		if !c.Raised {
			break
		}
	}
}

// A reader that waits is woken, and nobody is told anything once its context has ended.
func TestASubscriptionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard()
		ctx, cancel := context.WithCancel(t.Context())
		s := b.Subscribe()
		var got []Change
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for c := range s.All(ctx) {
				got = append(got, c)
			}
		}()
		synctest.Wait()
		b.Set(KeyFile, "", "")
		synctest.Wait()
		if len(got) != 1 || got[0].Code != KeyFile {
			t.Errorf("it was told %+v", got)
		}
		cancel()
		<-ended
		b.Set(DiskLow, "", "")
		if len(b.subs) != 0 || len(got) != 1 {
			t.Errorf("after its end there are %d subscribers, and %d changes were told", len(b.subs), len(got))
		}
	})
}

// What another version says stands all the same, and gravely; what is no code at all is not repeated.
func TestWhatIsNotDeclaredStandsAsAFault(t *testing.T) {
	b := NewBoard()
	b.Set("from_the_future", "a", "")
	for _, wrong := range []Code{"4242424242424242", "x1", "", Code(strings.Repeat("x", longestCode+1)), "a\x1b"} {
		b.Set(wrong, "b", "")
	}
	stands := b.Snapshot()
	if len(stands) != 2 || stands[0].Code != "from_the_future" || stands[0].Severity != Fault || stands[0].Words == "" || stands[1].Code != Undeclared {
		t.Errorf("it stands as %+v", stands)
	}
	b.Clear("from_the_future", "a")
	b.Clear("x1", "b")
	if stands := b.Snapshot(); len(stands) != 0 {
		t.Errorf("it still stands: %+v", stands)
	}
}

func TestWhoIsFarBehindLosesTheOldest(t *testing.T) {
	b := NewBoard()
	s := b.Subscribe()
	b.Set(KeyFile, "", "")
	for range mostUnread / 2 {
		b.Set(ProcessDown, "a", "")
		b.Clear(ProcessDown, "a")
	}
	if got := told(t.Context(), s, mostUnread); strings.Contains(got, "key_file") || !strings.HasSuffix(got, "+process_down/a -process_down/a") || len(s.unread) != 0 {
		t.Errorf("what was kept ends with %q", got[max(0, len(got)-60):])
	}
}

func TestALineThatIsGoneIsWell(t *testing.T) {
	b := NewBoard()
	for _, line := range []string{"a", "b", ""} {
		b.Set(ProcessDown, line, "")
		b.Set(NoRealTime, line, "")
	}
	s := b.Subscribe()
	b.Forget("a")
	if got := told(t.Context(), s, 8); !strings.HasSuffix(got, " -process_down/a -no_realtime/a") || len(b.Snapshot()) != 4 {
		t.Errorf("it is told as %q, and %d stand", got, len(b.Snapshot()))
	}
}

func TestManyAtOnce(t *testing.T) {
	b := NewBoard()
	s := b.Subscribe()
	const writers, times = 8, 200
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			line := string(rune('a' + w))
			for range times {
				b.Set(ProcessDown, line, "")
				b.Snapshot()
				b.Clear(ProcessDown, line)
			}
		})
	}
	standing := map[string]bool{}
	n := 0
	for c := range s.All(t.Context()) {
		if standing[c.Line] == c.Raised {
			t.Fatalf("line %s is told %v twice in a row", c.Line, c.Raised)
		}
		standing[c.Line] = c.Raised
		if n++; n == 2*writers*times {
			break
		}
	}
	all.Wait()
}
