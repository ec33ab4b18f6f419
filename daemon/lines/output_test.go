package lines

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// records keeps a log: of each record the message and its attributes, but for the line's name.
type records struct{ list chan string }

func newRecords() records { return records{make(chan string, 1000)} }

func (r records) log() *slog.Logger { return slog.New(r) }

func (r records) all() []string {
	var list []string
	for {
		select {
		case s := <-r.list:
			list = append(list, s)
		default:
			return list
		}
	}
}

func (r records) Enabled(context.Context, slog.Level) bool { return true }
func (r records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r records) WithGroup(string) slog.Handler            { return r }
func (r records) Handle(_ context.Context, rec slog.Record) error {
	s := rec.Message
	rec.Attrs(func(a slog.Attr) bool {
		s += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	r.list <- s
	return nil
}

func TestOutputGoesToTheLogLineByLine(t *testing.T) {
	long := strings.Repeat("x", longestLine)
	const says = "the line's process says text="
	for _, test := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"lines", []string{"one\ntwo\n"}, []string{says + "one", says + "two"}},
		{"in pieces", []string{"o", "ne\n", "", "two", "\n"}, []string{says + "one", says + "two"}},
		{"without an end", []string{"one\ntw", "o"}, []string{says + "one", says + "two"}},
		{"an empty line", []string{"\n"}, []string{says}},
		{"as long as may be", []string{long + "\n"}, []string{says + long}},
		{"too long", []string{long, "y", "yy", "\nnext\n"}, []string{says + long + " cut=true", says + "next"}},
		{"too long at once", []string{long + long + "\nnext"}, []string{says + long + " cut=true", says + "next"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rec := newRecords()
			o := &output{log: rec.log()}
			for _, w := range test.writes {
				if n, err := o.Write([]byte(w)); n != len(w) || err != nil {
					t.Errorf("wrote %d of %d, %v", n, len(w), err)
				}
			}
			o.close()
			if got := rec.all(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOutputIsThinnedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecords()
		o := &output{log: rec.log()}
		flood := []byte(strings.Repeat("x\n", linesPerSecond+7))
		o.Write(flood)
		if got := len(rec.all()); got != linesPerSecond {
			t.Errorf("%d lines at first, want %d", got, linesPerSecond)
		}
		time.Sleep(time.Second - 1)
		o.Write(flood)
		if got := len(rec.all()); got != 0 {
			t.Errorf("%d lines more in the same second, want none", got)
		}
		time.Sleep(time.Nanosecond)
		o.Write([]byte("y\n"))
		want := []string{fmt.Sprintf("the line's process says too much lines_left_out=%d", 7+linesPerSecond+7), "the line's process says text=y"}
		if got := rec.all(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		o.Write(flood)
		rec.all()
		o.close()
		if got, want := rec.all(), []string{"the line's process says too much lines_left_out=8"}; !reflect.DeepEqual(got, want) {
			t.Errorf("at the end got %q, want %q", got, want)
		}
	})
}
