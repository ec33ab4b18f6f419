//go:build cgo

package line

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// A line whose card's mixer lets an input through comes up barred: it can't be armed in the moment before the mixers are watched.
func TestALineComesUpBarredByItsMixer(t *testing.T) {
	for says, mixer := range map[string][]card.Control{
		"monitor_open": {card.Switch("Mic Playback Switch", 1)},
		"":             {card.Switch("Mic Playback Switch", 0)},
	} {
		t.Run(says, func(t *testing.T) {
			card.New(t, card.Spec{Name: "both", Rate: 8000, Channels: 2, Mixer: mixer})
			b := newBox(t, "")
			l := &b.cfg.Lines[0]
			l.WAV, l.Sound = config.WAV{}, &config.Sound{Caller: "both", CallerChannel: 1, Agent: "both", AgentChannel: 2}
			line, err := b.newLine()
			if err != nil {
				t.Fatal(err)
			}
			defer line.close()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go line.session.Run(ctx)
			line.session.Edge(hw.Edge{Kind: hw.CallPresumed})
			line.accepted(acceptancetest.Good("desk-1", line.tuning.fingerprint))
			err = line.session.Arm("cap", "")
			if says == "" && err != nil || says != "" && (!errors.Is(err, session.ErrBarred) || !strings.Contains(err.Error(), says)) {
				t.Errorf("armed, it says %v", err)
			}
		})
	}
}
