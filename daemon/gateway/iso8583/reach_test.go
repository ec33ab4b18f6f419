package iso8583

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// TestReach: an acquirer is there while he answers echoes; it is said why he isn't.
func TestReach(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		within := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			return r.c.Reach(ctx)
		}
		if err := within(); err != nil {
			t.Error(err)
		}
		r.bank.Ignore(true)
		if err := within(); !errors.Is(err, context.DeadlineExceeded) || r.c.State() != Ready {
			t.Errorf("he is deaf: %v, and the connection is %s", err, r.c.State())
		}
		r.bank.Ignore(false)
		if err := within(); err != nil {
			t.Errorf("he hears again: %v", err)
		}
		r.cut(errors.New("the cable is out"))
		time.Sleep(time.Minute)
		if err := within(); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "the cable is out") {
			t.Errorf("he is away: %v", err)
		}
	})
}
