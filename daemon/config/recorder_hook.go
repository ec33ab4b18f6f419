package config

import (
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/private"
)

// RecorderHook is a recorder in front of the box, which hears the keys themselves, and is told to pause while a card is taken.
type RecorderHook struct {
	// Webhook has no OldSecretFile here.
	Webhook Webhook
	TLS     TLS
	// Timeout is for one answer: a line is armed that much later at most.
	Timeout time.Duration
	// Required refuses to arm a line unless the recorder says that it pauses.
	Required bool
}

const usualHookTimeout = time.Second

func (t *table) recorderHook(h *RecorderHook) {
	t.need("url", "write the https address at which the recorder is told to pause")
	t.text("url", &h.Webhook.URL)
	t.need("secret_file", "name a file with a whsec_... secret that the recorder has, too; flattone secret new FILE makes one")
	t.secretFile("secret_file", &h.Webhook.SecretFile)
	t.tls(&h.TLS)
	t.period("timeout_ms", &h.Timeout, time.Millisecond, 100, 10_000)
	t.truth("required", &h.Required)
}

func (j judgement) recorderHook() {
	const path = "recorder_hook"
	t := j.table(path)
	if j.c.RecorderHook == nil {
		return
	}
	if t.has("url") && j.sound(path, "url") {
		if flaw, ok := errors.AsType[private.Flaw](CheckURL(j.c.RecorderHook.Webhook.URL)); ok {
			t.fault("url", flaw.Reason, flaw.Remedy)
		}
	}
	if t.has("cert_file") != t.has("key_file") {
		t.need("cert_file", "name the certificate of key_file, or leave both out")
		t.need("key_file", "name the key of cert_file, or leave both out")
	}
}
