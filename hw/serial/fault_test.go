package serial

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// soon is within what a fault has to be told.
const soon = 3 * time.Second

// breaks waits for a fault to be told in time.
func (r *rig) breaks(code string) {
	r.t.Helper()
	if e := r.next(soon); e.Kind != Broken || e.Code != code || e.Err == nil {
		r.t.Fatalf("%v came for %s; before: %v; it was told %q", e, code, r.told, r.far.Log())
	}
}

// gone waits for the end of the modem's Run, which a port has brought.
func (r *rig) gone() {
	r.t.Helper()
	select {
	case err := <-r.err:
		if !errors.Is(err, hw.ErrLost) {
			r.t.Errorf("it ended with %v", err)
		}
	case <-time.After(soon):
		r.t.Fatal("it goes on")
	}
}

func TestAModemThatAnswersNothing(t *testing.T) {
	for name, fault := range map[string]func(*modem.Modem, bool){
		"garbage": (*modem.Modem).Garbage,
		"nothing": (*modem.Modem).Mute,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
				r.up()
				fault(r.far, true)
				r.breaks(Silent)
				r.quiet(20 * time.Second)
				fault(r.far, false)
				r.expect(Mended)
				r.talk()
			})
		})
	}
}

func TestAModemThatAnswersNothingAtFirst(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.far.Mute(true)
		r.run()
		r.breaks(Silent)
		r.far.Mute(false)
		r.expect(Mended)
		r.talk()
	})
}

// TestACallThatWasThereAndNothingElse is sound that comes, and no answer.
func TestACallThatWasThereAndNothingElse(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.far.CallActive("5551234")
		r.far.Mute(true)
		r.blamed = r.m.control.voice() // it is asked within its sound whether it answers
		r.run()
		r.breaks(Silent)
		r.far.HangUp()
		r.far.Mute(false)
		r.expect(Mended)
		r.quiet(3 * time.Second)
		r.talk()
	})
}

// TestAModemThatRefuses is told of in time, whichever of its profile's commands it refuses; and but for those of a call, before there is one.
func TestAModemThatRefuses(t *testing.T) {
	for _, kind := range kinds {
		p := profiles[kind]
		all := slices.Concat(p.Init, p.Before, p.Answer, p.AudioOn)
		for _, command := range all {
			if slices.Contains(p.Optional, command) || command == "AT+VSM=%s,8000,0,0" {
				continue
			}
			t.Run(command, func(t *testing.T) {
				bubble(t, modem.Spec{Kind: kind}, func(t *testing.T, r *rig) {
					r.far.Refuse(command[2:])
					r.run()
					if inCall := slices.Contains(slices.Concat(p.Answer, p.AudioOn), command); inCall {
						time.Sleep(time.Second)
						r.far.Ring("5551234")
						r.expect(Ringing, Ringing)
						if err := r.m.Answer(); err != nil {
							t.Fatal(err)
						}
					}
					r.breaks(Refuses)
					if kind == modem.SIMCom && command == "AT+CPCMREG=1" {
						return // it is reset
					}
					r.far.Refuse()
					for e := r.next(10 * time.Second); e.Kind != Mended; e = r.next(20 * time.Second) {
						switch e.Kind {
						case Ringing:
							r.m.Answer() // who isn't answered tries again
						case Began, Ended:
						default:
							t.Fatalf("%v came", e)
						}
					}
				})
			})
		}
	}
}

func TestAnEndlessLineAndAFloodOfRings(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.far.Endless(5 * time.Second)
		time.Sleep(6 * time.Second)
		for len(r.m.Events()) > 0 {
			if e := r.next(0); e.Kind != Mended && e.Code != Silent {
				t.Errorf("%v came", e)
			}
		}
		r.far.RingFlood(3 * time.Second)
		r.expect(Ringing)
		r.quiet(5 * time.Second)
		r.expect(Ended)
		r.talk()
		r.far.RingFlood(3 * time.Second)
		r.quiet(5 * time.Second)
	})
}

func TestWordsInTheSound(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.talk()
		for _, text := range []string{"\r\nNO CARRIER\r\n", "\r\nRING\r\n\r\nERROR\r\n", "VOICE CALL: END\r\n."} {
			r.far.SayText(text)
			time.Sleep(time.Second)
		}
		r.quiet(5 * time.Second)
	})
}

