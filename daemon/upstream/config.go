package upstream

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config says where events go and how patiently.
type Config struct {
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

// check joins all faults of a config.
func (c Config) check() error {
	var faults []error
	if err := CheckURL(c.URL); err != nil {
		faults = append(faults, err)
	}
	if err := CheckSecret(c.Secret); err != nil {
		faults = append(faults, err)
	}
	if c.Timeout < 0 || c.BackOff < 0 || c.MaxWait < c.BackOff {
		faults = append(faults, errors.New("times must be above 0, and the longest wait no shorter than the first"))
	}
	return errors.Join(faults...)
}

// CheckURL says what is wrong with a webhook's address, and what to write instead. The address itself is
// not repeated: it may carry a secret.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("url: not an address like https://host/path")
	case u.User != nil:
		return errors.New("url: has a user or password in it; the signature is what proves the sender, leave them out")
	case u.Fragment != "":
		return errors.New("url: has a #fragment, which is never sent; leave it out")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("url: plain http to %s; write https (http is for this machine alone: localhost, 127.0.0.1, [::1])", u.Hostname())
	}
	return fmt.Errorf("url: scheme %q; write https", u.Scheme)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback() && ip.Zone() == ""
}

// CheckSecret says what is wrong with a signing secret.
func CheckSecret(secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return errors.New(`secret: not "whsec_" and base64 of 24 to 64 random bytes; make one with: echo "whsec_$(head -c32 /dev/urandom | base64)"`)
	}
	return nil
}
