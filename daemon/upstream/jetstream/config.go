package jetstream

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

// Config says which stream, where, and how the box proves itself. Files are read anew for each connection, so that what is put in their
// place counts from the next one on.
type Config struct {
	Box     string   // the box's name, in {box} and for the server's list of who is connected
	Servers []string // tls://host:port; nats:// to loopback alone, and then all of them
	Stream  string   // its name
	// Subject is where an event is published: {box}, {type} and {key} stand for the event's, {type} at the end, as it has dots.
	Subject string // default flattone.{box}.{type}
	// MakeStream lets the box make the stream if there is none.
	MakeStream bool
	// One of these, or none where the certificate says who the box is.
	CredsFile    string // JWT and seed, as nsc writes them
	NkeyFile     string // a user's seed
	User         string
	PasswordFile string
	TLS          config.TLS
	Timeout      time.Duration // of one attempt, to the acknowledgement; default 10 s
}

// AtOnce is how many events should be on their way at the same time: one connection carries them all, and what comes of many is written down for less each.
const AtOnce = 256

// Window is how long a stream that the box made remembers an event's id: a day, as the network may be gone for one.
const Window = 24 * time.Hour

func (c Config) withDefaults() Config {
	if c.Subject == "" {
		c.Subject = "flattone.{box}.{type}"
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	return c
}

// check joins all faults of a config. Whether addresses, stream and subject are fit is the configuration file's rule, here for whoever didn't read one.
func (c Config) check() error {
	faults := []error{config.CheckStream(c.Stream), config.CheckSubject(c.Subject), config.CheckServers(c.Servers)}
	ways := 0
	for _, way := range []string{c.CredsFile, c.NkeyFile, c.User} {
		if way != "" {
			ways++
		}
	}
	if c.Box == "" {
		faults = append(faults, errors.New("the box has no name"))
	}
	if ways > 1 || (c.User == "") != (c.PasswordFile == "") || (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		faults = append(faults, errors.New("the box proves itself in one way: a credentials file, an nkey, or user and password file; a certificate comes with its key"))
	}
	if c.plain() && c.TLS != (config.TLS{}) {
		faults = append(faults, errors.New("certificates without TLS: write tls:// addresses"))
	}
	if c.Timeout < 0 {
		faults = append(faults, errors.New("the time for an attempt must be above 0"))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("stream %s: %w", c.Stream, err)
	}
	return nil
}

// plain reports whether the servers are on this machine and speak no TLS.
func (c Config) plain() bool {
	return len(c.Servers) > 0 && strings.HasPrefix(c.Servers[0], "nats:")
}
