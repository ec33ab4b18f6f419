package main

import (
	"strings"

	"github.com/flattone/flattone/daemon/control"
)

// reason says a reason code in words for a technician: why a field was refused, a capture ended, a line is
// held or down. A test holds the list against the codes there are; one it doesn't know is still readable.
func reason(code string) string {
	switch code {
	// A field was refused.
	case "luhn":
		return "mistyped: the check digit does not fit"
	case "unknown_brand":
		return "no card begins like that"
	case "brand_not_accepted":
		return "this kind of card is not taken here"
	case "too_short":
		return "too short"
	case "too_long":
		return "too long"
	case "expired":
		return "the card has expired"
	case "expiry_invalid":
		return "not a date"
	case "expiry_too_far":
		return "too far ahead to be true"
	case "cvv_length":
		return "wrong length for this card"
	case "unclear_key":
		return "a key was not clear: field to be keyed again"
	case "keys_doubled":
		return "the caller's phone sends keys twice: from now on each counts once; field to be keyed again"

	// A capture was void.
	case "too_many_tries":
		return "refused too often"
	case "timeout_between_keys":
		return "no key for too long"
	case "timeout_overall":
		return "took too long in all"
	case "call_ended":
		return "the call ended"
	case "cancelled":
		return "given up by the agent or a technician"
	case "line_restarted":
		return "the line's process restarted in the middle"
	case "fault":
		return "the line had a fault: see its log"
	case "not_stored":
		return "the vault refused the card: see flattoned's log"
	case "call_unwatched":
		return "armed for three minutes, which is the most where nobody tells that a call has ended"
	case "source_lost":
		return "what tells of its calls is away: they are only presumed"
	case "shutdown":
		return "the box is about to stop or sleep: no card is taken until it is up again"
	case "store_timeout":
		return "the vault did not answer in time, and may have the card all the same: see flattone tokens"

	// A line is held or down.
	case "call_unknown":
		return "it can't tell whether a card is being keyed"
	case "sound_stands":
		return "its device gave no sound for a while: the call may be another now"
	case "legs_swapped_or_coupled":
		return "a key was heard on the agent's side: he pressed one, or caller and agent are swapped or coupled, and then the wiring is wrong"
	case "line_broken":
		return "its sound processing failed: restart the line"
	case "starting":
		return "its process is starting"
	case "process_down":
		return "its process has ended, and is started again"

	// A line waits for its sound device, or a device can't be used.
	case control.DeviceAbsent:
		return "the sound device is not there"
	case control.DeviceMoved:
		return "the sound device is on another port than it was adopted on"
	case control.DeviceReplaced:
		return "another card is in the sound device's place"
	case control.DeviceSwapped:
		return "the sound device was plugged in anew, and may have been swapped with one like it"

	// Something stands in the way of taking cards.
	case "monitor_open":
		return "its sound card's mixer lets an input through to an output, past the mask: the line's log says which control, and how to close it"
	case "self_test_failed":
		return "its self-test failed: restart the line, and report it if it comes again; its log says what was found"
	case "mixer_unread":
		return "its sound card's mixer can't be read, and may let an input through to an output, past the mask: see the line's log"
	case "modem_silent":
		return "its modem doesn't answer: look at its cable and power"
	case "modem_refuses":
		return "its modem refuses what it is told: the line's log says which command; is it the right profile?"
	case "modem_no_sound":
		return "its modem gives no sound of a call, or only part of it"
	case "modem_deaf":
		return "its modem doesn't take the sound that it is given"
	case "untuned":
		return "untuned: nobody has measured it as it is now; flattone tune does"

	// A tuning came to nothing.
	case "tune_timeout":
		return "what a step waits for did not come in two minutes"
	case "tune_no_sound":
		return "a device gives no sound"
	case "tune_cancelled":
		return "it was cut short"
	case "tune_not_kept":
		return "its report can't be kept"
	case "tune_refused":
		return "a figure is out of bounds"

	// A line suffers from something.
	case "codec_poor":
		return "codec_poor: keys are suspected so late that their heads may be heard"
	case "input_dead":
		return "input_dead: not even noise: look at its cable and mute switch"
	case "input_clips":
		return "input_clips: too loud: turn it down before the box"
	case "gain_clips":
		return "gain_clips: too loud for its gain: lower that in [line.sound]"
	case "clocks_apart":
		return "clocks_apart: its device's clock and the other's differ too much: change one"

	// Warnings.
	case "key_waiting":
		return "no key for a while: more time?"
	case "key_ignored":
		return "a key that phones don't have was ignored"
	case "start_refused":
		return "the agent's keys asked for a card, and the line can't take one now"
	case "cancel_refused":
		return "the agent's keys asked to give up, and there was nothing to give up"
	case "answer_refused":
		return "the agent's keys asked to answer, and no call rings, or the modem can't now"
	case "hang_up_refused":
		return "the agent's keys asked to hang up, and there is no call, or the modem can't now"
	case "network_heard":
		return "tones of the telephone network are heard: has the caller hung up?"
	case "vault_failed":
		return "the vault can't keep the card now: the line holds it and tries again"
	case "mark_stays":
		return "the mark of an armed call can't be removed: a restart will hold the line"
	case "too_slow":
		return "events came faster than they were read"
	}
	return strings.ReplaceAll(clean(code), "_", " ")
}

// acknowledging reports whether somebody's word is what releases a line held for that reason. A line that is
// broken, starting or without its sound device needs something else.
func acknowledging(code string) bool {
	return code != "line_broken" && code != "starting" && code != "process_down" && !strings.HasPrefix(code, "device_")
}
