package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
)

// screen is the live picture of watch: a bubbletea model over a [board].
type screen struct {
	board *board
	look  look
	now   func() time.Time

	width, height int
	chosen        int // which line's details are shown
}

// The messages of the screen besides bubbletea's own.
type (
	eventMsg control.Event
	tickMsg  struct{}
)

// newScreen draws for a terminal of 80 by 24 until it is told of another size.
func newScreen(b *board, g glyphs, now func() time.Time) *screen {
	return &screen{board: b, look: newLook(g), now: now, width: 80, height: 24}
}

// programOptions hand the terminal over. Signals stay with main: they end the context, that ends the watch,
// and the end of the watch ends the program as q does.
func (t *tool) programOptions(out *os.File) []tea.ProgramOption {
	env := t.env
	if t.getenv("NO_COLOR") != "" {
		env = append(env[:len(env):len(env)], "NO_COLOR=1") // bubbletea knows it as a boolean only
	}
	opts := []tea.ProgramOption{tea.WithOutput(out), tea.WithEnvironment(env), tea.WithoutSignalHandler()}
	if in, ok := t.in.(*os.File); !ok || !isTerminal(in) {
		return append(opts, tea.WithInput(nil)) // no keys to read; Ctrl-C still comes as a signal
	}
	return append(opts, tea.WithInput(t.in))
}

// picturesque is a model whose last picture is worth keeping.
type picturesque interface {
	tea.Model
	keepsake() string
}

// onScreen draws m until feed, which sends it what there is to see, returns, or the user leaves, which stops feed. The last picture stays on
// the terminal.
func (t *tool) onScreen(out *os.File, m picturesque, stop context.CancelCauseFunc, feed func(send func(tea.Msg)) error) error {
	p := tea.NewProgram(m, t.programOptions(out)...)
	ended := make(chan error, 1)
	go func() {
		err := feed(p.Send)
		p.Quit()
		ended <- err
	}()
	_, err := p.Run()
	stop(context.Canceled) // the user left; a cause there is already stays
	if err != nil {
		err = fmt.Errorf("drawing the live screen: %w", err)
	}
	err = errors.Join(err, <-ended)
	if err == nil {
		_, err = lipgloss.Fprint(out, m.keepsake())
	}
	return err
}

func everySecond() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{} })
}

// Init starts the clock.
func (s *screen) Init() tea.Cmd { return everySecond() }

// Update takes one message in.
func (s *screen) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case eventMsg:
		s.board.apply(control.Event(m))
	case tickMsg:
		return s, everySecond()
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case tea.KeyPressMsg:
		switch m.String() {
		case "q", "esc", "ctrl+c":
			return s, tea.Quit
		case "up", "k":
			s.chosen = max(0, s.chosen-1)
		case "down", "j", "tab":
			s.chosen = max(0, min(len(s.board.lines)-1, s.chosen+1))
		}
	}
	return s, nil
}

// View draws the screen.
func (s *screen) View() tea.View {
	v := tea.NewView(s.picture())
	v.AltScreen = true
	v.WindowTitle = "flattone"
	return v
}
