package config

import (
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/private"
)

// Store is the PostgreSQL database that keeps what a file in the state folder keeps otherwise, and that boxes may share.
type Store struct {
	// Postgres is a connection string of host, port, dbname, user and target_session_attrs; empty: the store is a file.
	Postgres string
	// Box is this box's name there, which no other has; empty: the machine's.
	Box string
	// PasswordFile has the database's password, mode 0600; empty: none is asked for.
	PasswordFile string
	// CAFile vouches for the server (empty: the system's), CertFile and KeyFile prove the box to it.
	CAFile, CertFile, KeyFile string
}

func (t *table) store(s *Store) {
	t.text("postgres", &s.Postgres)
	t.text("box", &s.Box)
	t.secretFile("password_file", &s.PasswordFile)
	t.file("ca_file", &s.CAFile)
	t.file("cert_file", &s.CertFile)
	t.file("key_file", &s.KeyFile)
}

// certificate judges a file of certificates.
func certificate(path string) error {
	pem, err := os.ReadFile(path)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(pem) {
		err = private.Flaw{Reason: "there is no certificate in " + path, Remedy: "put it there, in PEM"}
	}
	return err
}

// longestBox is the store's bound on a box's name.
const longestBox = 64

func (j judgement) store() {
	t, s := j.table("store"), j.c.Store
	for _, key := range []string{"box", "password_file", "ca_file", "cert_file", "key_file"} {
		if t.has(key) && !t.has("postgres") {
			t.need("postgres", `write where the database is, such as "host=db.example.com dbname=flattone user=flattone"; or leave the [store] table out`)
			return
		}
	}
	if flaw := connection(s.Postgres); t.has("postgres") && j.sound("store", "postgres") && flaw.Reason != "" {
		delete(t.values, "postgres") // a fault would repeat it, and there may be a password in it
		t.fault("postgres", flaw.Reason, flaw.Remedy)
	}
	if t.has("box") && j.sound("store", "box") && (s.Box == "" || len(s.Box) > longestBox) {
		t.fault("box", "is no name", fmt.Sprintf("write 1 to %d bytes, which no other box has", longestBox))
	}
	if t.has("cert_file") != t.has("key_file") {
		t.need("cert_file", "name the certificate of key_file, or leave both out")
		t.need("key_file", "name the key of cert_file, or leave both out")
	}
}

// connectionKeys are what a connection string may have. How it is encrypted is not to be chosen: to another machine it always is.
var connectionKeys = []string{"host", "port", "dbname", "user", "target_session_attrs"}

// connection says what is wrong with a connection string. It doesn't quote it: it may hold a password.
func connection(text string) (flaw private.Flaw) {
	const remedy = `write one like "host=db.example.com dbname=flattone user=flattone"`
	var has []string
	for field := range strings.FieldsSeq(text) {
		key, value, ok := strings.Cut(field, "=")
		switch {
		case key == "password":
			return private.Flaw{Reason: "has a password in it", Remedy: "put a new one into a file of mode 0600, and name that in password_file: others may know this one by now"}
		case strings.HasPrefix(key, "ssl"):
			return private.Flaw{Reason: "says how to encrypt", Remedy: "leave that out: another machine is always spoken to in TLS and must prove who it is; ca_file, cert_file and key_file are keys of their own"}
		case !ok || value == "" || !slices.Contains(connectionKeys, key) || strings.ContainsAny(value, `'"\`):
			return private.Flaw{Reason: "is no connection string of " + strings.Join(connectionKeys, ", "), Remedy: remedy}
		}
		has = append(has, key)
	}
	for _, key := range []string{"host", "dbname", "user"} {
		if !slices.Contains(has, key) {
			return private.Flaw{Reason: "has no " + key, Remedy: remedy}
		}
	}
	return private.Flaw{}
}
