package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/bond"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

// conn is a line's connection, as far as the switchboard needs it.
type conn interface {
	Send(wire.Message) error
	Receive() (wire.Message, *secret.Card, error)
	Close() error
	Version() int
}

// reports keep what came of the lines' tunings.
type reports interface {
	// keep keeps one for good, and answers with it as it is kept.
	keep(ctx context.Context, line string, r acceptance.Report) (acceptance.Report, error)
	// last is the one that is kept of a line, empty if there is none.
	last(line string) acceptance.Report
}

// sealer puts a line's card into the vault, and says how to answer. The card stays the caller's.
type sealer func(ctx context.Context, line string, say wire.Card, card *secret.Card) wire.Message

// asked does what a line's agent asks for by keys, or tells why it isn't done.
type asked func(ctx context.Context, line string, what wire.Asked)

// switchboard knows every line: its process's connection, what it last said of itself, and the commands
// that wait for an answer. It passes events on to the feed and cards on to the sealer.
type switchboard struct {
	feed    *control.Feed
	health  *health.Board
	log     *slog.Logger
	seal    sealer
	ask     asked
	reports reports
	bonds   *bond.Bonds

	mu    sync.Mutex
	lines map[string]*extension
	order []string
}

// extension is one line of the switchboard.
type extension struct {
	name string
	cfg  config.Line
	// settings are what a process of the line would run with; view has those that it runs with, if there is one.
	settings string
	view     control.Line
	// ails is what of that is on the health board.
	ails map[health.Code]string
	conn conn
	// waiting are the commands under way, by id.
	waiting map[uint64]chan error
	lastID  uint64
}

func newSwitchboard(cfg *config.Config, feed *control.Feed, board *health.Board, log *slog.Logger, seal sealer, ask asked, reports reports, bonds *bond.Bonds) *switchboard {
	s := &switchboard{feed: feed, health: board, log: log, seal: seal, ask: ask, reports: reports, bonds: bonds, lines: map[string]*extension{}}
	s.know(cfg)
	return s
}

// know has the lines of cfg known from now on, and no others. What is said of a line whose process runs stays that process's until it ends.
func (s *switchboard) know(cfg *config.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.lines
	s.lines, s.order = map[string]*extension{}, nil
	for _, l := range cfg.Lines {
		x := old[l.Name]
		if x == nil {
			x = &extension{name: l.Name, view: control.Line{Reason: reasonStarting}, waiting: map[uint64]chan error{}}
		}
		delete(old, l.Name)
		if x.cfg, x.settings = l, cfg.Settings(l.Name); x.conn == nil {
			x.down(x.view.Reason)
		}
		s.lines[l.Name], s.order = x, append(s.order, l.Name)
		s.examine(x)
	}
	for name := range old {
		s.feed.Forget(name)
		s.health.Forget(name)
	}
}

// names are all lines, in the order of the config.
func (s *switchboard) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// down is the view of a line whose process doesn't run, so that nothing is known of it. It counts as held: nothing
// the caller says reaches the agent.
func (x *extension) down(reason string) {
	l := x.cfg
	x.view = control.Line{
		Name: l.Name, Place: string(l.Place), Scope: l.Scope(), Consequences: l.Consequences(),
		Idle: string(l.Idle), Shield: string(l.Shield), LookAheadMS: int(l.LookAhead.Milliseconds()),
		State: control.StateHeld, Reason: reason, Restarts: x.view.Restarts, Settings: x.settings,
	}
	if l.Sound != nil {
		x.view.GainToAgentDB, x.view.GainToCallerDB = l.Sound.GainToAgentDB, l.Sound.GainToCallerDB
	}
	if l.Live() {
		x.view.Calls = string(l.Calls.Source)
	}
}

