package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
)

// What a tuning holds for changes with devices, channels and delays, and not with what is asked of a caller.
func TestFingerprint(t *testing.T) {
	adopted := Devices{}
	line := func(change func(*Line)) string {
		adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2912", Plugging: "b/1", Card: "CODEC"}
		l := Line{Name: "one", Place: TrunkSide, Rate: audio.Rate8k, LookAhead: 30 * time.Millisecond, Profile: "card",
			Sound: &Sound{Caller: "trunk", Agent: "desk", CallerChannel: 1, AgentChannel: 1}}
		if change != nil {
			change(&l)
		}
		print, settings := l.Fingerprint(adopted)
		if len(print) != 32 || !strings.Contains(settings, "trunk") {
			t.Errorf("%s for %s", print, settings)
		}
		return print
	}
	for name, test := range map[string]struct {
		change func(*Line)
		same   bool
	}{
		"nothing":       {func(*Line) {}, true},
		"the profile":   {func(l *Line) { l.Profile = "number" }, true},
		"another card":  {func(l *Line) { l.Sound.Agent = "trunk" }, false},
		"legs swapped":  {func(l *Line) { l.Sound.Agent, l.Sound.Caller = l.Sound.Caller, l.Sound.Agent }, false},
		"the channel":   {func(l *Line) { l.Sound.AgentChannel = 2 }, false},
		"the period":    {func(l *Line) { l.Sound.PeriodFrames = 64 }, false},
		"the rate":      {func(l *Line) { l.Rate = audio.Rate16k }, false},
		"the lookahead": {func(l *Line) { l.LookAhead = 10 * time.Millisecond }, false},
		"the place":     {func(l *Line) { l.Place = DeskSide }, false},
		"plugged in":    {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2912", Plugging: "b/2"} }, true},
		"another port":  {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-2", IDs: "08bb:2912", Plugging: "b/1"} }, false},
		"another make":  {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2900", Plugging: "b/1"} }, false},
	} {
		before := line(nil)
		if (line(test.change) == before) != test.same {
			t.Errorf("%s: the same is %v", name, !test.same)
		}
	}
}

// What a line's process reads is in its settings, and what only flattoned reads is not: or a line would be started again for nothing, or not at all.
func TestSettings(t *testing.T) {
	read := func(change func(*Config)) (line, other, box string) {
		c := &Config{StateDir: "/s", RuntimeDir: "/r", file: "/etc/f.toml", Profiles: map[string]Profile{"card": {Tries: 3}},
			Lines: []Line{{Name: "one", Profile: "card"}, {Name: "two", Profile: "card"}}}
		change(c)
		return c.Settings("one"), c.Settings("two"), c.BoxSettings()
	}
	line, other, box := read(func(*Config) {})
	if line == other || line == box {
		t.Fatal("different things have the same settings")
	}
	for name, test := range map[string]struct {
		change           func(*Config)
		line, other, box bool // which is another by it
	}{
		"nothing":         {func(*Config) {}, false, false, false},
		"the line":        {func(c *Config) { c.Lines[0].LookAhead = time.Second }, true, false, false},
		"a line more":     {func(c *Config) { c.Lines = append(c.Lines, Line{Name: "three"}) }, false, false, false},
		"the order":       {func(c *Config) { slices.Reverse(c.Lines) }, false, false, false},
		"a profile":       {func(c *Config) { c.Profiles["card"] = Profile{Tries: 4} }, true, true, false},
		"the webhook":     {func(c *Config) { c.Upstream = Upstream{{Name: "elsewhere"}} }, false, false, true},
		"a gateway":       {func(c *Config) { c.Gateways = map[string]Gateway{"shop": {Stripe: &Stripe{}}} }, false, false, true},
		"who may what":    {func(c *Config) { c.Roles.Viewer = []string{"anna"} }, false, false, true},
		"a client":        {func(c *Config) { c.Clients = []Client{{Name: "crm"}} }, false, false, true},
		"metrics":         {func(c *Config) { c.Metrics.Listen = "unix:/m" }, false, false, true},
		"store":           {func(c *Config) { c.Store.Postgres = "host=db dbname=f user=u" }, false, false, true},
		"syslog":          {func(c *Config) { c.Syslog.Address = "siem:6514" }, false, false, true},
		"checkpoints":     {func(c *Config) { c.Audit.CheckpointFile = "/k" }, false, false, true},
		"the key":         {func(c *Config) { c.Vault.KeyFile = "/k" }, false, false, true},
		"a folder":        {func(c *Config) { c.RuntimeDir = "/elsewhere" }, true, true, true},
		"another file":    {func(c *Config) { c.file = "/home/f.toml" }, true, true, false},
		"where it stands": {func(c *Config) { c.at = positions{"line": 7} }, false, false, false},
	} {
		l, o, b := read(test.change)
		if (l != line) != test.line || (o != other) != test.other || (b != box) != test.box {
			t.Errorf("%s changes the line, another, the box: %t %t %t", name, l != line, o != other, b != box)
		}
	}
	// Who adds to the file decides whether lines read it: [Config.Settings] lists what they do.
	var fields []string
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.IsExported() {
			fields = append(fields, f.Name)
		}
	}
	if want := []string{"StateDir", "RuntimeDir", "Daemon", "Roles", "Store", "Vault", "Upstream", "Gateways", "Clients", "Metrics", "Syslog", "RecorderHook", "Audit", "Lines", "Profiles"}; !slices.Equal(fields, want) {
		t.Errorf("the file holds %q, and of %q it is known who reads it", fields, want)
	}
}
