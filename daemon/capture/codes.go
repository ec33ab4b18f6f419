package capture

// Code is the outcome of a field or of a capture, without a digit in it: fit for logs, events and panels.
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
)

// Why a line is held: nothing of the caller is heard.
const (
	CallUnknown Code = "call_unknown"
	LineBroken  Code = "line_broken"
)

// What an agent is warned of. The capture goes on.
const (
	KeyWaiting  Code = "key_waiting"
	KeyIgnored  Code = "key_ignored"
	KeysDoubled Code = "keys_doubled"
	MarkStays   Code = "mark_stays"
)

// Plain says the code in plain words: what happened, and what the agent does about it.
func (c Code) Plain() string {
	if s, ok := plain(c); ok {
		return s
	}
	return "Something unexpected happened. Start again."
}

func plain(c Code) (string, bool) {
	switch c {
	case OK:
		return "The field is complete and correct.", true

	case Luhn:
		return "The card number contains a typing error. Ask the caller to key it again.", true
	case UnknownBrand:
		return "No card begins like this number. Ask the caller to key it again.", true
	case BrandNotAccepted:
		return "This kind of card isn't taken here. Ask for another card.", true
	case TooShort:
		return "The card number is too short. Ask the caller to key it again.", true
	case TooLong:
		return "The card number is too long. Ask the caller to key it again.", true
	case Expired:
		return "The card has expired. Check the date with the caller, or ask for another card.", true
	case ExpiryInvalid:
		return "That is no expiry date. Ask for two digits for the month and two for the year.", true
	case ExpiryTooFar:
		return "The expiry date is too far ahead. Ask the caller to key it again.", true
	case CVVLength:
		return "The security code has the wrong length. Ask the caller to key it again.", true
	case UnclearKey:
		return "A key could not be heard clearly. Ask the caller to key the field again.", true

	case TooManyTries:
		return "The field was refused too often. Start again if the caller wants to.", true
	case TimeoutBetweenKeys:
		return "The caller stopped keying for too long. Start again when the card is at hand.", true
	case TimeoutOverall:
		return "Keying the card took too long in all. Start again when the card is at hand.", true
	case CallEnded:
		return "The call ended before the card was complete. Nothing was kept.", true
	case Cancelled:
		return "The capture was cancelled. Nothing was kept.", true
	case LineRestarted:
		return "The line restarted while a card was being keyed. Acknowledge, then start again.", true
	case Fault:
		return "The line had a fault, so the card can't be trusted. Start again.", true
	case NotStored:
		return "The card could not be stored, and was forgotten. Start again, or tell IT.", true
	case StoreTimeout:
		return "The vault did not answer in time, and the card was forgotten. Tell IT.", true

	case CallUnknown:
		return "The line can't tell whether a card was being keyed. Acknowledge once the caller has stopped keying.", true
	case LineBroken:
		return "The line's sound processing failed, and nothing of the caller is heard. Restart the line, or tell IT.", true

	case KeyWaiting:
		return "No key for a while. Ask the caller to go on, or ask for more time.", true
	case KeyIgnored:
		return "A key that phones don't have was heard, and ignored.", true
	case KeysDoubled:
		return "The caller's phone sends every key twice. The second one is now left out.", true
	case MarkStays:
		return "The line could not remove the mark of an armed call, and will be held after its next start. Tell IT.", true
	}
	return "", false
}
