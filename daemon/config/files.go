package config

import (
	"errors"
	"io/fs"
	"os"

	"github.com/flattone/flattone/daemon/private"
)

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
