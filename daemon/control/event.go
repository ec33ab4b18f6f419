package control

import "time"

// Kind says what an [Event] is about, and so which of its fields mean anything.
type Kind string

// The kinds of events. Every event has Seq and Time; all but KindCut have Line, but for those of a delivery whose
// card was stored before flattoned started, and of payments by stored cards.
const (
	KindState    Kind = "state"     // State, Capture, Reason
	KindMeters   Kind = "meters"    // CallerDBm0, AgentDBm0, MaskedPermille, and all of [Legs]
	KindKey      Kind = "key"       // Capture, Field, Stars: how many stars the field shows now
	KindVerdict  Kind = "verdict"   // Capture, Field, Code; for a good pan Brand, Last4
	KindWarning  Kind = "warning"   // Capture, Code
	KindCodec    Kind = "codec"     // Code: ok, or codec_poor and NeedsLookAheadMS
	KindInput    Kind = "input"     // Leg, Code: ok, or what is wrong with how its sound comes in
	KindBar      Kind = "bar"       // Code: what stands in the way of arming the line, from now on if On, or no longer, and Reason is why
	KindSource   Kind = "source"    // Code: ok, or source_lost: what tells the line of its calls is away
	KindCover    Kind = "cover"     // On: the caller is replaced by noise on purpose, from now on or no longer
	KindTune     Kind = "tune"      // Step, Done, Of while a line is tuned; Code and, where there is no report, Step at its end
	KindLegTest  Kind = "leg_test"  // Leg, Step, Done of Of seconds, CallerDBm0 and AgentDBm0 as they come in, Return; Code at its end
	KindCall     Kind = "call"      // Code: call_began, call_ended, call_joined or call_presumed
	KindRing     Kind = "ring"      // On: a call comes in, from Number as soon as that is known; or it rings no more
	KindToken    Kind = "token"     // Capture, Token, Brand, Last4: the card is durable
	KindDelivery Kind = "delivery"  // Capture, Token, Destination, Delivery; Reason when it did not succeed
	KindPayment  Kind = "payment"   // Capture, Payment, State as in [Payment]; Reason why it failed or waits, or the class of a decline, or gateway_away of one that is wanted and will be charged later; Token, Auth and [Checks] once there are
	KindAct      Kind = "act"       // Payment, Act, Code: what is done with it, State as in [Act], Reason
	KindBond     Kind = "bond"      // Agent: the line is bound to him from now on if On, or no longer
	KindLineUp   Kind = "line_up"   // the line's process has said hello
	KindLineDown Kind = "line_down" // Reason
	KindCut      Kind = "cut"       // Reason: the subscriber was too slow, and this is the last it hears
)

// Values of Event.Delivery.
const (
	DeliveryPending   = "pending"   // waiting for its turn
	DeliveryRetrying  = "retrying"  // upstream did not take it; Reason says why
	DeliveryDelivered = "delivered" // upstream took it
	DeliveryDead      = "dead"      // upstream will never take it, or it was given up: it waits for a technician; Reason says why
)

// Values of Event.Code for KindCall, as in hw.EdgeKind.
const (
	CallBegan = "call_began"
	CallEnded = "call_ended"
	// CallJoined: the line came up in the middle of a call.
	CallJoined = "call_joined"
	// CallPresumed: nobody tells when calls begin and end on the line, or not now. It may be armed at any time, for three minutes at most.
	CallPresumed = "call_presumed"
)

// Values of Event.Code for the end of a KindTune, beside those of daemon/tune: there is no report then, and what was there before still holds.
const (
	// TuneRefused: there is a report, and a figure of it is out of bounds. CodeOK is the other way round.
	TuneRefused = "tune_refused"
	TuneNotKept = "tune_not_kept"
)

// Values of Event.Code for the end of a KindLegTest, besides CodeOK, as in daemon/wire.
const (
	TestCut     = "test_cut"
	TestNoSound = "test_no_sound"
)

// CodeOK is the verdict on a good field, on a tuned line, and on a test that went on to its end.
const CodeOK = "ok"

// Event is something that happened on a line. It is one flat struct for all kinds, so that it reads the same
// in Go, in JSON and in a script.
type Event struct {
	// Seq counts up by one for each event published since flattoned started. Lost meters leave holes.
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Replay marks an event that is told again to a new subscriber, so that it knows the present.
	Replay bool `json:"replay,omitempty"`

	Line    string `json:"line,omitempty"`
	Capture string `json:"capture,omitempty"`
	// Test marks whatever belongs to a rehearsal.
	Test   bool   `json:"test,omitempty"`
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Field is pan, expiry or cvv.
	Field string `json:"field,omitempty"`
	Stars int    `json:"stars,omitempty"`
	// Code is "ok" or a reason code, never a digit.
	Code     string `json:"code,omitempty"`
	On       bool   `json:"on,omitempty"`
	Number   string `json:"number,omitempty"`
	Brand    string `json:"brand,omitempty"`
	Last4    string `json:"last4,omitempty"`
	Token    string `json:"token,omitempty"`
	Delivery string `json:"delivery,omitempty"`
	Payment  string `json:"payment,omitempty"`
	Act      string `json:"act,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Auth     string `json:"auth,omitempty"`
	Checks
	// Destination is who is told, by name.
	Destination string `json:"destination,omitempty"`

	CallerDBm0     float64 `json:"caller_dbm0,omitempty"`
	AgentDBm0      float64 `json:"agent_dbm0,omitempty"`
	MaskedPermille int     `json:"masked_permille,omitempty"`
	Legs
	// Leg is caller or agent.
	Leg string `json:"leg,omitempty"`

	NeedsLookAheadMS int `json:"needs_look_ahead_ms,omitempty"`

	// Step is what is being measured: see daemon/tune. Done of Of is how far it is.
	Step string `json:"step,omitempty"`
	Done int    `json:"done,omitempty"`
	Of   int    `json:"of,omitempty"`
	Return
}

// Return is what came back of a loopback's noise on its leg.
type Return struct {
	// ReturnDB is its level against what was sent, and ReturnMS how late it came: 0 where nothing came back, or it isn't known.
	ReturnDB float64 `json:"return_db,omitempty"`
	ReturnMS float64 `json:"return_ms,omitempty"`
}

// toldTo is the event as somebody is told it: the desk has nothing to do with who calls.
func (e Event) toldTo(a Actor) Event {
	switch {
	case a.is(Technician):
		return e
	case a.is(Desk):
		e.Number = ""
		return e
	}
	return e.spared()
}

// spared is the event as it is told to who has no part in cards and calls: without who calls, and without what is known of a card.
func (e Event) spared() Event {
	e.Number, e.Brand, e.Last4, e.Token, e.Auth, e.Checks = "", "", "", "", "", Checks{}
	return e
}
