// Package lines keeps the lines' processes running where no systemd does: as children of flattoned, one
// flattone-line for each line of the config.
//
// It exists because a line whose device is lost, or whose code fails, is cured by a new process, and one
// line's end must be no other's.
//
// It promises that every line has a process, or is about to have one: a process that ended is started
// again, after a wait that grows from 100 ms to 10 s and is short again once a process stayed up for 10 s;
// that no process outlives flattoned, however that ends; and that Run leaves none behind, not even dead.
// What a process writes goes to the log, line by line, cut and thinned out where it is too much.
//
// It knows nothing of calls and cards. A line's process comes up held if it died while armed; that is its
// own doing (daemon/line), not this package's.
package lines

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// How long a line's process is awaited before it is started again.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
	steady      = 10 * time.Second // a process that was up this long is taken for sound
)

// defaultGrace is longer than a line ever takes to end its call's audio.
const defaultGrace = 3 * time.Second

// Config says what to start.
type Config struct {
	// Bin is the program; empty is the flattone-line that lies beside this program.
	Bin string
	// Names are the lines; Args are the program's arguments for one of them.
	Names []string
	Args  func(name string) []string
	// Grace is how long a process may take to end after SIGTERM before it gets SIGKILL; 0 for 3 s.
	Grace time.Duration
}

// Deps is what a Manager works with.
type Deps struct {
	Log *slog.Logger
	// OnExit, if set, is told of each process that ended or could not be started, though not of those that
	// Run stopped: how often that has happened to the line. It is called by several goroutines, and the
	// line waits for it.
	OnExit func(line string, times int)
}

// Manager keeps the processes of all lines. Each line is
//
//	           ┌───────── wait over ──────────┐
//	           ▼                              │
//	──Run──▶ running ──ended, not started──▶ waiting
//	           │ ctx ends                     │ ctx ends
//	           ▼                              ▼
//	       SIGTERM ──ended, or SIGKILL──▶    gone
type Manager struct {
	cfg  Config
	deps Deps
	// run starts a line's process and waits for its end.
	run func(ctx context.Context, name string) error
	// asking has room for one question.
	asking chan struct{}
}

// New makes a Manager. It fails if there is no program to start.
func New(cfg Config, deps Deps) (*Manager, error) {
	if cfg.Bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("look for flattone-line: %w", err)
		}
		cfg.Bin = filepath.Join(filepath.Dir(self), "flattone-line")
	}
	switch info, err := os.Stat(cfg.Bin); {
	case err != nil:
		return nil, fmt.Errorf("look for the program of a line: %w; install it there, or name it in the config as daemon.line_binary", err)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return nil, fmt.Errorf("look for the program of a line: %s can't be executed; name the right file in the config as daemon.line_binary", cfg.Bin)
	}
	if cfg.Grace == 0 {
		cfg.Grace = defaultGrace
	}
	m := &Manager{cfg: cfg, deps: deps, asking: make(chan struct{}, 1)}
	m.run = m.process
	return m, nil
}

// Run keeps the lines' processes until ctx ends, stops them, and returns nil when the last one is gone. It is
// called once.
func (m *Manager) Run(ctx context.Context) error {
	var lines sync.WaitGroup
	for _, name := range m.cfg.Names {
		lines.Go(func() { m.keep(ctx, name) })
	}
	lines.Wait()
	return nil
}

// keep keeps one line's process.
func (m *Manager) keep(ctx context.Context, name string) {
	// A child's death signal is tied to the thread that started it, not to the process (prctl(2),
	// PR_SET_PDEATHSIG): this thread must live as long as the child, and be nobody else's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	log := m.deps.Log.With("line", name)
	wait := firstWait
	for times := 1; ; times++ {
		began := time.Now()
		err := m.run(ctx, name)
		up := time.Since(began)
		if ctx.Err() != nil {
			log.Info("the line's process has stopped")
			return
		}
		if up >= steady {
			wait = firstWait
		}
		log.Error("the line's process ended", "error", err, "up", up.Round(time.Millisecond), "again_in", wait)
		if m.deps.OnExit != nil {
			m.deps.OnExit(name, times)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, longestWait)
	}
}
