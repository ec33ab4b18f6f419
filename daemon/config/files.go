package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/flattone/flattone/daemon/private"
)

// Secret reads the webhook's signing secret: the text that the receiver gave out, "whsec_" and base64, as
// Standard Webhooks has it. A file that anybody but its owner may read is refused.
func (w Webhook) Secret() ([]byte, error) {
	secret, err := w.readSecret()
	if err != nil {
		return nil, fmt.Errorf("webhook secret: %w", err)
	}
	return secret, nil
}

func (w Webhook) readSecret() ([]byte, error) {
	text, err := private.WebhookSecret.Read(w.SecretFile)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	encoded, found := bytes.CutPrefix(text, []byte("whsec_"))
	key := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(key, encoded)
	if !found || err != nil || n < 24 || n > 64 {
		return nil, private.Flaw{Reason: w.SecretFile + ` holds something other than "whsec_" and base64 of 24 to 64 bytes`,
			Remedy: "copy the secret from the receiver, or make one for it: flattone secret new FILE"}
	}
	return text, nil
}

// CheckFiles looks at the files that c names and that must be there: keys, secrets, recordings. It is for
// `flattone check`, run by someone who may read all of them. Any error is [Faults].
func (c *Config) CheckFiles() error {
	var faults Faults
	note := func(key string, err error) {
		if err == nil {
			return
		}
		f := Fault{File: c.file, Line: c.at[key], Key: key, Reason: err.Error()}
		if flaw, ok := errors.AsType[private.Flaw](err); ok {
			f.Reason, f.Remedy = flaw.Reason, flaw.Remedy
		}
		faults = append(faults, f)
	}
	key, err := private.VaultKey.Open(c.Vault.KeyFile)
	if err == nil {
		err = key.Close()
	}
	note("vault.key_file", err)
	_, err = c.Upstream.Webhook.readSecret()
	note("upstream.webhook.secret_file", err)
	for i, l := range c.Lines {
		wav := join(element("line", i), "wav")
		for k, file := range l.WAV.CallerIn {
			note(element(join(wav, "caller_in"), k), readable(file))
		}
		for k, file := range l.WAV.AgentIn {
			note(element(join(wav, "agent_in"), k), readable(file))
		}
	}
	return faults.err()
}

// readable reports why a recording can't be opened.
func readable(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return private.Flaw{Reason: path + " does not exist", Remedy: "name a recording that does"}
	}
	if err != nil {
		return err
	}
	return f.Close()
}
