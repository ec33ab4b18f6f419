package jetstream

import (
	"log/slog"
	"os"
	"strings"
	"testing"
)

// What can't be right is said at the start, and names no secret.
func TestNewRefuses(t *testing.T) {
	ca := newAuthority(t)
	cert, _ := ca.files(nil)
	_, strangeKey := ca.files(nil)
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no server":             {func(c *Config) { c.Servers = nil }, "there is no server"},
		"plain to elsewhere":    {func(c *Config) { c.Servers = []string{"nats://nats.example.com"} }, "without TLS to another machine"},
		"password in address":   {func(c *Config) { c.Servers = []string{"tls://box:hunter2@nats.example.com"} }, "user name, password or token"},
		"both ways":             {func(c *Config) { c.Servers = append(c.Servers, "tls://nats.example.com") }, "partly without TLS"},
		"another scheme":        {func(c *Config) { c.Servers = []string{"wss://nats.example.com"} }, "not the address of a NATS server"},
		"a path":                {func(c *Config) { c.Servers = []string{"tls://nats.example.com/x"} }, "more than a host and a port"},
		"no stream":             {func(c *Config) { c.Stream = "" }, "not the name of a stream"},
		"wildcards":             {func(c *Config) { c.Subject = "flattone.>" }, "not a subject"},
		"type in the middle":    {func(c *Config) { c.Subject = "flattone.{type}.{box}" }, "{type} is the last"},
		"begins anyhow":         {func(c *Config) { c.Subject = "{box}.x" }, "begins with what changes"},
		"no box":                {func(c *Config) { c.Box = "" }, "no name"},
		"two identities":        {func(c *Config) { c.CredsFile, c.NkeyFile = "a", "b" }, "in one way"},
		"a user alone":          {func(c *Config) { c.User = "box" }, "in one way"},
		"CA without TLS":        {func(c *Config) { c.TLS.CAFile = ca.File }, "without TLS"},
		"no credentials":        {func(c *Config) { c.CredsFile = "/nowhere" }, "/nowhere does not exist"},
		"no seed":               {func(c *Config) { c.NkeyFile = write(t, "seed", "hunter2") }, "no user's seed"},
		"no CA in the file":     {func(c *Config) { c.Servers, c.TLS.CAFile = []string{"tls://h"}, write(t, "ca", "hunter2") }, "there is no certificate in"},
		"another's key":         {func(c *Config) { c.Servers, c.TLS.CertFile, c.TLS.KeyFile = []string{"tls://h"}, cert, strangeKey }, "are no pair"},
		"a key that others see": {func(c *Config) { c.NkeyFile = exposed(t) }, "chmod 600"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Box: "box1", Servers: []string{"nats://127.0.0.1"}, Stream: "S"}
			c.change(&cfg)
			_, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func exposed(t *testing.T) string {
	path := write(t, "seed", "x")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Without TLS nothing leaves the machine, whatever a name resolves to.
func TestPlainStaysHere(t *testing.T) {
	d := &dialer{ctx: t.Context(), loopback: true}
	if _, err := d.Dial("tcp", "192.0.2.1:4222"); err == nil || !strings.Contains(err.Error(), "leaves this machine") {
		t.Errorf("got %v", err)
	}
}
