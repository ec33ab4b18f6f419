package line

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/sound"
)

// What stands in the way comes before what no longer does, lest the line may be armed in between; and what is new is logged, once, with its remedy.
func TestMixersBarALine(t *testing.T) {
	var log bytes.Buffer
	m := mixers{log: slog.New(slog.NewTextHandler(&log, nil))}
	sidetone := sound.Monitor{Mixer: "hw:1", Control: "Sidetone Playback Switch", Remedy: "mute it"}
	gone := errors.New("no such device")
	for _, c := range []struct {
		open []sound.Monitor
		err  error
		bars string
		logs []string
	}{
		{nil, nil, "[{monitor_open false} {mixer_unread false}]", nil},
		{[]sound.Monitor{sidetone}, nil, "[{monitor_open true} {mixer_unread false}]", []string{"Sidetone Playback Switch", "hw:1", "mute it"}},
		{[]sound.Monitor{sidetone}, nil, "[{monitor_open true} {mixer_unread false}]", nil},
		{nil, gone, "[{mixer_unread true} {monitor_open false}]", []string{"no such device"}},
		{nil, gone, "[{mixer_unread true} {monitor_open false}]", nil},
		{[]sound.Monitor{sidetone}, gone, "[{mixer_unread true} {monitor_open true}]", []string{"Sidetone Playback Switch", "no such device"}},
		{nil, nil, "[{monitor_open false} {mixer_unread false}]", nil},
		{[]sound.Monitor{sidetone, sidetone}, nil, "[{monitor_open true} {mixer_unread false}]", []string{"mute it", "mute it"}},
	} {
		log.Reset()
		if bars := fmt.Sprint(m.judge(c.open, c.err)); bars != c.bars {
			t.Errorf("%v, %v: %s, not %s", c.open, c.err, bars, c.bars)
		}
		if c.logs == nil && log.Len() > 0 {
			t.Errorf("%v, %v: nothing new, and logged %s", c.open, c.err, log.String())
		}
		for _, says := range c.logs {
			if !strings.Contains(log.String(), says) {
				t.Errorf("%v, %v: %q is not in %s", c.open, c.err, says, log.String())
			}
		}
	}
}
