package lines

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/host/hosttest"
	"github.com/flattone/flattone/daemon/wire"
)

// keeper is what flattoned needs of whoever keeps its lines.
type keeper interface {
	Run(context.Context) error
	Keep(lines []string)
	Restart(line string)
	Ask(context.Context, wire.Question) (wire.Found, error)
}

// way is one of the ways in which lines are kept.
type way struct {
	keep func(t *testing.T, deps Deps, names ...string) keeper
	// outlive: lines go on when Run has ended.
	outlive bool
}

var onSystemd = flag.Bool("systemd", false, "hold the contract by this machine's own systemd, too; the test must be root, and no flattone be installed")

// Both ways of keeping lines are held to the same contract, and what differs is in it.
func TestContract(t *testing.T) {
	ways := map[string]func(*testing.T) way{"children": children, "units": units}
	if *onSystemd {
		ways["systemd"] = realUnits
	}
	for name, prepare := range ways {
		for what, test := range map[string]func(*testing.T, way){
			"starts and ends":        contractStarts,
			"starts again":           contractAgain,
			"restarts when asked":    contractRestart,
			"keeps others":           contractKeep,
			"asks":                   contractAsk,
			"outlives, or doesn't":   contractOutlive,
			"ends while it can't do": contractEnds,
		} {
			t.Run(name+"/"+what, func(t *testing.T) { test(t, prepare(t)) })
		}
	}
}

func self(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

func children(*testing.T) way {
	return way{keep: func(t *testing.T, deps Deps, names ...string) keeper {
		c, err := NewChildren(Config{Bin: self(t), Names: names, Args: func(n string) []string { return []string{"--line", n} }, Ask: []string{"--answer"}}, deps)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}}
}

func units(t *testing.T) way {
	hosttest.Bus(t)
	hosttest.NewSystemd(t, func(unit string) *exec.Cmd {
		return exec.Command(self(t), "--line", strings.TrimSuffix(strings.TrimPrefix(unit, "flattone-line@"), ".service"))
	})
	return way{keep: newUnits, outlive: true}
}

func newUnits(t *testing.T, deps Deps, names ...string) keeper {
	return NewUnits(names, probeSocket(t), deps)
}

// probeSocket is one at which each connection is a process's standard input and output.
func probeSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "probe") // short enough for a socket's address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				f, err := c.File()
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				cmd := exec.CommandContext(ctx, self(t), "--answer") // systemd, too, bounds its time
				cmd.Stdin, cmd.Stdout = f, f
				cmd.Run() // how it ended is all the same
			})
		}
	})
	t.Cleanup(func() { l.Close(); end(); serving.Wait() })
	return path
}

// realUnits has this machine's systemd run the test's processes, as units of the real name.
func realUnits(t *testing.T) way {
	const unit = "/run/systemd/system/flattone-line@.service"
	systemctl := func(args ...string) {
		if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil {
			t.Errorf("systemctl %s: %v: %s", args, err, out)
		}
	}
	return way{outlive: true, keep: func(t *testing.T, deps Deps, names ...string) keeper {
		text := fmt.Sprintf("[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=%s --line %%i\nRestart=always\nRestartSec=50ms\nEnvironment=%s=%s %s=%s\n",
			self(t), roleKey, os.Getenv(roleKey), socketKey, os.Getenv(socketKey))
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		systemctl("daemon-reload")
		t.Cleanup(func() {
			systemctl("stop", "flattone-line@*.service")
			os.Remove(unit)
			systemctl("daemon-reload")
		})
		return newUnits(t, deps, names...)
	}}
}

// run runs a keeper until stop.
func run(t *testing.T, k keeper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return stop
}

func contractStarts(t *testing.T, w way) {
	s := newStage(t, "line")
	stop := run(t, w.keep(t, Deps{Log: newRecords().log()}, "one", "two"))
	a, b := s.next(), s.next()
	got := []string{strings.Join(a.Args, " "), strings.Join(b.Args, " ")}
	if slices.Sort(got); !reflect.DeepEqual(got, []string{"--line one", "--line two"}) {
		t.Errorf("processes of %q", got)
	}
	stop()
}

func contractAgain(t *testing.T, w way) {
	s := newStage(t, "line")
	rec, exits := newRecords(), make(chan string, 10)
	run(t, w.keep(t, Deps{Log: rec.log(), OnExit: func(line string, times int) { exits <- fmt.Sprint(line, " ", times) }}, "one", "two"))
	one, two := s.next(), s.next()
	if one.Args[1] != "one" {
		one, two = two, one
	}
	seen := map[int]bool{}
	for i, word := range []string{"fail", "crash", "end"} {
		if seen[one.PID] {
			t.Errorf("process %d again", one.PID)
		}
		seen[one.PID] = true
		one.tell(word)
		if got, want := <-exits, fmt.Sprint("one ", i+1); got != want {
			t.Errorf("told of %s, want %s", got, want)
		}
		one = s.next()
		if one.Args[1] != "one" {
			t.Errorf("line %s has a new process", one.Args[1])
		}
	}
	if two.ended() {
		t.Error("the other line's process has ended")
	}
}

