package main

import (
	"strings"

	"github.com/flattone/flattone/daemon/health"
)

// reason says a reason code in words for a technician: why a field was refused, a capture ended, a line is
// held or down. What stands is worded in daemon/health, what passes here. A test holds both against the codes there are; one that is in
// neither is still readable.
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
	case "not_a_test_card":
		return "no test card, and this is a rehearsal"
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
	case "fault":
		return "the line had a fault: see its log"
	case "not_stored":
		return "the vault refused the card: see flattoned's log"
	case "call_unwatched":
		return "armed for three minutes, which is the most where nobody tells that a call has ended"
	case "shutdown":
		return "the box is about to stop or sleep: no card is taken until it is up again"
	case "agent_off_hook":
		return "the agent's side hung up and called in again: whoever is there now begins anew"
	case "store_timeout":
		return "the vault did not answer in time, and may have the card all the same: see flattone tokens"

	// A card wasn't charged.
	case "no_gateway":
		return "the configuration doesn't have the gateway any more"
	case "interrupted":
		return "flattoned ended before the provider was asked: take the card again"
	case "duplicate":
		return "the same card was charged the same amount within ten minutes before, and nobody confirmed this one"
	case "not_there":
		return "the request was lost, and the provider knows of none: take the card again"
	case "undone":
		return "the provider's answer was lost, and the payment was undone: take the card again"
	case "no_card":
		return "the vault didn't give the card: see flattoned's log"
	case "too_late":
		return "the provider was away for too long"
	case "refused":
		return "the card's issuer refused"
	case "funds":
		return "not enough money, or a limit"
	case "card":
		return "no such card, or not for this"
	case "cvv":
		return "the security code is wrong"
	case "address":
		return "the address is wrong"
	case "authenticate":
		return "the issuer wants the holder to prove himself, which he can't by telephone"
	case "later":
		return "the issuer can't be asked now"
	case "misconfigured":
		return "the provider doesn't let this box do it: see flattoned's log"

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

	// A test of a side ended before its time.
	case "test_cut":
		return "somebody, a call or a fault has ended it"
	case "test_no_sound":
		return "a device gives no sound"

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
	if d, ok := health.Lookup(health.Code(code)); ok {
		return d.Words
	}
	return strings.ReplaceAll(clean(code), "_", " ")
}

// trouble says in words what stands, as long as nothing more is known of it than an event tells.
func trouble(code, line, detail string) string {
	d, _ := health.Lookup(health.Code(code))
	return strings.Join(words(withDetail(reason(code), detail), clean(d.RemedyFor(line))), ": ")
}

// withDetail is what is wrong, and what is known besides.
func withDetail(what, detail string) string {
	if detail == "" {
		return what
	}
	return what + " (" + detail + ")"
}

// acknowledging reports whether somebody's word is what releases a line held for that reason. A line that is
// broken, starting or without its sound device needs something else.
func acknowledging(code string) bool {
	return code != "line_broken" && code != "starting" && code != "process_down" && !strings.HasPrefix(code, "device_")
}
