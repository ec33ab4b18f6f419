package upstream

import (
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

// Config says where events go and how patiently.
type Config struct {
	Box     string        // whose leases these are, where boxes share a store
	URL     string        // https://..., or http:// to a loopback address
	Secret  string        // Standard Webhooks: "whsec_" and base64 of 24 to 64 bytes
	Timeout time.Duration // of one attempt, to the end of the answer; default 10 s
	BackOff time.Duration // the most before the second attempt; doubles with each; default 1 s
	MaxWait time.Duration // the most before any attempt; default 5 min
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.BackOff == 0 {
		c.BackOff = time.Second
	}
	if c.MaxWait == 0 {
		c.MaxWait = 5 * time.Minute
	}
	return c
}

// check joins all faults of a config. Whether address and secret are fit is the configuration file's rule, here
// for whoever didn't read one.
func (c Config) check() error {
	var faults []error
	if err := config.CheckURL(c.URL); err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	}
	if !config.IsSecret([]byte(c.Secret)) {
		faults = append(faults, errors.New(`secret: not "whsec_" and base64 of 24 to 64 random bytes; make one with: flattone secret new FILE`))
	}
	if c.Timeout < 0 || c.BackOff < 0 || c.MaxWait < c.BackOff {
		faults = append(faults, errors.New("times must be above 0, and the longest wait no shorter than the first"))
	}
	return errors.Join(faults...)
}
