package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxSecret bounds a secret file, in bytes.
const maxSecret = 4096

// flaw is what is wrong with a file that the configuration names.
type flaw struct{ reason, remedy string }

func (f flaw) Error() string { return f.reason + "; " + f.remedy }

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
	if err := private(w.SecretFile, "flattone secret new FILE makes one"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(w.SecretFile)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	encoded, found := bytes.CutPrefix(text, []byte("whsec_"))
	key := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(key, encoded)
	if !found || err != nil || n < 24 || n > 64 {
		return nil, flaw{w.SecretFile + ` holds something other than "whsec_" and base64 of 24 to 64 bytes`,
			"copy the secret from the receiver, or make one for it: flattone secret new FILE"}
	}
	return text, nil
}

// private reports why path is no file that only its owner can read; maker says how such a file is made.
func private(path, maker string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return flaw{path + " does not exist", maker}
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return flaw{path + " is not a file", "name the file itself"}
	case info.Mode().Perm()&0o077 != 0:
		return flaw{fmt.Sprintf("%s may be read by others (mode %#o)", path, info.Mode().Perm()),
			"chmod 600 it, and put a new secret in: this one may be known"}
	case info.Size() > maxSecret:
		return flaw{path + " is larger than any secret", "name the right file"}
	}
	return nil
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
		if flaw, ok := errors.AsType[flaw](err); ok {
			f.Reason, f.Remedy = flaw.reason, flaw.remedy
		}
		faults = append(faults, f)
	}
	note("vault.key_file", private(c.Vault.KeyFile, "flattone key new FILE makes one"))
	_, err := c.Upstream.Webhook.readSecret()
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
		return flaw{path + " does not exist", "name a recording that does"}
	}
	if err != nil {
		return err
	}
	return f.Close()
}
