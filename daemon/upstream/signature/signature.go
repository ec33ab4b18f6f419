// Package signature signs messages after Standard Webhooks 1.0, and tells whether one was signed.
//
// It exists because what a box tells a webhook, what a client asks of a box and what it is answered are proved in the same way: an HMAC-SHA-256 by a secret that both
// sides have, over an id, a time and the body, which stand in three headers. It promises that a message bears a signature by each secret that it is given (two, while
// one takes the place of the other), that one of them is enough to believe a message, and that a message which is signed for a time more than five minutes away isn't
// believed. No error of it has anything of a secret, a signature or a body in it.
package signature

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/flattone/flattone/daemon/config"
)

// Where id, time and signatures of a message are. The names are written as they are here also where case matters.
const (
	HeaderID        = webhooks.HeaderWebhookID
	HeaderTime      = webhooks.HeaderWebhookTimestamp
	HeaderSignature = webhooks.HeaderWebhookSignature
)

// Header is a message's, of HTTP or NATS.
type Header interface {
	Set(name, value string)
	Get(name string) string
}

// Secrets are what one side of messages has. Safe for concurrent use.
type Secrets []*webhooks.Webhook

// New takes "whsec_" and base64 of 24 to 64 bytes, for each secret.
func New(secrets ...string) (Secrets, error) {
	var all Secrets
	for _, secret := range secrets {
		one, err := webhooks.NewWebhook(secret)
		if err != nil || !config.IsSecret([]byte(secret)) { // the library's error could quote it
			return nil, errors.New(`secret: not "whsec_" and base64 of 24 to 64 random bytes; make one with: flattone secret new FILE`)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New("secret: there is none")
	}
	return all, nil
}

// Sign sets the headers of a message.
func (s Secrets) Sign(h Header, id string, at time.Time, body []byte) error {
	var signatures []string // a list, divided by spaces
	for _, secret := range s {
		signature, err := secret.Sign(id, at, body)
		if err != nil {
			return fmt.Errorf("sign a message: %w", err)
		}
		signatures = append(signatures, signature)
	}
	h.Set(HeaderID, id)
	h.Set(HeaderTime, strconv.FormatInt(at.Unix(), 10))
	h.Set(HeaderSignature, strings.Join(signatures, " "))
	return nil
}

// Why a message isn't believed.
var (
	ErrUnsigned = errors.New("it is not signed")
	ErrForged   = errors.New("no signature of it is by a secret that is known")
	ErrStale    = errors.New("it was signed more than five minutes ago, or ahead")
)

// Verify believes a message, or says why not: [ErrUnsigned], [ErrForged] or [ErrStale].
func (s Secrets) Verify(h Header, body []byte) error {
	headers := http.Header{}
	for _, name := range []string{HeaderID, HeaderTime, HeaderSignature} {
		headers.Set(name, h.Get(name))
	}
	verdict := ErrUnsigned
	for _, secret := range s {
		switch err := secret.Verify(body, headers); {
		case err == nil:
			return nil
		case errors.Is(err, webhooks.ErrMessageTooOld), errors.Is(err, webhooks.ErrMessageTooNew):
			return ErrStale
		case errors.Is(err, webhooks.ErrNoMatchingSignature):
			verdict = ErrForged
		}
	}
	return verdict
}
