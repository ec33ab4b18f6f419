package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// This file has what the tool says to people, in the tone of a good colleague: what it is, what it means,
// what to do. Help texts are in help.go.

const hintUsage = "flattone help lists the verbs"

func hintVerbUsage(path string) string {
	return "flattone help" + strings.TrimPrefix(path, "flattone") + " explains it"
}

// complain says on standard error what went wrong, and what to do about it.
func (t *tool) complain(err error, hint string) {
	for line := range strings.SplitSeq(err.Error(), "\n") { // joined errors come one a line
		fmt.Fprintf(t.errs, "flattone: error: %s\n", clean(line))
	}
	if hint != "" {
		fmt.Fprintf(t.errs, "flattone: hint: %s\n", clean(hint))
	}
}

// clean keeps control characters in what others wrote (a web server's error, a reason) off the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

const (
	wordsDisarmed     = "%s: disarmed; keys stay masked until it has been quiet for a while"
	wordsMoreTime     = "%s: the caller's time starts again"
	wordsCovered      = "%s: the agent hears noise in the caller's place, until flattone uncover or the call's end"
	wordsHearsNoise   = "noise: covered"
	wordsCovers       = "the caller is covered: the agent hears noise in his place"
	wordsUncovered    = "%s: the agent hears the caller again, from what he says from now on"
	wordsAgain        = "%s: the field is empty; once no key has sounded for a moment, the caller keys it anew"
	wordsAnswered     = "%s: picking up"
	wordsDialled      = "%s: dialling"
	wordsHungUp       = "%s: hanging up"
	wordsCallBegan    = "%s: told of a call"
	wordsCallEnded    = "%s: told that the call has ended"
	wordsEnrolled     = "Your second factor, told this once: have your authenticator read it, and clear the screen."
	wordsNoFactor     = "%s: the second factor is forgotten"
	wordsPaired       = "%s signs in at the desk with this code, once, until %s:"
	wordsShare        = "Your share, shown this once. Write it on paper, all four lines; then clear the screen."
	wordsAcknowledge  = "Do you acknowledge that, and take your share?"
	wordsTypeBack     = "Type it back from your paper, line by line; it isn't shown."
	wordsTypeShare    = "Type your share, line by line as it stands on your paper; it isn't shown."
	wordsShareLine    = "line %d of 4: "
	wordsConfirmed    = "It stands on paper as it should. %d more have to type theirs back."
	wordsEnrolledAll  = "That was the last one: the custodians are in force."
	wordsMissing      = "Noted. %d more have to agree, within the 15 minutes."
	wordsUnlocked     = "The vault is open."
	wordsAgreed       = "Enough custodians have agreed: it is done."
	wordsExporting    = "Enough custodians have agreed: the cards are being exported. flattone vault exports says what comes of it."
	wordsAgreeTo      = "You are asked to agree to this: %s (%s)."
	wordsAborted      = "The ceremony is over; what was given is forgotten."
	wordsNoneSpare    = "flattone: warning: all of them are needed: with one share lost, nobody can unlock the vault. Better have one more custodian than it takes."
	wordsCode         = "code of your authenticator: "
	hintTampered      = "keep the file and the state folder as they are; docs/audit.md says what each finding means"
	hintNoTerminal    = "run it on a terminal; a program sends the code in the header " + control.CodeHeader
	wordsAcknowledged = "%s: noted; if the line is held, it opens once it has been quiet for a while"
	wordsApplied      = "done: %s"
	wordsInstalled    = "%s is in place; what was there is %s"
	wordsNothingToDo  = "nothing to do: the box runs with this already"
	wordsGoesOn       = "goes on"
	wordsStarts       = "is started again; lines go on meanwhile"
	wordsStartYou     = "has to be started again, by you: no systemd runs it. All lines end with it"
	wordsLineSame     = "untouched"
	wordsLineRestarts = "starts again: its caller and agent hear nothing of each other for a moment"
	wordsLineBusy     = ". A CARD IS BEING TAKEN on it, or it is being tuned"
	wordsLineBegins   = "begins"
	wordsLineEnds     = "ends"
	wordsReallyApply  = "Go on?"
	hintBusyLine      = "wait for it: flattone watch %s --until idle; or end that with --force"
	wordsSick         = "%s to put right on this machine"
	wordsBundled      = "%s: whatever could be a card number, a telephone number or a secret was taken out, and tokens were shortened. Look through it before you send it, all the same: it " +
		"has the names of people who used the box, of lines and of files."
	wordsTested     = "%s: tested for %d s"
	wordsUntested   = "%s: left before anything was heard of it"
	wordsHowls      = "%s: that is nearly as loud as what went out, so nothing was given back: it would howl"
	wordsRestarted  = "%s: it is started again; flattone watch shows when it is up"
	wordsRehearsing = "TEST %s: armed for a rehearsal (capture %s). Key a test card, such as 4242 4242 4242 4242: any other number is refused"
	wordsRehearsed  = "TEST complete, and nothing of it was stored"
	wordsTest       = "TEST"
	wordsTopGone    = "this is how it was: %v; looking again"
	wordsTopWell    = "nothing"
	wordsTopMore    = "and %d rows more: choose a line, or flattone status"
)

