package lines

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fake is Children whose processes are functions.
func fake(run func(ctx context.Context, name string) error, onExit func(string, int), names ...string) *Children {
	return &Children{
		cfg:  Config{Names: names},
		deps: Deps{Log: slog.New(slog.DiscardHandler), OnExit: onExit},
		run:  run,
	}
}

func TestBackOff(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, test := range []struct {
		name string
		up   []time.Duration // of each process
		want []time.Duration // between the end of one and the start of the next
	}{
		{"fails at once, always", make([]time.Duration, 10),
			[]time.Duration{ms(100), ms(200), ms(400), ms(800), ms(1600), ms(3200), ms(6400), ms(10000), ms(10000)}},
		{"never up for long enough", []time.Duration{ms(9999), ms(9999), ms(9999), 0},
			[]time.Duration{ms(100), ms(200), ms(400)}},
		{"up for long enough", []time.Duration{0, 0, 0, steady, 0, time.Hour, 0},
			[]time.Duration{ms(100), ms(200), ms(400), ms(100), ms(200), ms(100)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var ended time.Time
				var waits []time.Duration
				var exits []int
				n := 0
				k := fake(func(ctx context.Context, _ string) error {
					if n > 0 {
						waits = append(waits, time.Since(ended))
					}
					time.Sleep(test.up[n])
					if n++; n == len(test.up) {
						cancel()
					}
					ended = time.Now()
					return errors.New("failed")
				}, func(_ string, times int) { exits = append(exits, times) }, "one")
				if err := k.Run(ctx); err != nil {
					t.Error(err)
				}
				if !reflect.DeepEqual(waits, test.want) {
					t.Errorf("waited %v, want %v", waits, test.want)
				}
				if len(exits) != len(test.want) || exits[0] != 1 || exits[len(exits)-1] != len(exits) {
					t.Errorf("told of exits %v, want 1 to %d", exits, len(test.want))
				}
			})
		})
	}
}

func TestStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		runs := 0
		if err := fake(func(context.Context, string) error { runs++; return nil }, nil, "one").Run(ctx); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != 50*time.Millisecond || runs != 1 {
			t.Errorf("stopped after %v and %d processes, want 50ms and 1", waited, runs)
		}
	})
}

// TestLinesAreApart: one line that keeps failing leaves the other's process alone.
func TestLinesAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var mu sync.Mutex
		runs, exits := map[string]int{}, map[string]int{}
		k := fake(func(ctx context.Context, name string) error {
			mu.Lock()
			runs[name]++
			mu.Unlock()
			if name == "good" {
				<-ctx.Done()
			}
			return errors.New("ended")
		}, func(name string, times int) {
			mu.Lock()
			defer mu.Unlock()
			exits[name] = times
		}, "good", "bad")
		if err := k.Run(ctx); err != nil {
			t.Error(err)
		}
		// 0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7, and then every 10 s
		if want := map[string]int{"good": 1, "bad": 12}; !reflect.DeepEqual(runs, want) {
			t.Errorf("processes: %v, want %v", runs, want)
		}
		if want := map[string]int{"bad": 12}; !reflect.DeepEqual(exits, want) {
			t.Errorf("exits: %v, want %v", exits, want)
		}
	})
}

// TestKeepAndRestart: a line that is to be restarted is so at once, and it is no fault; one that is added begins, one that is left out ends, and the others'
// processes stay as they are.
func TestKeepAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		runs, running, exits := map[string]int{}, map[string]bool{}, 0
		k := fake(func(ctx context.Context, name string) error {
			mu.Lock()
			runs[name]++
			running[name] = true
			mu.Unlock()
			if name != "fails" {
				<-ctx.Done()
				time.Sleep(time.Second)
			}
			mu.Lock()
			defer mu.Unlock()
			delete(running, name)
			return errors.New("ended")
		}, func(string, int) { exits++ })
		k.Keep([]string{"one", "two", "fails"}) // Run begins with them
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		look := func(after time.Duration, wantRuns map[string]int, wantRunning map[string]bool) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !reflect.DeepEqual(runs, wantRuns) || !reflect.DeepEqual(running, wantRunning) {
				t.Errorf("processes: %v, of which run %v; want %v and %v", runs, running, wantRuns, wantRunning)
			}
		}
		look(0, map[string]int{"one": 1, "two": 1, "fails": 1}, map[string]bool{"one": true, "two": true})
		k.Restart("one")
		k.Restart("one") // one that is about to be restarted already
		k.Restart("fails")
		k.Restart("none")
		look(0, map[string]int{"one": 1, "two": 1, "fails": 2}, map[string]bool{"one": true, "two": true})
		k.Keep([]string{"three", "two", "one"})
		look(10*time.Second, map[string]int{"one": 2, "two": 1, "three": 1, "fails": 2}, map[string]bool{"one": true, "two": true, "three": true})
		if exits != 2 {
			t.Errorf("told of %d exits, want the 2 that nobody asked for", exits)
		}
		k.Keep([]string{"three"})
		look(10*time.Second, map[string]int{"one": 2, "two": 1, "three": 1, "fails": 2}, map[string]bool{"three": true})
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		k.Keep([]string{"four"})
		look(0, map[string]int{"one": 2, "two": 1, "three": 1, "fails": 2}, map[string]bool{})
	})
}

func TestNewNeedsAProgram(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for bin, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		plain:                      "can't be executed",
		dir:                        "can't be executed",
		"":                         "flattone-line",
	} {
		_, err := NewChildren(Config{Bin: bin}, Deps{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "daemon.line_binary") || !strings.Contains(err.Error(), bin) {
			t.Errorf("%q: got %v, want an error that says %q", bin, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{"PATH=/bin", "NOTIFY_SOCKET=/run/n", "CREDENTIALS_DIRECTORY=/run/c", "GOTRACEBACK=all", "LISTEN_FDS=1", "TZ="})
	if want := []string{"PATH=/bin", "TZ=", "GOTRACEBACK=none"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
