package config

import (
	"crypto/x509"
	"os"

	"github.com/flattone/flattone/daemon/private"
)

// Syslog is who is told by syslog what is wrong.
type Syslog struct {
	// Address is a host and a port; empty: nobody.
	Address string
	// CAFile has the certificates of who vouches for the receiver; empty: the system's.
	CAFile string
}

// Roots are who vouches for the receiver; nil are the system's.
func (s Syslog) Roots() (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, private.Flaw{Reason: "there is no certificate in " + s.CAFile, Remedy: "put that of the receiver's CA there, in PEM"}
	}
	return roots, nil
}