// meaning says what a line's state is, to somebody who doesn't know the word.
func meaning(state string) string {
	switch state {
	case control.StateIdle:
		return "no card is being taken"
	case control.StateArmed:
		return "waiting for the caller's first key"
	case control.StateKeying:
		return "the caller is keying the card"
	case control.StateDone:
		return "the card is complete"
	case control.StateVoid:
		return "ended without a card"
	case control.StateHeld:
		return "the agent can't hear the caller"
	case control.StateTuning:
		return "being measured; the agent can't hear the caller"
	case control.StateTesting:
		return "a technician tests one side; neither hears the other"
	}
	return "not known yet"
}

// outcome is a state and, if it has one, its reason.
func outcome(e control.Event) string {
	if e.Reason == "" {
		return meaning(e.State)
	}
	return meaning(e.State) + " (" + reason(e.Reason) + ")"
}

// fieldName is a field as it is called on the phone.
func fieldName(field string) string {
	switch field {
	case "pan":
		return "card number"
	case "expiry":
		return "expiry date"
	case "cvv":
		return "security code"
	}
	return clean(field)
}

// brandName is a brand as it is printed on the card.
func brandName(brand string) string { return clean(control.BrandName(brand)) }

// card names a card by what may be known of it.
func card(brand, last4 string) string {
	switch {
	case brand == "" && last4 == "":
		return ""
	case last4 == "":
		return brandName(brand)
	}
	return strings.TrimSpace(brandName(brand) + " ending in " + clean(last4))
}

// downBecause says why a line's process does not run.
func downBecause(code string) string {
	if code == "" {
		return "its process does not run"
	}
	return reason(code)
}

