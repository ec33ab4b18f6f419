package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// aMachine is a machine on which all is well.
func aMachine(t *testing.T) *Machine {
	t.Helper()
	m := &Machine{Root: t.TempDir(), User: os.Geteuid(), ConfigFile: "/etc/flattone/flattone.toml",
		Config: &config.Config{StateDir: "/var/lib/flattone", Vault: config.Vault{KeyFile: "/etc/flattone/vault.key"},
			Lines: []config.Line{{Name: "one", Place: config.TrunkSide, Idle: config.IdleMask, Shield: config.ShieldRun}}},
		Run: func(_ context.Context, name string, args ...string) (string, error) {
			switch name + " " + args[0] {
			case "timedatectl show":
				return "yes\n", nil
			case "systemctl show":
				return "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\n", nil
			}
			return "", nil
		},
		Space: func(string) (free, all uint64, err error) { return 5 << 30, 9 << 30, nil },
		Box: &Box{Status: control.Status{Version: "1", PID: 10, LinesUp: 1, LinesTotal: 1}, Lines: []control.Line{{Name: "one", Up: true, PID: 11, Calls: "hid"}},
			Devices: []control.Device{{Name: "trunk", Card: "CODEC", Place: "pci-1", Uses: []control.Use{{Line: "one", Side: "caller", Plays: true}}}, {Card: "PCH", Place: "pci-2", Free: true}}}}
	m.Config.Upstream = config.Upstream{{Name: "webhook", Webhook: config.Webhook{URL: "https://x/", SecretFile: "/etc/flattone/webhook.secret"}}}
	const limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax core file size        0                    0                    bytes     \n"
	for name, text := range map[string]string{
		"proc/swaps":                           "Filename\t\t\t\tType\t\tSize\n",
		"proc/sys/kernel/core_pattern":         "core\n",
		"proc/10/limits":                       limits,
		"proc/11/limits":                       limits,
		"proc/11/status":                       "Name:\tflattone-line\nCapEff:\t0000000000800000\n",
		"sys/class/tpm/tpm0/tpm_version_major": "2\n",
		"etc/group":                            "root:x:0:\nflattone-admin:x:990:ann,bob\n",
		"etc/flattone/flattone.toml":           "",
		"etc/flattone/vault.key":               "",
		"etc/flattone/webhook.secret":          "",
		"var/lib/flattone/audit.key":           "",
		"run/systemd/system/x":                 "",
	} {
		m.lay(t, name, text, 0o600)
	}
	return m
}

// lay lays down a file of the machine.
func (m *Machine) lay(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.path(name)), 0o700), os.WriteFile(m.path(name), []byte(text), mode), os.Chmod(m.path(name), mode)); err != nil {
		t.Fatal(err)
	}
}

// worst is the worst verdict of a check, and all that it says.
func worst(all []Finding, check string) (v Verdict, says string) {
	rank := map[Verdict]int{OK: 1, Unseen: 2, Warn: 3, Bad: 4}
	for _, f := range all {
		if f.Check != check {
			continue
		}
		if rank[f.Verdict] > rank[v] {
			v = f.Verdict
		}
		says += fmt.Sprintln(f.Verdict, f.Found, f.Means, f.Do)
	}
	return v, says
}