// attach takes a line's connection, and serves it until it ends. A second connection of a line that has one is
// refused: one process owns a line.
func (s *switchboard) attach(ctx context.Context, hello wire.Hello, c conn) error {
	s.mu.Lock()
	x := s.lines[hello.Line]
	var refused wire.Refused
	tunes := false
	switch {
	case x == nil:
		refused = wire.Refused{Reason: wire.ReasonLine, Detail: fmt.Sprintf("line %q is not in the config", hello.Line)}
	case x.conn != nil:
		refused = wire.Refused{Reason: wire.ReasonBusy, Detail: fmt.Sprintf("line %q has a process already (pid %d)", hello.Line, x.view.PID)}
	default:
		x.conn, tunes = c, x.cfg.Tunes()
		x.view.Up, x.view.PID, x.view.UpSince, x.view.Reason, x.view.Settings = true, hello.PID, time.Now(), reasonStarting, hello.Settings
		x.view.NoRealTime = hello.NoRealTime
		s.examine(x)
		s.feed.Publish(control.Event{Kind: control.KindLineUp, Line: hello.Line})
	}
	s.mu.Unlock()
	if refused.Reason != "" {
		return errors.Join(refused, c.Send(refused))
	}
	s.log.Info("line is up", "line", hello.Line, "pid", hello.PID, "wire", c.Version())

	asks := make(chan wire.Asked, mostAsks)
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() { // one after the other, lest a cancel overtake a start
		for what := range asks {
			s.ask(ctx, hello.Line, what)
		}
	})
	var err error
	if tunes { // until it is told, such a line takes no card
		err = c.Send(wire.Accepted{Report: s.reports.last(hello.Line)})
	}
	if err == nil {
		err = s.serve(ctx, x, c, asks)
	}
	close(asks)

	s.mu.Lock()
	reason := reasonDown
	if x.awaitsDevice() {
		reason = reasonStarting // the same process goes on, or exited says that it doesn't
	}
	x.conn = nil
	x.down(reason)
	s.examine(x)
	for id, answer := range x.waiting {
		answer <- lineDown(hello.Line, reason)
		delete(x.waiting, id)
	}
	if s.lines[hello.Line] == x { // else it is none of the box's any more
		// Before anybody else can attach: up must not be told before down.
		s.feed.Publish(control.Event{Kind: control.KindLineDown, Line: hello.Line, Reason: reason})
	}
	s.mu.Unlock()
	s.bonds.Down(hello.Line)
	return err
}

// awaitsDevice reports that the line has said so: once its device is there it comes anew, as what it is then.
func (x *extension) awaitsDevice() bool {
	return slices.Contains([]string{control.DeviceAbsent, control.DeviceMoved, control.DeviceReplaced, control.DeviceSwapped}, x.view.Reason)
}

// Why a line that has not said how it stands is held.
const (
	reasonStarting = string(health.Starting)
	reasonDown     = string(health.ProcessDown)
	reasonStopped  = string(health.ProcessStopped)
	reasonApart    = string(health.VersionsApart)
)

// command sends a line what build makes of a fresh id, and waits for the answer.
func (s *switchboard) command(ctx context.Context, line string, build func(id uint64) wire.Message) error {
	s.mu.Lock()
	x := s.lines[line]
	if x == nil {
		have := slices.Clone(s.order)
		s.mu.Unlock()
		return unknownLine(line, have)
	}
	c := x.conn
	if c == nil {
		reason := x.view.Reason
		s.mu.Unlock()
		return lineDown(line, reason)
	}
	x.lastID++
	id, answer := x.lastID, make(chan error, 1)
	x.waiting[id] = answer
	s.mu.Unlock()

	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(x.waiting, id)
	}()
	sent := time.Now()
	if err := c.Send(build(id)); err != nil {
		s.log.Warn("a command did not reach a line", "line", line, "error", err)
		return lineDown(line, reasonDown)
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return noAnswer(line, time.Since(sent))
	}
}

// tell tells a line what needs no answer.
func (s *switchboard) tell(line string, m wire.Message) error {
	s.mu.Lock()
	x := s.lines[line]
	if x == nil || x.conn == nil {
		s.mu.Unlock()
		return lineDown(line, reasonDown)
	}
	c := x.conn
	s.mu.Unlock()
	return c.Send(m)
}

// views are all lines, in the order of the config.
func (s *switchboard) views() []control.Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []control.Line
	for _, name := range s.order {
		view := s.lines[name].view
		view.Bound = s.bonds.Agent(name)
		all = append(all, view)
	}
	return all
}

// exited notes that a line's process is gone and will be started again. One that never got as far as a connection
// is told of here; of any other, its connection's end tells.
func (s *switchboard) exited(line string, restarts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.lines[line]
	if x == nil {
		return
	}
	x.view.Restarts = restarts
	if x.conn == nil && x.view.Reason == reasonStarting {
		x.view.Reason = reasonDown
		s.examine(x)
		s.feed.Publish(control.Event{Kind: control.KindLineDown, Line: line, Reason: reasonDown})
	}
}

// stopped notes that somebody has stopped a line's process, which nobody starts again but he.
func (s *switchboard) stopped(line string) { s.absent(line, reasonStopped) }

// apart notes that a line's process is there, and can't be spoken with.
func (s *switchboard) apart(line string) { s.absent(line, reasonApart) }

// absent notes why a line has no connection.
func (s *switchboard) absent(line, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.lines[line]
	if x == nil || x.conn != nil || x.view.Reason == reason {
		return
	}
	x.view.Reason = reason
	s.examine(x)
	s.feed.Publish(control.Event{Kind: control.KindLineDown, Line: line, Reason: reason})
}
