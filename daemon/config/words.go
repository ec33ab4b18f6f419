package config

// Place is where in the call's path a line stands. It decides what leaves the scope of PCI DSS: see
// [Line.Scope].
type Place string

// The places.
const (
	// TrunkSide is between the trunk and the PBX.
	TrunkSide Place = "trunk-side"
	// DeskSide is between an agent's phone and headset.
	DeskSide Place = "desk-side"
)

// Shield is how much of the keying's rhythm is hidden from the agent.
type Shield string

// The shields.
const (
	// ShieldKeys masks each key by itself: the pauses between keys can be heard.
	ShieldKeys Shield = "keys"
	// ShieldRun masks from a first key until a second has passed without one.
	ShieldRun Shield = "run"
	// ShieldField masks until the field has its verdict.
	ShieldField Shield = "field"
)

// Idle is what a line does with keys while no card is being taken.
type Idle string

// What an idle line does.
const (
	// IdleMask masks what sounds like a key, armed or not.
	IdleMask Idle = "mask"
	// IdlePass lets everything through unjudged.
	IdlePass Idle = "pass"
)

// OnFault is what a line of the place does for want of another word.
func (p Place) OnFault() OnFault {
	if p == TrunkSide {
		return OnFaultWire
	}
	return OnFaultMute
}

// OnFault is what a line does with the caller's sound while it can't be trusted with it and no card is being taken.
type OnFault string

// What a line with a fault does while it is idle. While a card is being taken, and until that is over for sure, it is always mute.
const (
	// OnFaultMute lets nothing of the caller through.
	OnFaultMute OnFault = "mute"
	// OnFaultWire lets everything through, unmasked, so that telephony goes on.
	OnFaultWire OnFault = "wire"
)

// Keep is what becomes of a card once it is taken.
type Keep string

// What may become of a card.
const (
	// KeepNone keeps it until what it is for has come out, a day at most.
	KeepNone Keep = "none"
	// KeepVault keeps it, to be used as often as its rules allow, until its retention is over.
	KeepVault Keep = "vault"
	// KeepOnce keeps it for a single use, soon.
	KeepOnce Keep = "once"
	// KeepOneWay doesn't keep it: the token says that there was a card.
	KeepOneWay Keep = "oneway"
)

// Stored reports that the card is kept to be used later, which takes a key off the disk.
func (k Keep) Stored() bool { return k == KeepVault || k == KeepOnce }

// Charge is what a provider is asked for a card's money.
type Charge string

// What may be asked.
const (
	// Take takes it at once.
	Take Charge = "take"
	// Authorise has it set aside, to be taken later.
	Authorise Charge = "authorise"
)

// Offline is what an arm with an amount does while the provider can't be reached.
type Offline string

// What it may do.
const (
	// Refuse doesn't ask the caller for a card.
	Refuse Offline = "refuse"
	// ChargeLater stores the card, and charges it without its code once the provider is back.
	ChargeLater Offline = "later"
)

// Field is one thing a caller keys.
type Field string

// The fields, in the order in which they are keyed.
const (
	PAN    Field = "pan"
	Expiry Field = "expiry"
	CVV    Field = "cvv"
)

// Fields in the order in which they are keyed.
func Fields() []Field { return []Field{PAN, Expiry, CVV} }

// Brand is a card scheme.
type Brand string

// Brands are all that can be told apart by the first digits of a number.
func Brands() []Brand {
	return []Brand{"visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "maestro"}
}