// Where all is well every check says so; and of whatever isn't, its own check says so, what it means and what to do, and no other does.
func TestExamine(t *testing.T) {
	runs := func(line, out string, err error) func(*testing.T, *Machine) {
		return func(_ *testing.T, m *Machine) {
			well := m.Run
			m.Run = func(ctx context.Context, name string, args ...string) (string, error) {
				if strings.HasPrefix(strings.Join(append([]string{name}, args...), " "), line) {
					return out, err
				}
				return well(ctx, name, args...)
			}
		}
	}
	lays := func(name, text string, mode os.FileMode) func(*testing.T, *Machine) {
		return func(t *testing.T, m *Machine) { m.lay(t, name, text, mode) }
	}
	gone := func(name string) func(*testing.T, *Machine) {
		return func(t *testing.T, m *Machine) {
			if err := os.RemoveAll(m.path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	device := func(d control.Device) func(*testing.T, *Machine) {
		return func(_ *testing.T, m *Machine) {
			d.Name, d.Uses = "headset", append(d.Uses, control.Use{Line: "one", Side: "agent"})
			m.Box.Devices = append(m.Box.Devices, d)
		}
	}
	space := func(free uint64, err error) func(*testing.T, *Machine) {
		return func(_ *testing.T, m *Machine) {
			m.Space = func(string) (uint64, uint64, error) { return free, 9 << 30, err }
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, *Machine)
		check string
		want  Verdict
		says  []string
	}{
		"all is well": {func(*testing.T, *Machine) {}, "", OK, nil},
		"encrypted swap": {func(t *testing.T, m *Machine) {
			lays("sys/block/dm-0/dm/uuid", "CRYPT-PLAIN-swap\n", 0o600)(t, m)
			lays("proc/swaps", "Filename\n/dev/dm-0 partition 1\n/dev/zram0 partition 2\n", 0o600)(t, m)
		}, "swap", OK, []string{"/dev/dm-0 is encrypted"}},
		"open swap": {lays("proc/swaps", "Filename\tType\n/dev/sda2\tpartition\t1\n", 0o600), "swap", Warn, []string{"/dev/sda2 is not encrypted", "tokens, numbers of callers and sound", "swapoff"}},
		"a volume as swap": {func(t *testing.T, m *Machine) {
			lays("sys/block/dm-0/dm/uuid", "LVM-x\n", 0o600)(t, m)
			lays("proc/swaps", "Filename\n/dev/dm-0 partition 1\n", 0o600)(t, m)
		}, "swap", Warn, []string{"/dev/dm-0"}},
		"a kernel without":    {gone("proc/swaps"), "swap", OK, nil},
		"core files":          {lays("proc/11/limits", "Max core file size        unlimited            unlimited            bytes\n", 0o600), "core dumps", Bad, []string{"line one (process 11)", "unlimited"}},
		"core files, if hard": {lays("proc/10/limits", "Max core file size        0            unlimited            bytes\n", 0o600), "core dumps", Bad, []string{"flattoned (process 10)"}},
		"odd limits":          {lays("proc/10/limits", "", 0o600), "core dumps", Bad, []string{"unknown"}},
		"a process gone":      {gone("proc/11/limits"), "core dumps", Unseen, nil},
		"no real time":        {lays("proc/11/status", "CapEff:\t0000000000000000\n", 0o600), "real time", Bad, []string{"CAP_SYS_NICE", "systemctl restart flattone.target"}},
		"no live line":        {func(_ *testing.T, m *Machine) { m.Box.Lines[0].Calls = "" }, "real time", OK, []string{"no line with live sound"}},
		"little room":         {space(500<<20, nil), "disk", Warn, []string{"500 MiB", "du -xh"}},
		"no room":             {space(1<<20, nil), "disk", Bad, []string{"no card can be stored"}},
		"room unknown":        {space(0, fs.ErrPermission), "disk", Unseen, []string{"ask as root"}},
		"clock apart":         {runs("timedatectl", "no\n", nil), "clock", Warn, []string{"timedatectl set-ntp true"}},
		"no timedatectl":      {runs("timedatectl", "", exec.ErrNotFound), "clock", Unseen, nil},
		"timedatectl fails":   {runs("timedatectl", "Failed to connect to bus", errors.New("exit status 1")), "clock", Unseen, []string{"Failed to connect"}},
		"no TPM":              {gone("sys/class/tpm"), "tpm", Warn, []string{"firmware"}},
		"an old TPM":          {lays("sys/class/tpm/tpm0/tpm_version_major", "1\n", 0o600), "tpm", Warn, []string{"version 1"}},
		"nobody may":          {lays("etc/group", "flattone-admin:x:990:\n", 0o600), "admins", Warn, []string{"adduser NAME flattone-admin"}},
		"no group":            {lays("etc/group", "root:x:0:\n", 0o600), "admins", Warn, []string{"groupadd"}},
		"no groups at all":    {gone("etc/group"), "admins", Unseen, nil},
		"open key":            {lays("etc/flattone/vault.key", "", 0o644), "secrets", Bad, []string{"the vault's key", "mode 0644", "chmod 600"}},
		"open webhook":        {lays("etc/flattone/webhook.secret", "", 0o640), "secrets", Bad, []string{"upstream.webhook", "put a new secret in"}},
		"open state":          {func(t *testing.T, m *Machine) { os.Chmod(m.path("var/lib/flattone"), 0o755) }, "secrets", Bad, []string{"the state folder", "chmod 700"}},
		"open audit key":      {lays("var/lib/flattone/audit.key", "", 0o604), "secrets", Bad, []string{"the audit log's key"}},
		"no key":              {gone("etc/flattone/vault.key"), "secrets", Bad, []string{"is not there", "restore it"}},
		"a new box":           {gone("var/lib/flattone"), "secrets", OK, nil},
		"a config for all":    {lays("etc/flattone/flattone.toml", "", 0o666), "secrets", Bad, []string{"chmod go-w"}},
		"no systemd":          {gone("run/systemd"), "units", Warn, []string{"by the units of its package"}},
		"not installed":       {runs("systemctl show", "LoadState=not-found\nUnitFileState=\nActiveState=inactive\n", nil), "units", Warn, []string{"install the package"}},
		"not enabled":         {runs("systemctl show", "LoadState=loaded\nUnitFileState=disabled\nActiveState=active\n", nil), "units", Bad, []string{"systemctl enable flattone.target"}},
		"not active":          {runs("systemctl show", "LoadState=loaded\nUnitFileState=enabled\nActiveState=inactive\n", nil), "units", Bad, []string{"systemctl start flattone.target"}},
		"a failed unit":       {runs("systemctl list-units", "flattone-line@one.service loaded failed failed line one\n", nil), "units", Bad, []string{"flattone-line@one.service has failed", "journalctl -u flattone-line@one.service"}},
		"no way up":           {runs("systemctl show --property=ActiveState,NRestarts flattoned.service", "NRestarts=7\nActiveState=activating\n", nil), "units", Bad, []string{"7 times", "journalctl -u flattoned", "vault-key.cred", "a TPM"}},
		"no systemctl":        {runs("systemctl", "", exec.ErrNotFound), "units", Unseen, nil},
		"a device absent":     {device(control.Device{Trouble: control.DeviceAbsent}), "devices", Bad, []string{"headset, for one agent: device absent", "flattone devices adopt headset PLACE"}},
		"a device taken":      {device(control.Device{Place: "pci-3"}), "devices", Bad, []string{"in use by another program", "fuser"}},
		"no adopted card":     {device(control.Device{Free: true}), "devices", Warn, []string{"no card that was adopted"}},
		"devices unknown": {func(_ *testing.T, m *Machine) {
			m.Box.Devices, m.Box.DevicesErr = nil, errors.New("a line's program hangs")
		}, "devices", Unseen, []string{"hangs"}},
		"recordings": {func(_ *testing.T, m *Machine) { m.Box.Devices = nil }, "devices", OK, []string{"no line names a sound device"}},
		"a fault": {func(_ *testing.T, m *Machine) {
			m.Box.Status.Conditions = []health.Condition{{Severity: health.Fault, Line: "one", Words: "it is deaf", Detail: "port 3", Remedy: "look"}}
		}, "flattoned", Bad, []string{"one: it is deaf (port 3) ", "look"}},
		"a warning": {func(_ *testing.T, m *Machine) {
			m.Box.Status.Conditions = []health.Condition{{Severity: health.Warning, Words: "late"}}
		}, "flattoned", Warn, []string{"late"}},
		"a weak line": {func(_ *testing.T, m *Machine) { m.Config.Lines[0].Idle = config.IdlePass }, "scope", Warn, []string{`idle = "pass"`, "flattone apply"}},
		"faults": {func(_ *testing.T, m *Machine) {
			m.ConfigErr = config.Faults{{File: "f", Line: 3, Key: "shild", Reason: "is unknown", Remedy: "write shield"}}
		}, "config", Bad, []string{"f:3: shild: is unknown", "write shield"}},
		"no configuration":  {func(_ *testing.T, m *Machine) { m.ConfigErr = config.ErrAbsent }, "config", Bad, nil},
		"a config for root": {func(_ *testing.T, m *Machine) { m.ConfigErr = fs.ErrPermission }, "config", Unseen, []string{"ask as root"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := aMachine(t)
			test.spoil(t, m)
			all := Examine(t.Context(), m)
			for _, c := range checks {
				got, says := worst(all, c.name)
				want := OK
				if c.name == test.check {
					want = test.want
				}
				if c.name == "scope" && test.check != "scope" { // the key file's, always
					want = Warn
				}
				if got != want {
					t.Errorf("%s is %q, want %q:\n%s", c.name, got, want, says)
				}
				for _, words := range test.says {
					if c.name == test.check && !strings.Contains(says, words) {
						t.Errorf("%s doesn't say %q:\n%s", c.name, words, says)
					}
				}
			}
			for _, f := range all {
				if f.Found == "" || f.Verdict == Bad && f.Do == "" && name != "no configuration" {
					t.Errorf("%+v says too little", f)
				}
			}
		})
	}
}

// Where nothing can be seen nothing is said to be well.
func TestNothingSeenIsNotWell(t *testing.T) {
	m := &Machine{Root: t.TempDir(), ConfigErr: fs.ErrPermission, BoxErr: &control.Error{Code: control.CodeDenied, Text: "you may not", Remedy: "ask as root"},
		Run: func(context.Context, string, ...string) (string, error) { return "", exec.ErrNotFound }}
	for _, f := range Examine(t.Context(), m) {
		if f.Verdict == OK && f.Check != "swap" {
			t.Errorf("%+v", f)
		}
	}
}
