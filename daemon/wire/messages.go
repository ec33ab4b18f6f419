package wire

import (
	"strings"

	"github.com/flattone/flattone/daemon/acceptance"
)

// Message is one of the types in this file, or a technician's [Test] and what is said of it.
type Message interface{ kind() kind }

// Messages that open a connection.
type (
	// Hello is a line's first message: who it is, which settings it runs with (see config.Settings), and which versions it speaks.
	Hello struct {
		Line     string
		PID      int
		Settings string `json:",omitempty"`
		// NoRealTime says that the process runs without real-time priority, and should have it.
		NoRealTime bool `json:",omitempty"`
		Min        int
		Max        int
	}
	// Welcome answers it with the version that holds from here on.
	Welcome struct{ Version int }
	// Refused answers it with the reason for closing the connection: a code and a text for people. It is
	// also the error that Dial then returns.
	Refused struct{ Reason, Detail string }
)

// Reasons of Refused.
const (
	ReasonUser    = "user"    // the peer runs as a user who may not connect
	ReasonVersion = "version" // no version in common
	ReasonHello   = "hello"   // the first message was not a Hello that makes sense
	ReasonLine    = "line"    // no such line
	ReasonBusy    = "busy"    // the line is connected already, as far as flattoned has noticed
)

// RehearsalPrefix begins the id of a capture that is a rehearsal: an armed line takes test cards alone then. No vault stores a card under such an id, so that one
// from a line that knows no rehearsals is refused.
const RehearsalPrefix = "test_"

// IsRehearsal reports whether a capture is a rehearsal.
func IsRehearsal(capture string) bool { return strings.HasPrefix(capture, RehearsalPrefix) }

// Messages that a line sends up.
type (
	// State says where the line stands: idle, armed, keying, done, void or held. A line sends it after
	// Welcome and at every change.
	State struct{ State, Capture, Reason string }
	// Meters are the levels of both sides over the last tenth of a second, in dBm0, the caller's as it is masked, and how much of the
	// caller's sound was masked, in thousandths. Besides, the noise floors, 0 while not known; and how many frames were clipped since the
	// line's process began: as they came in, and by the gain toward either side. The caller's are heard well away from anything masked.
	Meters struct {
		CallerDBm0, AgentDBm0           float64
		MaskedPermille                  int
		CallerFloorDBm0, AgentFloorDBm0 float64
		CallerClipped, AgentClipped     int64
		ToAgentClipped, ToCallerClipped int64
	}
	// Key says that a key was taken: how many stars the field shows now. Never which key.
	Key struct {
		Capture, Field string
		Stars          int
	}
	// Verdict is a field's outcome: "ok" or the code of a reason. Brand, Last4 and Length are given for
	// a PAN that was accepted.
	Verdict struct {
		Capture, Field, Code, Brand, Last4 string
		Length, Tries                      int
	}
	// Warning is a thing the agent should know of, as a code.
	Warning struct{ Capture, Code string }
	// Call is an edge of a call: call_began, call_ended, call_joined or call_presumed.
	Call struct{ Edge string }
	// Codec says how keys arrive on the line: "ok", or codec_poor where they are suspected too late, and which look-ahead would do.
	Codec struct {
		Code             string
		NeedsLookAheadMS int
	}
	// Bar says that the line can't be armed for as long as something about itself stands in the way, by its code, and when that is over.
	Bar struct {
		Code string
		On   bool
	}
	// Input says how sound comes in on a leg, caller or agent: "ok", or the code of what is wrong with it.
	Input struct{ Leg, Code string }
	// Ringing says that a call comes in on the caller's modem, once more when its number is known, and that it rings no more. The number is
	// for people who may answer; it is in no log.
	Ringing struct {
		On     bool
		Number string
	}
	// Asked says that the agent asks for something by keys. A capture is for flattoned to command, or to tell why not. What is about the call
	// itself the line has done by then, for a call is answered whether flattoned is there or not; or Error says why it hasn't.
	Asked struct{ For, Error string }
	// Covered says that the caller is replaced by noise on purpose, and when that is over.
	Covered struct{ On bool }
	// Source says whether what tells the line of its calls is there: "ok", or source_lost.
	Source struct{ Code string }
	// Recording says how the line's calls are recorded: "ok", or the code of what is wrong.
	Recording struct{ Code string }
	// Tuning says how far a tuning is: which step, and so much Of so much.
	Tuning struct {
		Step     string
		Done, Of int
	}
	// Tuned is a tuning's end: "ok" and the report, good or not; or why there is none, and at which step.
	Tuned struct {
		Code, Step string
		Report     acceptance.Report
	}
	// Answer answers the command of that ID; an empty Error is success.
	Answer struct {
		ID    uint64
		Error string
	}
	// Card comes with a *secret.Card and is all of it that may be told. Capture is random and unique:
	// the store seals it once however often it is sent.
	Card struct {
		Capture, Profile, Brand, Last4 string
		ExpiryMonth, ExpiryYear        int
	}
)

