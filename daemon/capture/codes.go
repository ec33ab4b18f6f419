package capture

// Code is the outcome of a field or of a capture, without a digit in it: fit for logs, events and panels. Its words
// are the business of whoever shows it.
type Code string

// OK is the verdict on a field that was taken.
const OK Code = "ok"

// Why a field was refused. The caller keys it again.
const (
	Luhn             Code = "luhn"
	UnknownBrand     Code = "unknown_brand"
	BrandNotAccepted Code = "brand_not_accepted"
	TooShort         Code = "too_short"
	TooLong          Code = "too_long"
	Expired          Code = "expired"
	ExpiryInvalid    Code = "expiry_invalid"
	ExpiryTooFar     Code = "expiry_too_far"
	CVVLength        Code = "cvv_length"
	UnclearKey       Code = "unclear_key"
	NotTestCard      Code = "not_a_test_card" // and the capture is a rehearsal
	KeysDoubled      Code = "keys_doubled"    // by the phone: from now on each counts once
)

// Why a capture was void. Nothing of it is kept.
const (
	TooManyTries       Code = "too_many_tries"
	TimeoutBetweenKeys Code = "timeout_between_keys"
	TimeoutOverall     Code = "timeout_overall"
	CallEnded          Code = "call_ended"
	Cancelled          Code = "cancelled"
	LineRestarted      Code = "line_restarted"
	Fault              Code = "fault"
	NotStored          Code = "not_stored"
	StoreTimeout       Code = "store_timeout"
	CallUnwatched      Code = "call_unwatched" // nobody would tell that the call has ended, so it was armed no longer
	SourceLost         Code = "source_lost"    // what tells of calls went away
	Shutdown           Code = "shutdown"       // the machine is about to stop or sleep
	AgentOffHook       Code = "agent_off_hook" // the agent's side went off-hook anew: whoever is there now didn't begin it
)

// Why a line is held: nothing of the caller is heard.
const (
	CallUnknown Code = "call_unknown"
	LineBroken  Code = "line_broken"
	SoundStands Code = "sound_stands"            // no frame has come for a while
	LegsSwapped Code = "legs_swapped_or_coupled" // a key was heard on the agent's leg while a card was taken
)

// What stands in the way of taking cards. Where it comes up while one is taken, that is void, and the line is held.
const (
	RelayOpen      Code = "relay_open"       // its bypass relay joins caller and agent past the box
	SelfTestFailed Code = "self_test_failed" // a key of the line's own was not masked, or not captured, or its sound isn't judged
	Bypassed       Code = "bypassed"         // it has a fault while no card is taken, and the caller passes unmasked, as its owner chose
	MonitorOpen    Code = "monitor_open"     // a card's own mixer lets an input through to an output, past the mask
	MixerUnread    Code = "mixer_unread"     // and whether one does can't be learnt
	EmergencyCall  Code = "emergency_call"   // the agent has dialled an emergency number: the line is not held but open, until the call is over
)

// What a line suffers from. It goes on.
const (
	CodecPoor  Code = "codec_poor"  // keys are suspected too late for its look-ahead
	InputDead  Code = "input_dead"  // not even noise comes in on a leg
	InputClips Code = "input_clips" // what comes in on a leg is too loud for its converter
	GainClips  Code = "gain_clips"  // what comes in on a leg is too loud for the gain that is set for it
	// ClocksApart: the two devices' clocks differ by more than sound ones do.
	ClocksApart Code = "clocks_apart"
)

// What ails a modem, and stands in the way as well.
const (
	ModemSilent  Code = "modem_silent"   // it doesn't answer, or nothing that makes sense
	ModemRefuses Code = "modem_refuses"  // it refuses what can't be done without
	ModemNoSound Code = "modem_no_sound" // of a call there is no sound, or only part of it
	ModemDeaf    Code = "modem_deaf"     // it doesn't take the sound that it is given
)

// What stands in the way of taking cards on a line, until it is put right.
const Untuned Code = "untuned" // no tuning holds for the line as it is now

// What an agent is warned of. The capture goes on.
const (
	KeyWaiting   Code = "key_waiting"
	KeyIgnored   Code = "key_ignored"
	MarkStays    Code = "mark_stays"
	NetworkHeard Code = "network_heard" // a tone of the network's in a call that nobody has ended
)