// sentence says an event in words, without its time and line.
func sentence(e control.Event) string {
	if e.Test {
		e.Test = false
		return "TEST " + sentence(e)
	}
	switch e.Kind {
	case control.KindState:
		return clean(e.State) + ": " + outcome(e)
	case control.KindMeters:
		return fmt.Sprintf("caller %.0f dBm0, agent %.0f dBm0, to the agent: %s", e.CallerDBm0, e.AgentDBm0, hears(e.MaskedPermille))
	case control.KindKey:
		return strings.TrimSpace(fieldName(e.Field) + ": " + strings.Repeat("*", e.Stars))
	case control.KindVerdict:
		return fieldName(e.Field) + ": " + verdict(e.Code, e.Brand, e.Last4)
	case control.KindWarning:
		return reason(e.Code)
	case control.KindCodec:
		if e.Code == control.CodeOK {
			return "keys are suspected in time again"
		}
		return trouble(e.Code, e.Line, health.LookAheadNeeded(e.NeedsLookAheadMS))
	case control.KindInput:
		if e.Code == control.CodeOK {
			return clean(e.Leg) + ": its sound comes in as it should again"
		}
		return clean(e.Leg) + ": " + trouble(e.Code, e.Line, "")
	case control.KindBar:
		if e.On {
			return "the line may not take cards: " + trouble(e.Code, e.Line, "")
		}
		return "this is over: " + reason(e.Code)
	case control.KindCover:
		if e.On {
			return wordsCovers
		}
		return "the caller is heard again"
	case control.KindSource:
		if e.Code == control.CodeOK {
			return "what tells of its calls is there"
		}
		return trouble(e.Code, e.Line, "")
	case control.KindTune:
		switch e.Code {
		case "":
			return fmt.Sprintf("tuning, %s: %d of %d", strings.ReplaceAll(clean(e.Step), "_", " "), e.Done, e.Of)
		case control.CodeOK:
			return "tuned, and accepted"
		}
		return "tuned in vain: " + reason(e.Code)
	case control.KindLegTest:
		return sideTest(e)
	case control.KindCall:
		switch e.Code {
		case control.CallBegan:
			return "a call begins"
		case control.CallJoined:
			return "the line came up in the middle of a call"
		case control.CallPresumed:
			return "nobody tells this line when calls begin and end: it may be armed at any time, for three minutes at most"
		}
		return "the call has ended"
	case control.KindRing:
		return rings(e.On, e.Number)
	case control.KindToken:
		return "in the vault as " + clean(e.Token) // the card was told with its number's verdict
	case control.KindDelivery:
		return delivery(e.Destination, e.Delivery, e.Reason)
	case control.KindPayment:
		return "payment " + clean(e.Payment) + ": " + paid(e.State, e.Reason) + doesNotMatch(e.Checks)
	case control.KindAct:
		return clean(e.Code) + " of payment " + clean(e.Payment) + ": " + acted(e.State, e.Reason)
	case control.KindBond:
		return bonds(e)
	case control.KindLineUp:
		return "the line is up"
	case control.KindLineDown:
		return "the line is down: " + downBecause(e.Reason)
	case control.KindCut:
		return withReason("cut off", e.Reason)
	}
	return clean(string(e.Kind))
}

// bonds says whose the line is, or why no longer.
func bonds(e control.Event) string {
	if e.On {
		return "agent " + clean(e.Agent) + " has proven to be on this line"
	}
	why := map[string]string{"given_up": "he gave it up", "moved": "he is on another line", "taken": "another agent is", "call_edge": "that call is over",
		"idle": "nobody tells when that call is over, and no card was taken for a quarter of an hour", "line_down": "its process ended"}[e.Reason]
	return "no longer agent " + clean(e.Agent) + "'s: " + cmp.Or(why, clean(e.Reason))
}

// sideTest says how far a test of a side is.
func sideTest(e control.Event) string {
	switch {
	case e.Code == control.CodeOK:
		return "the test of the " + clean(e.Leg) + "'s side is over"
	case e.Code != "":
		return "the test of the " + clean(e.Leg) + "'s side is over: " + reason(e.Code)
	case e.Done > 0:
		return "testing the " + clean(e.Leg) + "'s side, " + clean(e.Step) + ": " + strings.TrimSpace(comesIn(e))
	}
	return "testing the " + clean(e.Leg) + "'s side, " + clean(e.Step)
}

// rings says that a call comes in, and from whom if that is known.
func rings(on bool, number string) string {
	switch {
	case !on:
		return "it rings no more"
	case number == "":
		return "it rings"
	}
	return "it rings: " + clean(number)
}

// inputs says what is wrong with how sound comes in on a line's two legs, empty where nothing is.
func inputs(caller, agent string) (wrong []string) {
	for _, leg := range []struct{ name, code string }{{control.LegCaller, caller}, {control.LegAgent, agent}} {
		if leg.code != "" {
			wrong = append(wrong, sentence(control.Event{Kind: control.KindInput, Leg: leg.name, Code: leg.code}))
		}
	}
	return wrong
}

