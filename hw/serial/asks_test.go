package serial

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/hwtest/wires"
)

func TestACallIsDialled(t *testing.T) {
	bubble(t, modem.Spec{LatePCM: true}, func(t *testing.T, r *rig) {
		r.up()
		if err := r.m.Dial("+495551234"); err != nil {
			t.Fatal(err)
		}
		r.expect(Began)
		time.Sleep(3 * time.Second)
		r.far.HangUp()
		r.expect(Ended)
		r.quiet(3 * time.Second)
	})
}

func TestNobodyIsReached(t *testing.T) {
	bubble(t, modem.Spec{Busy: true}, func(t *testing.T, r *rig) {
		r.up()
		if err := r.m.Dial("5551234"); err != nil {
			t.Fatal(err)
		}
		if r.m.control.voice() {
			r.expect(Began) // on a telephone line that is a call, too: there are tones
		}
		r.expect(Ended)
		r.quiet(3 * time.Second)
		r.talk()
	})
}

func TestADialledCallIsGivenUp(t *testing.T) {
	bubble(t, modem.Spec{AnswersAfter: time.Minute}, func(t *testing.T, r *rig) {
		r.up()
		if err := r.m.Dial("5551234"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if r.m.control.voice() {
			r.expect(Began)
		}
		if err := r.m.HangUp(); err != nil {
			t.Fatal(err)
		}
		r.expect(Ended)
		r.quiet(3 * time.Second)
	})
}

func TestACallerGivesUp(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.far.Ring("5551234")
		r.expect(Ringing, Ringing)
		time.Sleep(time.Second)
		r.far.HangUp()
		r.expect(Ended)
		if err := r.m.Answer(); err == nil {
			t.Error("who rings no more is answered")
		}
		r.quiet(10 * time.Second)
		r.talk()
	})
}

func TestARingingCallIsRefused(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.far.Ring("5551234")
		r.expect(Ringing, Ringing)
		err := r.m.HangUp()
		if r.m.control.voice() {
			if err == nil || !strings.Contains(err.Error(), "can't be refused") {
				t.Errorf("a telephone's ring is refused: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		r.expect(Ended)
		r.quiet(10 * time.Second)
	})
}

// TestACallThatWasThere is joined by a process that begins in the middle of it.
func TestACallThatWasThere(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.far.CallActive("5551234")
		r.blamed = r.m.control.voice() // it is asked within its sound whether it answers
		r.run()
		r.expect(Joined)
		r.quiet(3 * time.Second)
		if err := r.m.HangUp(); err != nil {
			t.Fatal(err)
		}
		r.expect(Ended)
		time.Sleep(2 * time.Second) // it is set up now
		r.talk()
	})
}

// TestFormats: each modem's best format is used, if it has one.
func TestFormats(t *testing.T) {
	for _, f := range wires.Formats {
		t.Run(f.Make, func(t *testing.T) {
			said := noise(8000 * 10)
			if f.Make == "Conexant CX93001" {
				said = coarse(said)
			}
			bubble(t, modem.Spec{Kind: modem.V253, Formats: f.Lines, In: said}, func(t *testing.T, r *rig) {
				if f.Best < 0 {
					r.run()
					r.breaks(Refuses)
					return
				}
				r.up()
				r.talk()
				time.Sleep(5 * time.Second)
				r.holdsTo(r.begins(), 160, 160, 30000)
			})
		})
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	bubble(t, modem.Spec{Kind: modem.Quectel}, func(t *testing.T, r *rig) {
		refused := func(err error, says string) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v doesn't say %q", err, says)
			}
		}
		refused(r.m.Answer(), "no call rings")
		refused(r.m.Dial("5551234"), "isn't up")
		r.up()
		for _, number := range []string{"**21*5551234#", "#31#5551234", "", "+", "555;H", "555 1234", "+555+", strings.Repeat("1", 41), "55\r"} {
			err := r.m.Dial(number)
			refused(err, "no telephone number")
			if len(number) > 2 && strings.Contains(err.Error(), number) {
				t.Errorf("the error shows the number %q", number)
			}
		}
		refused(r.m.HangUp(), "no call")
		r.talk()
		refused(r.m.Dial("5551234"), "hang up first")
		refused(r.m.Answer(), "no call rings")
	})
}

// TestEventsThatNobodyFetches hold nothing up, and the newest are there in the end.
func TestEventsThatNobodyFetches(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		for range 20 {
			r.far.Ring("5551234")
			for time.Sleep(time.Second); r.m.control.now() != talking; time.Sleep(time.Second) {
				r.m.Answer()
			}
			for range 5 {
				r.far.Key('5', 80*time.Millisecond)
				time.Sleep(200 * time.Millisecond)
			}
			r.m.HangUp()
			for r.m.control.now() != ready {
				time.Sleep(time.Second)
			}
		}
		if n := len(r.m.Events()); n != eventsKept {
			t.Errorf("%d events wait", n)
		}
		var last Event
		for len(r.m.Events()) > 0 {
			last = <-r.m.Events()
		}
		if last.Kind != Ended {
			t.Errorf("the last is %v", last)
		}
	})
}
