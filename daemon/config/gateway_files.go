package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/private"
)

// TLS is who vouches for a provider, or for who is told upstream, and what the box proves itself by.
type TLS struct {
	// CAFile has the certificates of who vouches for the provider; empty: the system's.
	CAFile string
	// CertFile and KeyFile are the box's own certificate and its key, in PEM; empty: it proves itself otherwise.
	CertFile, KeyFile string
}

// Roots are who vouches for the provider; nil are the system's.
func (t TLS) Roots() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, private.Flaw{Reason: "there is no certificate in " + t.CAFile, Remedy: "put that of the provider's CA there, in PEM"}
	}
	return roots, nil
}

// Certificate is the box's own, for a tls.Config's GetClientCertificate: the files are read at each connection, so that one which was renewed is used from then on.
func (t TLS) Certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if t.CertFile == "" {
		return &tls.Certificate{}, nil // none is sent
	}
	cert, err := os.ReadFile(t.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := private.GatewayKey.Read(t.KeyFile)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, private.Flaw{Reason: fmt.Sprintf("%s and %s are no pair", t.CertFile, t.KeyFile), Remedy: "put a certificate and its own key there, in PEM", Cause: err}
	}
	return &pair, nil
}

// UseSecret gives with what the provider knows the box by, nothing where there is none, in a locked page that is wiped when it returns. A file that anybody but its
// owner may read is refused.
func (g Gateway) UseSecret(with func([]byte) error) error {
	path := g.secretFile()
	if path == "" {
		return with(nil)
	}
	page, err := readSecret(path, os.Geteuid())
	if err != nil {
		return fmt.Errorf("gateway secret: %w", err)
	}
	defer locked.Free(page)
	return with(page)
}

// readSecret goes from the file to the page: there is no other copy.
func readSecret(path string, user int) ([]byte, error) {
	f, err := private.GatewaySecret.OpenFor(path, user)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page, err := locked.Bytes(int(private.GatewaySecret.Longest))
	if err != nil {
		return nil, err
	}
	n, err := io.ReadFull(f, page)
	secret := bytes.TrimRight(page[:n], "\r\n")
	odd := bytes.ContainsFunc(secret, func(r rune) bool { return r < '!' || r > '~' })
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it is shorter than a page
	}
	if err == nil && (len(secret) == 0 || odd) {
		err = private.Flaw{Reason: path + " holds something other than one line of letters, digits and signs", Remedy: "copy the secret from the provider, and nothing else"}
	}
	if err != nil {
		locked.Free(page)
		return nil, err
	}
	return secret, nil
}

func (g Gateway) secretFile() string {
	switch {
	case g.Stripe != nil:
		return g.Stripe.SecretFile
	case g.Template != nil:
		return g.Template.SecretFile
	}
	return ""
}

func (g Gateway) tls() *TLS {
	switch {
	case g.Stripe != nil:
		return &g.Stripe.TLS
	case g.ISO8583 != nil:
		return &g.ISO8583.TLS
	case g.Template != nil:
		return &g.Template.TLS
	}
	return nil
}

// named is a file that a gateway names, and how it is judged.
type named struct {
	key, path string
	judge     func(path string, user int) error
}

func (g Gateway) files() (list []named) {
	list = append(list, named{"secret_file", g.secretFile(), func(path string, user int) error {
		page, err := readSecret(path, user)
		locked.Free(page)
		return err
	}})
	if of := g.tls(); of != nil {
		public := func(path string, _ int) error { return certificate(path) }
		list = append(list, named{"ca_file", of.CAFile, public}, named{"cert_file", of.CertFile, public},
			named{"key_file", of.KeyFile, func(path string, user int) error { return readable(private.GatewayKey, path, user) }})
	}
	return list
}