func contractRestart(t *testing.T, w way) {
	s := newStage(t, "line")
	k := w.keep(t, Deps{Log: newRecords().log(), OnExit: func(string, int) { t.Error("a restart that was asked for is told as an end") }}, "one")
	stop := run(t, k)
	defer stop() // before the connections end, which the processes take for a word to end
	a := s.next()
	k.Restart("one")
	a.awaitEnd(t)
	if b := s.next(); b.PID == a.PID || b.Args[1] != "one" {
		t.Errorf("restarted, it is %+v after %+v", b.report, a.report)
	}
	time.Sleep(3 * settle) // for whoever would be told
}

func contractKeep(t *testing.T, w way) {
	s := newStage(t, "line")
	k := w.keep(t, Deps{Log: newRecords().log(), OnExit: func(string, int) { t.Error("an end that was wanted is told") }}, "one", "two")
	stop := run(t, k)
	defer stop() // before the connections end, which the processes take for a word to end
	one, two := s.next(), s.next()
	if one.Args[1] != "one" {
		one, two = two, one
	}
	k.Keep([]string{"two", "three"})
	one.awaitEnd(t)
	if three := s.next(); three.Args[1] != "three" {
		t.Errorf("%+v begins", three.report)
	}
	if two.ended() {
		t.Error("a line that was kept has ended")
	}
}

func contractAsk(t *testing.T, w way) {
	newStage(t, "line")
	k := w.keep(t, Deps{Log: newRecords().log()})
	if got, err := k.Ask(t.Context(), wire.Question{Devices: true}); err != nil || len(got.Devices) != 1 || got.Devices[0].Name != "heard" {
		t.Errorf("it answers %+v, %v", got, err)
	}
	for port, says := range map[string]string{
		"/dev/none":  "nobody answers there",
		"/dev/words": "is it of this version?",
		"/dev/flood": "more than 1048576 bytes",
		"/etc/hosts": "is no port",
	} {
		if got, err := k.Ask(t.Context(), wire.Question{Probe: port}); err == nil || !strings.Contains(err.Error(), says) || !reflect.DeepEqual(got, wire.Found{}) {
			t.Errorf("%s: %+v, %v", port, got, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := k.Ask(ctx, wire.Question{Probe: "/dev/hangs"}); err == nil || !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("of one that hangs it says %v", err)
	}
}

func contractOutlive(t *testing.T, w way) {
	s := newStage(t, "line")
	deps := Deps{Log: newRecords().log(), OnExit: func(string, int) { t.Error("an end is told") }}
	stop := run(t, w.keep(t, deps, "one", "two"))
	a, b := s.next(), s.next()
	stop()
	if !w.outlive {
		a.awaitEnd(t)
		b.awaitEnd(t)
		noChildren(t)
		return
	}
	// The next flattoned adopts the line that it has too, and has the other stopped.
	gone, stays := a, b
	if a.Args[1] == "one" {
		gone, stays = b, a
	}
	defer run(t, w.keep(t, deps, "one"))()
	gone.awaitEnd(t)
	if stays.ended() {
		t.Error("a line that was adopted has ended")
	}
}

func contractEnds(t *testing.T, w way) {
	newStage(t, "line")
	stop := run(t, w.keep(t, Deps{Log: newRecords().log()}, "one")) // it may not even have begun
	stop()
}

// ended reports whether the process is dead, or is about to be: what lives says nothing for a while.
func (c child) ended() bool {
	c.SetReadDeadline(time.Now().Add(3 * settle))
	_, err := c.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// beAsked is a line's process that is asked a question.
func beAsked() {
	q, err := wire.ReadQuestion(os.Stdin)
	found := wire.Found{Devices: []wire.Device{{Name: "heard"}}}
	switch {
	case err != nil:
		found = wire.Found{Error: err.Error()}
	case q.Probe == "/dev/none":
		found = wire.Found{Error: "nobody answers there"}
	case q.Probe == "/dev/words":
		fmt.Println("a modem")
		return
	case q.Probe == "/dev/flood":
		fmt.Print(strings.Repeat(" ", mostAnswer+1))
		return
	case q.Probe == "/dev/hangs":
		time.Sleep(time.Hour)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
