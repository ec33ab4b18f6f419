package jetstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream"
)

var (
	errLost        = errors.New("the connection was lost before the stream acknowledged it; it is sent again under the same id")
	errOtherStream = errors.New("another stream takes the subject: name that one, or give it other subjects")
	errNotOurs     = errors.New("there is a stream of this name that no flattone made, and it stays as it is: take make_stream out, or name another stream")
)

// Of a server's own errors those that say something else than its words do, by its codes (server/errors.json).
const (
	codeFull          jetstream.ErrorCode = 10077 // the stream takes no more, or can't store
	codeExpectedOther jetstream.ErrorCode = 10060
)

// failed is what an attempt without an acknowledgement means. Only an event that no stream of these servers would take is refused.
func (s *Sender) failed(err error, subject string, begun time.Time) upstream.Result {
	r := upstream.Result{Outcome: upstream.Later}
	var api *jetstream.APIError
	denied := s.denied.Load()
	stream := s.cfg.Stream
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		r.Outcome, r.Reason = upstream.Refused, "the event is larger than the server takes: raise max_payload there, then replay it"
	case errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		r.Outcome, r.Reason = upstream.Refused, "the event is larger than the stream takes: raise its max_msg_size (nats stream edit "+stream+"), then replay it"
	case errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound):
		r.Reason = fmt.Sprintf("no stream takes %s: nats stream add %s --subjects '%s' --storage file --discard new --dupe-window 24h", subject, stream, s.cfg.filter())
	case errors.As(err, &api) && api.ErrorCode == codeExpectedOther:
		r.Reason = errOtherStream.Error()
	case errors.As(err, &api) && api.ErrorCode == codeFull:
		r.Reason = "the stream takes no more (" + said(api.Description) + "): raise its limits (nats stream edit " + stream + "), or have it read"
	case errors.As(err, &api):
		r.Reason = "the stream doesn't take it: " + said(api.Description)
	case errors.Is(err, context.DeadlineExceeded) && denied != nil && denied.at.After(begun):
		r.Reason = "the account lets the box do too little: " + said(denied.err.Error()) + "; give its user what docs/upstream-nats.md lists"
	case errors.Is(err, context.DeadlineExceeded) && s.connected():
		r.Reason = fmt.Sprintf("no acknowledgement within %g s; it is sent again under the same id", s.cfg.Timeout.Seconds())
	case errors.Is(err, errLost), errors.Is(err, errNotOurs), errors.Is(err, errOtherStream):
		r.Reason = err.Error()
	case !s.connected():
		r.Reason = s.apart()
	default:
		r.Reason = said(err.Error())
	}
	return r
}

// apart says why there is no connection.
func (s *Sender) apart() string {
	var err error
	if conn := s.connection(); conn != nil {
		err = conn.LastError()
	}
	if err == nil {
		if last := s.trouble.Load(); last != nil {
			err = *last
		}
	}
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		remote    *net.OpError
	)
	why := "it is being made"
	switch {
	case err == nil:
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired):
		why = "the server doesn't take the box's credentials (" + said(err.Error()) + "): have its user made anew there, and put what comes of it into the file of the config"
	case errors.As(err, &authority):
		why = "nobody whom the box trusts vouches for the server's certificate: ca_file must hold the CA that made it"
	case errors.As(err, &host):
		why = "the server's certificate has another name than its address: write the address as the certificate has it, or have it made anew"
	case errors.Is(err, nats.ErrSecureConnWanted):
		why = "the server speaks no TLS: give it a tls block"
	// A server that doesn't like the box's certificate says so after the handshake, or says nothing.
	case errors.Is(err, nats.ErrTLS), errors.As(err, &remote) && remote.Op == "remote error":
		why = "TLS with the server fails (" + said(err.Error()) + "): look at cert_file here, and at the tls block there"
	default:
		why = said(err.Error())
	}
	return "no connection to a server: " + why
}

// longestSaid bounds what is told on of what somebody else said, in characters.
const longestSaid = 200

// said is a line's worth of what came from outside.
func said(text string) string {
	line := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text))
	if len(line) > longestSaid {
		line = append(line[:longestSaid-1], '…')
	}
	return string(line)
}
