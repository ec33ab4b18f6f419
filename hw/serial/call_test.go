package serial

import (
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

func TestACallComesInAndIsEndedThere(t *testing.T) {
	bubble(t, modem.Spec{Echo: true, Split: true}, func(t *testing.T, r *rig) {
		r.up()
		r.far.Ring("5551234")
		if e := r.expect(Ringing); e.Number != "" {
			t.Errorf("its number is %q before it was told", e.Number)
		}
		if e := r.expect(Ringing); e.Number != "5551234" {
			t.Errorf("its number is %q", e.Number)
		}
		if err := r.m.Answer(); err != nil {
			t.Fatal(err)
		}
		r.expect(Began)
		time.Sleep(3 * time.Second)
		r.far.HangUp()
		r.expect(Ended)
		r.quiet(5 * time.Second)
		r.talk() // the next one
		if err := r.m.HangUp(); err != nil {
			t.Fatal(err)
		}
		r.expect(Ended)
		if call, sound := r.far.Active(); call || sound {
			t.Errorf("there is a call: %v; with sound: %v", call, sound)
		}
		r.quiet(5 * time.Second)
	})
}
