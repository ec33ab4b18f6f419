package upstream

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

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// answerBytes bounds what is read of an answer: nothing in it matters but the status.
const answerBytes = 16 << 10

// post sends one event and returns the answer's status and what it asks to wait. The error names nothing of the address's path.
func (o *Outbox) post(ctx context.Context, c *claimed) (status int, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.cfg.URL, bytes.NewReader(c.body))
	if err != nil {
		return 0, 0, bare(err)
	}
	now := time.Now()
	signature, err := o.signer.Sign(c.id, now, c.body)
	if err != nil {
		return 0, 0, fmt.Errorf("sign the event: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "flattone")
	req.Header.Set(webhooks.HeaderWebhookID, c.id)
	req.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(webhooks.HeaderWebhookSignature, signature)
	resp, err := o.client.Do(req)
	if err != nil {
		return 0, 0, bare(err)
	}
	defer resp.Body.Close()
	// Read a little, so that the connection can be used again; the status has already decided.
	io.Copy(io.Discard, io.LimitReader(resp.Body, answerBytes))
	return resp.StatusCode, retryAfter(resp.Header, o.cfg.MaxWait), nil
}

// retryAfter reads a Retry-After header (RFC 9110 10.2.3), in seconds or as a date, up to most.
func retryAfter(h http.Header, most time.Duration) time.Duration {
	asked := h.Get("Retry-After")
	if at, err := http.ParseTime(asked); err == nil {
		return max(0, min(time.Until(at), most))
	}
	s, err := strconv.ParseUint(asked, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && s > uint64(most/time.Second):
		return most
	case err != nil:
		return 0
	}
	return time.Duration(s) * time.Second
}

// longestReason bounds what is told of a failure, in characters.
const longestReason = 200

// reason says why there was no answer. What came instead of one may be in the error, whatever it was and as
// long as it was: only a line's worth of it goes on to log, status and feed.
func (o *Outbox) reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %g s", o.cfg.Timeout.Seconds())
	}
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

// newTransport is the way out to the one address. It uses no proxy from the environment; and if the
// address is plain http it connects to this machine only, whatever its name resolves to.
func newTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	if strings.HasPrefix(strings.ToLower(cfg.URL), "http:") {
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
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           2,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
