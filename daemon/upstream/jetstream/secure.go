package jetstream

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/flattone/flattone/daemon/private"
)

// secure sets TLS, in which the server must have the name of its address.
func (s *Sender) secure(o *nats.Options) error {
	if s.cfg.plain() {
		return nil
	}
	o.Secure = true
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetClientCertificate: s.cfg.TLS.Certificate}
	o.RootCAsCB = s.cfg.TLS.Roots
	_, err := s.cfg.TLS.Roots()
	_, certErr := s.cfg.TLS.Certificate(nil)
	return errors.Join(err, certErr)
}

// identify sets how the box proves itself.
func (s *Sender) identify(o *nats.Options) error {
	c := s.cfg
	switch {
	case c.CredsFile != "":
		o.UserJWT = func() (string, error) {
			text, err := private.StreamKey.Read(c.CredsFile)
			if err != nil {
				return "", err
			}
			return nkeys.ParseDecoratedJWT(text)
		}
		o.SignatureCB = func(nonce []byte) ([]byte, error) { return sign(c.CredsFile, nonce) }
		_, err := o.UserJWT()
		_, signErr := o.SignatureCB(nil)
		return errors.Join(err, signErr)
	case c.NkeyFile != "":
		pair, err := seed(c.NkeyFile)
		if err != nil {
			return err
		}
		defer pair.Wipe()
		o.SignatureCB = func(nonce []byte) ([]byte, error) { return sign(c.NkeyFile, nonce) }
		o.Nkey, err = pair.PublicKey()
		return err
	case c.User != "":
		o.UserInfo = func() (user, password string) {
			text, err := private.StreamKey.Read(c.PasswordFile)
			if err != nil {
				s.log.Error("the password for NATS can't be read", "stream", c.Stream, "error", err)
			}
			return c.User, strings.TrimSpace(string(text))
		}
		_, err := private.StreamKey.Read(c.PasswordFile)
		return err
	}
	return nil
}

// seed reads a key pair.
func seed(file string) (nkeys.KeyPair, error) {
	text, err := private.StreamKey.Read(file)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	pair, err := nkeys.ParseDecoratedUserNKey(text)
	if err != nil {
		return nil, private.Flaw{Reason: "there is no user's seed in " + file, Remedy: "put there what nsc or nk made: a seed begins with SU", Cause: err}
	}
	return pair, nil
}

func sign(file string, nonce []byte) ([]byte, error) {
	pair, err := seed(file)
	if err != nil {
		return nil, err
	}
	defer pair.Wipe()
	return pair.Sign(nonce)
}
