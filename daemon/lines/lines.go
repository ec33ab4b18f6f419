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
	"slices"
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
//	           ┌── wait over, or [Manager.Restart] ──┐
//	           ▼                                     │
//	──Run──▶ running ──────ended, not started─────▶ waiting
//	           │ ctx ends, [Manager.Keep] without it │
//	           ▼                                     ▼
//	       SIGTERM ──────ended, or SIGKILL───────▶  gone
//
// Restart has a running one go through SIGTERM, too, and run again at once.
type Manager struct {
	cfg  Config
	deps Deps

	mu sync.Mutex
	// within is Run's context, nil before Run; kept are the lines by name, from then on.
	within context.Context
	kept   map[string]*kept
	lines  sync.WaitGroup
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
	m.mu.Lock()
	m.within, m.kept = ctx, map[string]*kept{}
	names := m.cfg.Names
	m.mu.Unlock()
	m.Keep(names)
	<-ctx.Done()
	m.over()
	m.lines.Wait()
	return nil
}

// over waits for a Keep that is under way. None begins a line from here on.
func (m *Manager) over() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.kept)
}

// kept is a line whose process is kept.
type kept struct {
	end   context.CancelFunc
	again chan struct{} // room for one
}

// Keep has these lines kept from now on, and no others: those that are kept already are left alone. It waits for nothing.
func (m *Manager) Keep(names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cfg.Names = names; m.within == nil {
		return // Run begins with them
	}
	for name, k := range m.kept {
		if !slices.Contains(names, name) {
			k.end()
			delete(m.kept, name)
		}
	}
	for _, name := range names {
		if m.kept[name] != nil || m.within.Err() != nil {
			continue
		}
		ctx, end := context.WithCancel(m.within)
		k := &kept{end, make(chan struct{}, 1)}
		m.kept[name] = k
		m.lines.Go(func() {
			defer end()
			m.keep(ctx, name, k.again)
		})
	}
}

// Restart has a line's process stopped and started, which is no fault of the line's. A line that isn't kept is none.
func (m *Manager) Restart(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.kept[name]; k != nil {
		select {
		case k.again <- struct{}{}:
		default: // it is about to be done
		}
	}
}

// keep keeps one line's process, and starts it again when it is asked to.
func (m *Manager) keep(ctx context.Context, name string, again <-chan struct{}) {
	// A child's death signal is tied to the thread that started it, not to the process (prctl(2),
	// PR_SET_PDEATHSIG): this thread must live as long as the child, and be nobody else's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	log := m.deps.Log.With("line", name)
	wait := firstWait
	for times := 1; ; times++ {
		began := time.Now()
		asked, err := m.once(ctx, name, again)
		up := time.Since(began)
		if ctx.Err() != nil {
			log.Info("the line's process has stopped")
			return
		}
		if asked {
			log.Info("the line's process was stopped, and is started again")
			times, wait = times-1, firstWait
			continue
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
		case <-again:
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, longestWait)
	}
}

// once runs a line's process to its end, and says whether that was asked for.
func (m *Manager) once(ctx context.Context, name string, again <-chan struct{}) (asked bool, err error) {
	select {
	case <-again: // while there was no process
	default:
	}
	ctx, stop := context.WithCancel(ctx)
	ended, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-again:
			asked = true
			stop()
		case <-ended:
		}
	}()
	err = m.run(ctx, name)
	close(ended)
	<-watched
	stop()
	return asked, err
}