func TestHalfOfTheSound(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.talk()
		time.Sleep(5 * time.Second)
		r.far.HalfRate(true)
		r.breaks(NoSound)
		if !r.lacks() {
			t.Error("none is taken for lost")
		}
		r.far.HalfRate(false)
		r.expect(Mended)
		r.quiet(5 * time.Second)
	})
}

func TestAModemThatTakesNoSound(t *testing.T) {
	said := noise(8000 * 60)
	bubble(t, modem.Spec{In: said}, func(t *testing.T, r *rig) {
		port := modem.Sound
		if r.m.control.voice() {
			port = modem.AT
		}
		r.up()
		r.talk()
		time.Sleep(5 * time.Second)
		r.far.StopReading(port)
		r.breaks(Deaf)
		r.quiet(5 * time.Second)
		r.far.ReadAgain()
		r.expect(Mended)
		time.Sleep(5 * time.Second)
		base, end := r.begins(), len(r.far.Heard())-320
		if where := differ(r.hears()[base:][:end], r.through(r.said[:end])); where != "" {
			t.Errorf("what was heard isn't what was said %s", where)
		}
		if by := r.moved(base, end); by < -8 || by > 8 {
			t.Errorf("what is played comes %d frames later than before", by)
		}
	})
}

func TestAModemThatTakesNoCommands(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.blamed = true // for what was sent meanwhile, which it finds all at once
		r.far.StopReading(modem.AT)
		r.breaks(Silent)
		r.quiet(time.Minute)
		r.far.ReadAgain()
		r.expect(Mended)
		r.talk()
	})
}

// TestAModemThatTakesNoCommandsInACall goes on with the call.
func TestAModemThatTakesNoCommandsInACall(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		if r.m.control.voice() {
			return // it takes no sound either
		}
		r.up()
		r.talk()
		r.blamed = true
		r.far.StopReading(modem.AT)
		r.breaks(Silent)
		turns, lasts := len(r.hears()), 1800
		if testing.Short() {
			lasts = 60
		}
		r.quiet(time.Duration(lasts) * time.Second)
		if n := len(r.hears()) - turns; n < 8000*(lasts-1) || n > 8000*(lasts+1) {
			t.Errorf("%d s of the call have %d frames", lasts, n)
		}
		if r.lacks() {
			t.Error("some was taken for lost")
		}
		r.far.ReadAgain()
		r.expect(Mended)
	})
}

func TestAPortThatVanishes(t *testing.T) {
	bubble(t, modem.Spec{}, func(t *testing.T, r *rig) {
		r.up()
		r.talk()
		r.far.Vanish()
		r.gone()
		r.far.Return()
		r.again()
		r.up()
		r.talk()
	})
}

// TestAHalfDeadModule is reset by itself once its sound is begun in vain, and is then in order.
func TestAHalfDeadModule(t *testing.T) {
	bubble(t, modem.Spec{Kind: modem.SIMCom}, func(t *testing.T, r *rig) {
		r.up()
		r.far.HalfDead()
		r.far.Ring("5551234")
		r.expect(Ringing, Ringing)
		if err := r.m.Answer(); err != nil {
			t.Fatal(err)
		}
		r.breaks(Refuses)
		r.gone()
		time.Sleep(10 * time.Second)
		r.again()
		r.up()
		r.talk()
	})
}

// TestAVoiceModemThatLeaves ends the sound by itself, and with it the call.
func TestAVoiceModemThatLeaves(t *testing.T) {
	bubble(t, modem.Spec{Kind: modem.V253}, func(t *testing.T, r *rig) {
		r.up()
		r.talk()
		r.blamed = true // for sound that was under way
		r.far.Drop()
		r.expect(Ended)
		r.quiet(5 * time.Second)
		r.talk()
	})
}

// TestNoKeyIsKnown: what a modem reports of keys is told as that there was one, each once.
func TestNoKeyIsKnown(t *testing.T) {
	keys := []modem.Key{}
	for i, k := range []byte("159#") {
		keys = append(keys, modem.Key{At: 8000 * int64(i+1), Key: k, Samples: 800})
	}
	bubble(t, modem.Spec{Keys: keys, In: make([]int16, 8000*10)}, func(t *testing.T, r *rig) {
		if len(r.m.control.Says.Key) == 0 && !r.m.control.voice() {
			return
		}
		r.up()
		r.talk()
		for range keys {
			if e := r.expect(KeyHeard); e != (Event{Kind: KeyHeard}) {
				t.Error("a key is told with something more")
			}
		}
		r.quiet(2 * time.Second)
	})
}
