package iso8583

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

func TestConfig(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		fault  string
	}{
		"good":                   {func(*Config) {}, ""},
		"no institution":         {func(c *Config) { c.Institution = "" }, ""},
		"a terminal with spaces": {func(c *Config) { c.Terminal = "TERM 1  " }, ""},
		"no port":                {func(c *Config) { c.Address = "acquirer" }, "address: "},
		"no host":                {func(c *Config) { c.Address = ":5000" }, "address: "},
		"no terminal":            {func(c *Config) { c.Terminal = "  " }, "terminal: "},
		"a long terminal":        {func(c *Config) { c.Terminal = "FLAT00001" }, "terminal: "},
		"no acceptor":            {func(c *Config) { c.Acceptor = "" }, "acceptor: "},
		"a category of letters":  {func(c *Config) { c.Category = "shop" }, "category: "},
		"a long institution":     {func(c *Config) { c.Institution = "123456789012" }, "institution: "},
		"a TPDU that is none":    {func(c *Config) { c.Form = message.Form{TPDU: "\x60"} }, "TPDU"},
		"no time at all":         {func(c *Config) { c.Timeout = -1 }, "times must"},
		"the longest is shorter": {func(c *Config) { c.BackOff, c.MaxWait = time.Minute, time.Second }, "times must"},
	} {
		cfg := aConfig(message.Form{})
		c.change(&cfg)
		got, err := New(cfg, Deps{})
		if good := c.fault == ""; good != (err == nil) || !good && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
		if got != nil && strings.HasSuffix(got.cfg.Terminal, " ") {
			t.Errorf("%s: the terminal keeps the spaces that answers don't have", name)
		}
	}
}
