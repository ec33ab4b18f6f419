//go:build cgo

package line

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/serial"
)

// A line of a modem and a sound card, either way round: both hear each other, and of a card that is keyed by modem the agent's card hears nothing. On the
// side of the caller that is a sound card, calls are told as to any line of sound devices. The card runs at a modem's rate, or at a multiple.
func TestAModemAndASoundCard(t *testing.T) {
	for _, c := range []struct {
		side string
		rate audio.Rate
	}{{"caller", audio.Rate8k}, {"agent", audio.Rate8k}, {"caller", audio.Rate48k}, {"agent", audio.Rate16k}} {
		side := c.side
		t.Run(fmt.Sprintf("%s's modem, and a card at %v", side, c.rate), func(t *testing.T) {
			const lasts = 60 * 8000
			clicks := make([]int16, lasts)
			for i := 800; i < lasts; i += 800 {
				clicks[i] = 20000
			}
			by := int(c.rate / audio.Rate8k)
			var longer []int16
			for _, v := range clicks {
				longer = append(longer, slices.Repeat([]int16{v}, by)...)
			}
			made := card.New(t, card.Spec{Name: "other", Rate: int(c.rate), Patient: true, In: [][]int16{longer}})
			x := &office{box: newBox(t, `idle = "pass"`), caller: newFakeModem(), agent: newFakeModem()}
			l := &x.cfg.Lines[0]
			l.WAV, l.Sound = config.WAV{}, &config.Sound{CallerChannel: 1, AgentChannel: 1, DeviceRate: c.rate}
			modem := x.caller
			if side == "caller" {
				l.CallerModem, l.Sound.Agent, l.Calls.Source = &config.Modem{Port: "/dev/caller"}, "other", config.SourceModem
			} else {
				modem = x.agent
				l.AgentModem, l.Sound.Caller, l.Calls.Source = &config.Modem{Port: "/dev/agent"}, "other", config.SourceAPI
			}
			x.listen()
			line, err := New(x.cfg, "desk-1", x.deps())
			if err != nil {
				t.Fatal(err)
			}
			stop, _ := running(t, line)
			x.d = x.accept()
			if side == "caller" { // the other one can't be tuned
				if err := x.d.Send(wire.Accepted{Report: acceptancetest.Good("desk-1", line.tuning.fingerprint)}); err != nil {
					t.Fatal(err)
				}
				hear(x.d, func(m wire.Bar) bool { return m.Code == "untuned" && !m.On })
			}
			time.Sleep(time.Second) // the two devices come into step
			modem.loudest()
			from := len(made[0].Heard(1))
			modem.say(clicks[:16000])
			time.Sleep(2 * time.Second)
			if n := count(made[0].Heard(1)[from:]); n < 15 {
				t.Errorf("the card hears %d clicks of the modem's", n)
			}
			modem.mu.Lock()
			if n := count(modem.heard); n < 15 {
				t.Errorf("the modem hears %d clicks of the card's", n)
			}
			modem.mu.Unlock()
			if side == "caller" {
				x.inCall(true)
				from = len(made[0].Heard(1))
				modem.say(keyed(visa))
				if card := hear(x.d, any[wire.Card]).card; string(card[1:1+card[0]]) != visa {
					t.Error("another card than was keyed")
				}
				if n := count(made[0].Heard(1)[from:]); n > 0 {
					t.Errorf("the agent hears %d frames as loud as a key", n)
				}
			} else {
				if answer := x.d.ask(1, wire.CallTold{ID: 1, Edge: "call_began"}); answer != "" {
					t.Error(answer)
				}
				modem.events <- serial.Event{Kind: serial.Ringing}
				modem.expect(t, "answer")
				if answer := x.d.ask(2, wire.PickUp{ID: 2}); !strings.Contains(answer, "is no modem") {
					t.Errorf("asked to answer the caller, it says %q", answer)
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			if want := map[string]string{"caller": "/dev/caller and other", "agent": "other and /dev/agent"}[side]; line.device.Device != want {
				t.Errorf("the line is called %s", line.device.Device)
			}
		})
	}
}

// count is how many clicks were heard.
func count(heard []int16) (n int) {
	for i := slices.IndexFunc(heard, loud); i >= 0; i = slices.IndexFunc(heard, loud) {
		n++
		heard = heard[min(len(heard), i+80):]
	}
	return n
}

func loud(v int16) bool { return v > 6000 }
