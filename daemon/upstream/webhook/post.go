package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/flattone/flattone/daemon/upstream"
)

// answerBytes bounds what is read of an answer: nothing in it matters but the status.
const answerBytes = 16 << 10

// Send posts one event.
func (s *Sender) Send(ctx context.Context, e upstream.Envelope) upstream.Result {
	status, after, err := s.post(ctx, e)
	if err != nil {
		return upstream.Result{Reason: reason(err)}
	}
	return judge(status, after)
}

// judge says what a status means for an event.
//
// An event is refused for good only by what can be about nothing but its content: 413 and 422. Many a receiver answers 400 and 401 to a signature
// that it doesn't know, as the documents of Standard Webhooks and its libraries do, and 403, 404, 405 and 415 come of whoever stands before it: that passes
// once somebody has set it right, and until then each event would be a dead letter.
func judge(status int, after time.Duration) upstream.Result {
	r := upstream.Result{Status: status, After: after}
	switch {
	case status >= 200 && status <= 299:
		return upstream.Result{Outcome: upstream.Delivered, Status: status}
	case status == http.StatusGone:
		r.Outcome, r.Reason = upstream.Gone, "the receiver says it is gone (410): nothing more is sent until the destination is resumed, or the daemon starts again"
	case status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		r.Outcome, r.Reason = upstream.Refused, fmt.Sprintf("the receiver answered %d: it will never take this event", status)
	case status >= 300 && status <= 399:
		r.Reason = fmt.Sprintf("the receiver answered %d: redirects are never followed, put the final address into the config", status)
	default:
		r.Reason = fmt.Sprintf("the receiver answered %d", status)
	}
	return r
}

// post sends one event and returns the answer's status and what it asks to wait. The error names nothing of the address's path.
func (s *Sender) post(ctx context.Context, e upstream.Envelope) (status int, after time.Duration, err error) {
	client, secrets, err := s.ready()
	if err != nil {
		return 0, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, bytes.NewReader(e.Body))
	if err != nil {
		return 0, 0, bare(err)
	}
	if err := secrets.Sign(req.Header, e.ID, time.Now(), e.Body); err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", e.ContentType)
	req.Header.Set("User-Agent", "flattone")
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, bare(err)
	}
	defer resp.Body.Close()
	// Read a little, so that the connection can be used again; the status has already decided.
	io.Copy(io.Discard, io.LimitReader(resp.Body, answerBytes))
	return resp.StatusCode, retryAfter(resp.Header), nil
}

// longestAfter bounds what a receiver can ask for. The dispatcher has a bound of its own, which is lower.
const longestAfter = 24 * time.Hour

// retryAfter reads a Retry-After header (RFC 9110 10.2.3), in seconds or as a date.
func retryAfter(h http.Header) time.Duration {
	asked := h.Get("Retry-After")
	if at, err := http.ParseTime(asked); err == nil {
		return max(0, min(time.Until(at), longestAfter))
	}
	s, err := strconv.ParseUint(asked, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && s > uint64(longestAfter/time.Second):
		return longestAfter
	case err != nil:
		return 0
	}
	return time.Duration(s) * time.Second
}

// longestReason bounds what is told of a failure, in characters.
const longestReason = 200

// reason says why there was no answer. What came instead of one may be in the error, whatever it was and as
// long as it was: only a line's worth of it goes on to log, status and feed.
func reason(err error) string {
	text := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, err.Error()))
	if len(text) > longestReason {
		text = append(text[:longestReason-1], '…')
	}
	return string(text)
}

// bare takes the address out of net/http's error: its path may be a secret.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// dontFollow makes a redirect an answer like any other.
func dontFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// kept is how many connections are kept: as many as a dispatcher uses at the same time.
const kept = 64

// newTransport is the way out to the one address. It uses no proxy from the environment; and if the
// address is plain http it connects to this machine only, whatever its name resolves to.
func newTransport(to string, by *tls.Config) *http.Transport {
	if by == nil {
		by = &tls.Config{}
	}
	by = by.Clone()
	by.MinVersion = tls.VersionTLS12
	dialer := &net.Dialer{}
	if strings.HasPrefix(strings.ToLower(to), "http:") {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !to.Addr().IsLoopback() {
				return errors.New("plain http leaves this machine: the address doesn't resolve to loopback")
			}
			return nil
		}
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        by,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    kept,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
