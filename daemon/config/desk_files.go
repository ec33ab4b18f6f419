package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/flattone/flattone/daemon/private"
)

// longestLogo bounds a logo: the whole panel is 60 kB at the most.
const longestLogo = 32 << 10

// logoKinds are the pictures that every browser shows.
const logoKinds = "an SVG or a PNG"

// Certificate reads the desk's certificate and its key. A key that anybody but its owner may read is refused.
func (d *Desk) Certificate() (tls.Certificate, error) { return d.certificate(os.Geteuid()) }

func (d *Desk) certificate(user int) (tls.Certificate, error) {
	chain, err := os.ReadFile(d.CertFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the desk's certificate: %w", err)
	}
	key, err := private.DeskKey.ReadFor(d.KeyFile, user)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the key of the desk's certificate: %w", err)
	}
	defer clear(key)
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil { // its text names what is wrong with either, and no part of them
		return tls.Certificate{}, private.Flaw{Reason: fmt.Sprintf("%s and %s don't belong together: %v", d.CertFile, d.KeyFile, err), Remedy: "write both in PEM, the desk's own certificate first"}
	}
	return pair, nil
}

// Logo reads the logo, and says what it is; both are empty if there is none.
func (b DeskBrand) Logo() (image []byte, mediaType string, err error) {
	if b.LogoFile == "" {
		return nil, "", nil
	}
	kind, known := map[string]string{".svg": "image/svg+xml", ".png": "image/png"}[strings.ToLower(filepath.Ext(b.LogoFile))]
	if !known {
		return nil, "", private.Flaw{Reason: b.LogoFile + " is no picture that is shown here", Remedy: "name " + logoKinds}
	}
	f, err := os.OpenFile(b.LogoFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("read the logo: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("look at the logo: %w", err)
	case !info.Mode().IsRegular():
		return nil, "", private.Flaw{Reason: b.LogoFile + " is not a file", Remedy: "name " + logoKinds}
	case info.Size() > longestLogo:
		return nil, "", private.Flaw{Reason: fmt.Sprintf("%s has %d bytes", b.LogoFile, info.Size()), Remedy: fmt.Sprintf("make it %d at the most: agents wait for it", longestLogo)}
	}
	image = make([]byte, info.Size())
	if n, err := f.ReadAt(image, 0); n < len(image) {
		return nil, "", fmt.Errorf("read the logo: %w", err)
	}
	return image, kind, nil
}

// ClientSecret reads the secret by which the provider knows the desk. A file that anybody but its owner may read is refused.
func (o OIDC) ClientSecret() (string, error) {
	secret, err := private.OIDCSecret.Read(o.ClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("read the identity provider's client secret: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}

// Roots are who vouches for the provider; nil are the system's.
func (o OIDC) Roots() (*x509.CertPool, error) { return TLS{CAFile: o.CAFile}.Roots() }

// look reports the files that flattone-desk would refuse, running as a user.
func (d *Desk) look(r *reader, user int) {
	note := func(key, path string, err error) {
		if path == "" || err == nil {
			return
		}
		f := Fault{File: d.file, Line: d.at[key], Key: key, Reason: err.Error(), Remedy: "make it readable, or name another"}
		if flaw, ok := errors.AsType[private.Flaw](err); ok {
			f.Reason, f.Remedy = flaw.Reason, flaw.Remedy
		}
		r.faults = append(r.faults, f)
	}
	if d.CertFile != "" && d.KeyFile != "" {
		if err := certificate(d.CertFile); err != nil {
			note("cert_file", d.CertFile, err)
		} else {
			_, err := d.certificate(user)
			note("key_file", d.KeyFile, errors.Join(err, theirs(d.KeyFile, user)))
		}
	}
	_, _, err := d.Brand.Logo()
	note("brand.logo_file", d.Brand.LogoFile, err)
	for _, c := range d.Clients {
		for key, file := range map[string]string{"secret_file": c.SecretFile, "old_secret_file": c.OldSecretFile} {
			if file != "" {
				_, err := readWebhookSecret(file, user)
				note(join(join("client", c.Name), key), file, err)
			}
		}
	}
	if o := d.SignIn.OIDC; o != nil {
		if o.ClientSecretFile != "" {
			note("signin.oidc.client_secret_file", o.ClientSecretFile, errors.Join(readable(private.OIDCSecret, o.ClientSecretFile, user), theirs(o.ClientSecretFile, user)))
		}
		_, err := o.Roots()
		note("signin.oidc.ca_file", o.CAFile, err)
	}
}

// theirs judges a private file that is there: one that is root's alone is as private, but nobody hands it to flattone-desk.
func theirs(path string, user int) error {
	info, err := os.Stat(path)
	if err != nil || user == 0 || info.Sys().(*syscall.Stat_t).Uid == uint32(user) {
		return nil
	}
	return private.Flaw{Reason: path + " is another user's, and flattone-desk could not read it", Remedy: "try: chown flattone-desk: " + path}
}
