package config

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/private"
)

// CheckURL says what is wrong with a webhook's address, as a [private.Flaw]. It doesn't quote the address, which may
// hold a password.
func CheckURL(raw string) error {
	flaw := func(reason, remedy string) error { return private.Flaw{Reason: reason, Remedy: remedy} }
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return flaw("is not an address", "write one like https://host/path")
	case u.User != nil:
		return flaw("has a user name or password in it", "take it out: the signature proves who sends")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return flaw("has a ? or # part, where secrets tend to be", "end the address with its path: the signature proves who sends")
	case !isPort(u.Port()):
		return flaw("has a port that there is not", "write a port from 1 to 65535, or leave it out")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return flaw("is plain http to another machine", "write https: http is for localhost, 127.0.0.1 and [::1] alone")
	}
	return flaw("is neither https nor http", "write one like https://host/path")
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// loopback reports whether host is this machine. An address of a zone is none: there is one loopback.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback() && ip.Zone() == ""
}

// Secrets reads the signing secrets, the newer one first: the text that the receiver gave out, "whsec_" and base64, as
// Standard Webhooks has it. A file that anybody but its owner may read is refused.
func (w Webhook) Secrets() ([]string, error) { return secrets(w.SecretFile, w.OldSecretFile) }

func secrets(files ...string) (all []string, err error) {
	for _, file := range files {
		if file == "" {
			continue
		}
		secret, err := readWebhookSecret(file, os.Geteuid())
		if err != nil {
			return nil, fmt.Errorf("signing secret: %w", err)
		}
		all = append(all, string(secret))
	}
	return all, nil
}

func readWebhookSecret(file string, user int) ([]byte, error) {
	text, err := private.WebhookSecret.ReadFor(file, user)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	if !IsSecret(text) {
		return nil, private.Flaw{Reason: file + ` holds something other than "whsec_" and base64 of 24 to 64 bytes`,
			Remedy: "copy the secret from the receiver, or make one for it: flattone secret new FILE"}
	}
	return text, nil
}

// IsSecret reports whether text is a signing secret.
func IsSecret(text []byte) bool {
	encoded, found := bytes.CutPrefix(text, []byte("whsec_"))
	key := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(key, encoded)
	return found && err == nil && n >= 24 && n <= 64
}