// What is [Asked] for.
const (
	AskStart  = "start"
	AskCancel = "cancel"
	AskAnswer = "answer"
	AskHangUp = "hang_up"
)

// Messages that flattoned sends down. A command's ID comes back in its Answer.
type (
	// Arm begins a capture.
	Arm struct {
		ID               uint64
		Capture, Profile string
	}
	// Cancel ends the capture without a card. Reason is the code of why, empty where somebody gave it up. It also ends a tuning or a test that is there in
	// its place; with Test, a test and nothing else.
	Cancel struct {
		ID     uint64
		Reason string `json:",omitempty"`
		Test   bool   `json:",omitempty"`
	}
	// MoreTime starts the capture's timers again.
	MoreTime struct{ ID uint64 }
	// Again has a field of the capture keyed anew: pan, expiry or cvv, or the present one where it is empty.
	Again struct {
		ID    uint64
		Field string
	}
	// Cover has the caller replaced by noise, whatever the line is doing, or no longer.
	Cover struct {
		ID uint64
		On bool
	}
	// Acknowledge is a person's word that a held line may be let go once it is quiet.
	Acknowledge struct{ ID uint64 }
	// CallTold is somebody's word that a call began or ended: call_began or call_ended.
	CallTold struct {
		ID   uint64
		Edge string
	}
	// PickUp answers the call that rings on the line's modem, CallOut begins one, HangUp ends it. That the Answer is good says that the modem
	// was told; what comes of it, Call and Ringing say.
	PickUp  struct{ ID uint64 }
	CallOut struct {
		ID     uint64
		Number string
	}
	HangUp struct{ ID uint64 }
	// Tune begins a tuning, which Cancel ends.
	Tune struct{ ID uint64 }
	// Speak has two words of a language spoken to the agent's side, one after the other, and to nobody else. Its Answer comes as they begin.
	Speak struct {
		ID       uint64
		Language string
		Words    [2]string
	}
	// Accepted is the last report that there is of the line, good or not; empty if there is none. It comes first on every connection, and
	// after each Tuned.
	Accepted struct{ Report acceptance.Report }
	// Stored says that the capture's card is durably sealed, and under which token.
	Stored struct{ Capture, Token string }
	// NotStored says why it isn't. Final means that sending it again can't help.
	NotStored struct {
		Capture, Reason string
		Final           bool
	}
)

// CommandID is the ID of a command, and false for any other message.
func CommandID(m Message) (id uint64, is bool) {
	switch m := m.(type) {
	case Arm:
		return m.ID, true
	case Cancel:
		return m.ID, true
	case MoreTime:
		return m.ID, true
	case Again:
		return m.ID, true
	case Cover:
		return m.ID, true
	case Acknowledge:
		return m.ID, true
	case CallTold:
		return m.ID, true
	case PickUp:
		return m.ID, true
	case CallOut:
		return m.ID, true
	case HangUp:
		return m.ID, true
	case Tune:
		return m.ID, true
	case Test:
		return m.ID, true
	case Speak:
		return m.ID, true
	}
	return 0, false
}

// Error is the refusal in words.
func (r Refused) Error() string {
	if r.Detail == "" {
		return "flattoned refused the line: " + r.Reason
	}
	return "flattoned refused the line (" + r.Reason + "): " + r.Detail
}