// noise says what is known of the two legs' noise floors, empty while nothing is.
func noise(l control.Legs) string {
	var known []string
	if l.CallerFloorDBm0 != 0 {
		known = append(known, fmt.Sprintf("caller %.0f dBm0", l.CallerFloorDBm0))
	}
	if l.AgentFloorDBm0 != 0 {
		known = append(known, fmt.Sprintf("agent %.0f dBm0", l.AgentFloorDBm0))
	}
	if known == nil {
		return ""
	}
	return "noise: " + strings.Join(known, ", ")
}

// clipped says how many frames were clipped, and where; empty if none was.
func clipped(l control.Legs) string {
	if l.CallerClipped+l.AgentClipped+l.ToAgentClipped+l.ToCallerClipped == 0 {
		return ""
	}
	return fmt.Sprintf("clipped frames: caller %d, agent %d; by the gain to the agent %d, to the caller %d",
		l.CallerClipped, l.AgentClipped, l.ToAgentClipped, l.ToCallerClipped)
}

func withReason(what, code string) string {
	if code == "" {
		return what
	}
	return what + ": " + reason(code)
}

// verdict is a field's code in words; empty means that there is none yet.
func verdict(code, brand, last4 string) string {
	switch {
	case code == "":
		return ""
	case code == control.CodeOK && (brand != "" || last4 != ""):
		return "good, " + card(brand, last4)
	case code == control.CodeOK:
		return "good"
	}
	return reason(code)
}

// delivery is how far the token has come on its way to a destination; to "" is upstream as a whole.
func delivery(to, state, why string) string {
	toward, who := "upstream", "upstream"
	if to != "" {
		toward, who = "to "+clean(to), clean(to)
	}
	switch state {
	case control.DeliveryPending:
		return "token on its way " + toward
	case control.DeliveryRetrying:
		return withReason(who+" did not take the token yet", why)
	case control.DeliveryDelivered:
		return "token delivered " + toward
	case control.DeliveryDead:
		return withReason(who+" will not take the token (flattone upstream list)", why)
	}
	return withReason(clean(state), why)
}

// hearsOf is what goes to a line's agent.
func hearsOf(l control.Line) string {
	if l.Covered {
		return wordsHearsNoise
	}
	return hears(l.MaskedPermille)
}

// hears is what goes to the agent, for the share of the time in permille that was masked.
func hears(maskedPermille int) string {
	switch {
	case maskedPermille <= 0:
		return "the caller, unchanged"
	case maskedPermille >= 1000:
		return "masked"
	}
	return fmt.Sprintf("masked %d %%", (maskedPermille+5)/10)
}

// weigh says which events are good news and which call for somebody.
func weigh(e control.Event) weight {
	switch {
	case e.Kind == control.KindLineDown, e.Kind == control.KindCut, e.Kind == control.KindWarning,
		(e.Kind == control.KindCodec || e.Kind == control.KindInput || e.Kind == control.KindSource) && e.Code != control.CodeOK,
		e.Kind == control.KindBar && e.On, e.Kind == control.KindTune && e.Code != "" && e.Code != control.CodeOK,
		e.State == control.StateVoid, e.State == control.StateHeld,
		e.Kind == control.KindVerdict && e.Code != control.CodeOK, e.Delivery == control.DeliveryRetrying, e.Delivery == control.DeliveryDead,
		e.Kind == control.KindAct && (e.State == control.ActDeclined || e.State == control.ActFailed),
		e.Kind == control.KindPayment && slices.Contains([]string{control.PaymentDeclined, control.PaymentFailed, control.PaymentUnknown, control.PaymentHeld}, e.State):
		return grave
	case e.Kind == control.KindToken, e.Kind == control.KindVerdict, e.Kind == control.KindTune && e.Code == control.CodeOK,
		e.State == control.StateDone, e.Delivery == control.DeliveryDelivered,
		e.Kind == control.KindPayment && e.State == control.PaymentApproved:
		return good
	}
	return plain
}
