package line

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw/sound"
)

// mixers keeps a line from taking cards while a mixer of its sound cards lets an input through to an output: then the agent could hear the caller past
// the mask. A mixer that can't be read counts as one that does.
type mixers struct {
	devices []string
	log     *slog.Logger
	// seen is what was logged last.
	seen string
}

// first is what stands in the way from the beginning.
func (m *mixers) first() (bars []capture.Code) {
	for _, b := range m.judge(sound.Monitors(m.devices)) {
		if b.on {
			bars = append(bars, b.code)
		}
	}
	return bars
}

// watch bars the line, and lets it go, as the mixers change.
func (m *mixers) watch(ctx context.Context, s *session.Session) error {
	sound.WatchMonitors(ctx, m.devices, func(open []sound.Monitor, err error) {
		for _, b := range m.judge(open, err) {
			s.Bar(b.code, b.on) // fails only while the process ends
		}
	})
	return nil
}

// bar is whether something stands in the way.
type bar struct {
	code capture.Code
	on   bool
}

// judge turns what is seen into bars, first those that are on, and logs what is new.
func (m *mixers) judge(open []sound.Monitor, err error) []bar {
	if seen := fmt.Sprint(open, err); seen != m.seen {
		m.seen = seen
		for _, o := range open {
			m.log.Error("a sound card's mixer lets an input through to an output, past the mask: no card is taken until that is closed",
				"mixer", o.Mixer, "control", o.Control, "remedy", o.Remedy)
		}
		if err != nil {
			m.log.Error("a sound card's mixer can't be read, and may let an input through to an output: no card is taken until it can", "error", err)
		}
	}
	bars := []bar{{capture.MonitorOpen, len(open) > 0}, {capture.MixerUnread, err != nil}}
	if err != nil {
		bars[0], bars[1] = bars[1], bars[0]
	}
	return bars
}
