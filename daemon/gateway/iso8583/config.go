package iso8583

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// Config is what an acquirer's contract says, and how patient the box is with him.
type Config struct {
	Address string // host:port; the host is the name his certificate must have
	// Plain speaks no TLS. Then whatever lies between box and acquirer sees cards: a dedicated line in the acquirer's own scope, or a tunnel that ends on this machine.
	Plain bool
	Roots *x509.CertPool // who vouches for him; nil: whom the system trusts
	Form  message.Form

	Terminal    string // field 41: up to 8 characters, this connector's alone
	Acceptor    string // field 42: up to 15 characters
	Category    string // field 18: four digits of ISO 18245
	Institution string // field 32: up to 11 digits; may be empty

	Timeout   time.Duration // of a connection, and of one answer; default 30 s
	EchoEvery time.Duration // default 1 min
	BackOff   time.Duration // the most before the second connection; doubles with each; default 1 s
	MaxWait   time.Duration // the most before any connection; default 1 min
	// Lifetime is how long after it was sent a request may still be on its way to the acquirer's books; default 1 min.
	Lifetime time.Duration
}

// Deps are what a connector is built on. Each may be nil.
type Deps struct {
	Dial        func(ctx context.Context, network, address string) (net.Conn, error)
	Certificate func() (*tls.Certificate, error) // the box's own, asked for with each connection, so that a new one counts
	// OnState is told each state with the reason for it, if there is one. It is called from Run, and must not block.
	OnState func(State, error)
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		of       *time.Duration
		standard time.Duration
	}{{&c.Timeout, 30 * time.Second}, {&c.EchoEvery, time.Minute}, {&c.BackOff, time.Second}, {&c.MaxWait, time.Minute}, {&c.Lifetime, time.Minute}} {
		if *d.of == 0 {
			*d.of = d.standard
		}
	}
	c.Terminal, c.Acceptor = strings.TrimRight(c.Terminal, " "), strings.TrimRight(c.Acceptor, " ") // which they are filled up with
	return c
}

// The forms of what a contract says.
var (
	terminals    = regexp.MustCompile(`^[ -~]{0,7}[!-~]$`)
	acceptors    = regexp.MustCompile(`^[ -~]{0,14}[!-~]$`)
	categories   = regexp.MustCompile(`^[0-9]{4}$`)
	institutions = regexp.MustCompile(`^[0-9]{0,11}$`)
)

// check joins all faults of a config.
func (c Config) check() error {
	var faults []error
	if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
		faults = append(faults, errors.New("address: not host:port"))
	}
	for _, f := range []struct {
		name, value string
		form        *regexp.Regexp
		want        string
	}{
		{"terminal", c.Terminal, terminals, "1 to 8 printable characters"},
		{"acceptor", c.Acceptor, acceptors, "1 to 15 printable characters"},
		{"category", c.Category, categories, "the four digits of a merchant category code (ISO 18245)"},
		{"institution", c.Institution, institutions, "up to 11 digits"},
	} {
		if !f.form.MatchString(f.value) {
			faults = append(faults, fmt.Errorf("%s: want %s", f.name, f.want))
		}
	}
	if c.Timeout <= 0 || c.EchoEvery <= 0 || c.BackOff <= 0 || c.MaxWait < c.BackOff || c.Lifetime <= 0 {
		faults = append(faults, errors.New("times must be above 0, and the longest wait no shorter than the first"))
	}
	return errors.Join(append(faults, c.Form.Check())...)
}
