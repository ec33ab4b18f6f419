package box

import "regexp"

// owners are whose the box's files and folders are on a machine that has just booted, and who may touch them: see systemd/README.md.
var owners = map[string]string{
	"/etc/flattone/flattone.toml":           "root:root 644",
	"/etc/flattone/vault-key.cred":          "root:root 600",
	"/etc/flattone/webhook.secret":          "root:root 600",
	"/var/lib/flattone":                     "flattone:flattone 700",
	"/var/lib/flattone/flattone.db":         "flattone:flattone 600",
	"/var/lib/flattone/schema":              "flattone:flattone 600",
	"/var/lib/flattone-line":                "flattone-line:flattone-line 700",
	"/run/flattone":                         "flattone:flattone 711",
	"/run/flattone/admin.sock":              "flattone:flattone-admin 666",
	"/run/flattone/probe.sock":              "flattone:flattone 600",
	"/run/flattone/line.sock":               "flattone:flattone 660",
	"/run/flattone/armed":                   "flattone-line:flattone-line 700",
	"/run/flattone/devices":                 "flattone-line:flattone-line 700",
	"/run/flattone/metrics":                 "flattone:flattone-metrics 2711",
	"/lib/systemd/system/flattoned.service": "root:root 644",
}

// owned checks them.
func (m *machine) owned() {
	m.T.Helper()
	for path, want := range owners {
		if got := m.Run("stat", "--format=%U:%G %a", path); got != want+"\n" {
			m.T.Errorf("%s is %s, and should be %s", path, got, want)
		}
	}
}

// ruleFault is what udev has against a rule.
var ruleFault = regexp.MustCompile(`(?m)^.*70-flattone\.rules:\d+.*$`)

// ruled checks that udev reads our rules, and has nothing against them.
func (m *machine) ruled() {
	m.T.Helper()
	said, _ := m.Try("root", "udevadm", "test", "/sys/devices/virtual/mem/null")
	if faults := ruleFault.FindAllString(said, -1); len(faults) > 0 || !regexp.MustCompile(`Reading rules file: \S+/70-flattone\.rules`).MatchString(said) {
		m.T.Errorf("udev says of our rules %q, in:\n%s", faults, said)
	}
}
