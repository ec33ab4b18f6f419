package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// novelty is a message that came with version 2, in a kind of its own.
type novelty struct{ Colour string }

func (novelty) kind() kind { return 200 }

// Two builds that are one version apart speak that of the older: what is new the newer one doesn't send, and does not take. Where both have it, it crosses; where
// they are two apart, neither stays.
func TestOneVersionApart(t *testing.T) {
	kinds[novelty{}.kind()] = entry{"novelty", Line, strict[novelty]}
	since[novelty{}.kind()] = 2
	t.Cleanup(func() { delete(kinds, novelty{}.kind()); delete(since, novelty{}.kind()) })
	first, second, third := span{1, 1}, span{1, 2}, span{2, 3}
	for name, test := range map[string]struct {
		line, daemon span
		version      int // 0: none
	}{
		"both of the first":      {first, first, 1},
		"the line is behind":     {first, second, 1},
		"flattoned is behind":    {second, first, 1},
		"both of the second":     {second, second, 2},
		"the line is ahead":      {third, second, 2},
		"two apart, line older":  {first, third, 0},
		"two apart, line newer":  {third, first, 0},
		"flattoned is one ahead": {second, third, 2},
	} {
		t.Run(name, func(t *testing.T) {
			line, daemon := pipe(t)
			line.speaks, daemon.speaks = test.line, test.daemon
			welcomed := make(chan error, 1)
			go func() { welcomed <- daemon.welcome(func(Peer) bool { return true }) }()
			err, there := line.introduce(Hello{Line: "one"}), <-welcomed
			if test.version == 0 {
				for _, err := range []error{err, there} {
					refused, ok := errors.AsType[Refused](err)
					if !ok || refused.Reason != ReasonVersion || !strings.Contains(refused.Detail, "upgrade the older") {
						t.Errorf("got %v, want a refusal for the version", err)
					}
				}
				return
			}
			if err != nil || there != nil || line.Version() != test.version || daemon.Version() != test.version {
				t.Fatalf("they agree on %d and %d (%v, %v), want %d", line.Version(), daemon.Version(), err, there, test.version)
			}
			crosses(t, line, daemon, State{State: "idle"}, "")
			says := ""
			if test.version < 2 {
				says = "a novelty message, which came with version 2, when version 1 is spoken"
			}
			crosses(t, line, daemon, novelty{"red"}, says)
		})
	}
}

// crosses sends a message, or has it refused at both ends.
func crosses(t *testing.T, from, to *Conn, m Message, refused string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		err := from.Send(m)
		if err != nil { // as a peer would that doesn't keep to what was agreed
			payload, _ := json.Marshal(m)
			from.nc.Write(frame(byte(m.kind()), payload))
		}
		sent <- err
	}()
	got, _, err := to.Receive()
	there := <-sent
	if refused == "" {
		if got != m || err != nil || there != nil {
			t.Errorf("got %v, %v, when it was sent with %v", got, err, there)
		}
		return
	}
	if got != nil || !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), refused) || there == nil || !strings.Contains(there.Error(), refused) {
		t.Errorf("got %v, %v, and sending it says %v", got, err, there)
	}
}
