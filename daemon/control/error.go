package control

import (
	"errors"
	"net/http"
)

// Error is a failure that a person can act on: what went wrong, and the remedy. It is the body of every
// answer that is not a success, and what the [Client]'s methods return.
type Error struct {
	// Code is for programs; one of the Codes.
	Code string `json:"code"`
	// Text says what went wrong, lower case, no full stop.
	Text string `json:"error"`
	// Remedy says what to do, in the same form; empty where nothing can be done.
	Remedy string `json:"remedy,omitempty"`
}

func (e *Error) Error() string { return e.Text }

// Codes of an [Error].
const (
	// Sent by the server, whoever the backend is.
	CodeDenied     = "denied"      // this user may not do that
	CodeFactor     = "factor"      // it takes a code of the second factor, or another one than was sent
	CodeBadRequest = "bad_request" // the request can't be read
	CodeNoSuchCall = "no_such_call"
	CodeBusy       = "busy"     // too many watchers, or, from the backend, a card is being taken
	CodeInternal   = "internal" // the daemon failed at it

	// Sent by the backend.
	CodeUnknownLine    = "unknown_line"
	CodeUnknownProfile = "unknown_profile"
	CodeLineDown       = "line_down"       // the line's process does not run
	CodeWrongState     = "wrong_state"     // not possible in the state the line is in
	CodeUnknownToken   = "unknown_token"   // no card has it, nor ever had
	CodeUnknownPayment = "unknown_payment" // there never was such a payment
	CodeNotCharged     = "not_charged"     // the payment can't be made: its amount, its provider, or the profile stands in the way
	CodeGatewayAway    = "gateway_away"    // the provider can't be reached, and the profile says that no card is taken then
	CodeVaultLocked    = "vault_locked"    // nobody has opened the vault
	CodeUntuned        = "untuned"         // there is no report of a tuning
	CodeNoModem        = "no_modem"        // nobody answers at the port, or a line has it
	CodeBadConfig      = "bad_config"      // the configuration has faults
	CodeNeedsRestart   = "needs_restart"   // only a start of flattoned takes that over
	CodeShuttingDown   = "shutting_down"   // the machine is about to stop or to sleep
	CodeRecorderOn     = "recorder_on"     // the recorder in front of the box didn't say that it pauses, and has to
	CodeNotBound       = "not_bound"       // the agent is not bound to the line
	CodeNoCall         = "no_call"         // there is no call on the line, and so nobody to be bound to
	CodeProving        = "proving"         // another agent proves just now that his call is on the line
	CodeNoProof        = "no_proof"        // there is no such proof, or no longer
	CodeWrongWords     = "wrong_words"     // not the words that were spoken, in their order; the proof is gone
	CodeWait           = "wait"            // the agent had wrong words too often, and has to wait
	CodeShare          = "share"           // a custodian's share is not taken; why is in the audit log already
	CodePairing        = "pairing"         // a code that names an agent is not taken; why is in the audit log already
	CodeNoAnswer       = "no_answer"       // the line has the command and may still do it: the outcome is unknown

	// Made by the client.
	CodeUnreachable = "unreachable" // nothing answers on the socket
	CodeCut         = "cut"         // the watcher was too slow
	CodeLost        = "lost"        // the connection broke
)

// Status is the HTTP status that goes with its code.
func (e *Error) Status() int {
	switch e.Code {
	case CodeDenied, CodeShare, CodePairing, CodeNotBound, CodeWrongWords:
		return http.StatusForbidden
	case CodeFactor:
		return http.StatusUnauthorized
	case CodeBadRequest, CodeUnknownProfile, CodeBadConfig, CodeNotCharged:
		return http.StatusBadRequest
	case CodeNoSuchCall, CodeUnknownLine, CodeUnknownToken, CodeUnknownPayment, CodeUntuned, CodeNoModem:
		return http.StatusNotFound
	case CodeBusy, CodeLineDown, CodeShuttingDown, CodeVaultLocked, CodeGatewayAway, CodeRecorderOn, CodeUnreachable, CodeCut, CodeLost:
		return http.StatusServiceUnavailable
	case CodeWrongState, CodeNeedsRestart, CodeNoCall, CodeProving, CodeNoProof:
		return http.StatusConflict
	case CodeWait:
		return http.StatusTooManyRequests
	case CodeNoAnswer:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// asError is err as clients see it.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Text: err.Error(), Remedy: "look at flattoned's log"}
}
