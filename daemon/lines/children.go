package lines

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
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
	// Ask are the program's arguments when it is asked a question on its standard input.
	Ask []string
	// Grace is how long a process may take to end after SIGTERM before it gets SIGKILL; 0 for 3 s.
	Grace time.Duration
}

// Children keeps the processes of all lines as children. A process that ended is started again, after a wait that grows from 100 ms to
// 10 s and is short again once a process stayed up for 10 s. No process outlives flattoned, however that ends, and Run leaves none behind, not even dead. What a
// process writes goes to the log, line by line, cut and thinned out where it is too much. Each line is
//
//	           ┌── wait over, or [Children.Restart] ─┐
//	           ▼                                     │
//	──Run──▶ running ──────ended, not started─────▶ waiting
//	           │ ctx ends, [Children.Keep] without   │
//	           ▼                                     ▼
//	       SIGTERM ──────ended, or SIGKILL───────▶  gone
//
// Restart has a running one go through SIGTERM, too, and run again at once.
type Children struct {
	asker
	cfg  Config
	deps Deps

	mu sync.Mutex
	// within is Run's context, nil before Run; kept are the lines by name, from then on.
	within context.Context
	kept   map[string]*kept
	lines  sync.WaitGroup
	// run starts a line's process and waits for its end.
	run func(ctx context.Context, name string) error
}

// NewChildren makes Children. It fails if there is no program to start.
func NewChildren(cfg Config, deps Deps) (*Children, error) {
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
	c := &Children{cfg: cfg, deps: deps}
	c.run, c.asker = c.process, newAsker(c.askChild)
	return c, nil
}

// Run keeps the lines' processes until ctx ends, stops them, and returns nil when the last one is gone. It is
// called once.
func (c *Children) Run(ctx context.Context) error {
	c.mu.Lock()
	c.within, c.kept = ctx, map[string]*kept{}
	names := c.cfg.Names
	c.mu.Unlock()
	c.Keep(names)
	<-ctx.Done()
	c.over()
	c.lines.Wait()
	return nil
}

// over waits for a Keep that is under way. None begins a line from here on.
func (c *Children) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.kept)
}

// kept is a line whose process is kept.
type kept struct {
	end   context.CancelFunc
	again chan struct{} // room for one
}

// Keep has these lines kept from now on, and no others: those that are kept already are left alone. It waits for nothing.
func (c *Children) Keep(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cfg.Names = names; c.within == nil {
		return // Run begins with them
	}
	for name, k := range c.kept {
		if !slices.Contains(names, name) {
			k.end()
			delete(c.kept, name)
		}
	}
	for _, name := range names {
		if c.kept[name] != nil || c.within.Err() != nil {
			continue
		}
		ctx, end := context.WithCancel(c.within)
		k := &kept{end, make(chan struct{}, 1)}
		c.kept[name] = k
		c.lines.Go(func() {
			defer end()
			c.keep(ctx, name, k.again)
		})
	}
}

// Restart has a line's process stopped and started, which is no fault of the line's. A line that isn't kept is none.
func (c *Children) Restart(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.kept[name]; k != nil {
		select {
		case k.again <- struct{}{}:
		default: // it is about to be done
		}
	}
}

// keep keeps one line's process, and starts it again when it is asked to.
func (c *Children) keep(ctx context.Context, name string, again <-chan struct{}) {
	// A child's death signal is tied to the thread that started it, not to the process (prctl(2),
	// PR_SET_PDEATHSIG): this thread must live as long as the child, and be nobody else's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	log := c.deps.Log.With("line", name)
	wait := firstWait
	for times := 1; ; times++ {
		began := time.Now()
		asked, err := c.once(ctx, name, again)
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
		if c.deps.OnExit != nil {
			c.deps.OnExit(name, times)
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
func (c *Children) once(ctx context.Context, name string, again <-chan struct{}) (asked bool, err error) {
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
	err = c.run(ctx, name)
	close(ended)
	<-watched
	stop()
	return asked, err
}
