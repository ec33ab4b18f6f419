// Package systemd is the units: what systemd runs of the box, as whom, and what it keeps from them. There is no code here, only what holds
// the units to systemd's own judgement, to one another, and to the names that the programs know.
package systemd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
)

// TestExposure is systemd's judgement of what a unit could do to the machine: 0 is nothing, 9.6 a unit that says nothing. Beside ours:
// systemd-resolved 2.2, chrony 3.7, rtpengine 9.3.
func TestExposure(t *testing.T) {
	for name, most := range map[string]float64{"flattoned.service": 1.3, "flattone-line@line.service": 1.6, "flattone-probe@1.service": 1.6, "flattone-desk.service": 1.3} {
		out := systemd(t, "systemd-analyze", "security", "--offline=true", "--no-pager", name)
		found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		if found == nil {
			t.Fatalf("no exposure of %s in:\n%s", name, out)
		}
		got, err := strconv.ParseFloat(string(found[1]), 64)
		if t.Logf("%s: %v", name, got); err != nil || got > most {
			t.Errorf("%s is exposed by %v, and %v is the bound:\n%s", name, got, most, out)
		}
	}
}

// TestTPM: who lets flattoned at the TPM gives it nothing else.
func TestTPM(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"flattoned.service", "flattoned.service.d/10-sandbox.conf", "tpm.conf"} {
		to := file
		if file == "tpm.conf" {
			to = "flattoned.service.d/20-tpm.conf"
		}
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(to)), 0o755), os.WriteFile(filepath.Join(dir, to), []byte(content(t, file)), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var checks []struct {
		Field string `json:"json_field"`
		Name  string
		Set   bool
	}
	cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--json=short", "./flattoned.service")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: install systemd", err)
	}
	before := systemd(t, "systemd-analyze", "security", "--offline=true", "--json=short", "flattoned.service")
	lost := func(report []byte) (names []string) {
		checks = nil
		if err := json.Unmarshal(report, &checks); err != nil {
			t.Fatal(err)
		}
		for _, c := range checks {
			if !c.Set {
				names = append(names, c.Name)
			}
		}
		return names
	}
	was := lost(before)
	more := slices.DeleteFunc(lost(out), func(name string) bool { return slices.Contains(was, name) })
	slices.Sort(more)
	if want := []string{"PrivateDevices=", "SupplementaryGroups="}; !slices.Equal(more, want) {
		t.Errorf("it gives away %q, and should give away %q", more, want)
	}
}

// TestLinesMayAskForPriority: what 10-sandbox.conf takes away, 20-system-calls.conf gives back, because systemd reads it later.
func TestLinesMayAskForPriority(t *testing.T) {
	for name, may := range map[string]bool{"flattone-line@line.service": true, "flattone-probe@1.service": false} {
		var checks []struct {
			Name string
			Set  bool // nothing of the kind is allowed
		}
		if err := json.Unmarshal(systemd(t, "systemd-analyze", "security", "--offline=true", "--json=short", name), &checks); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range checks {
			if c.Name == "SystemCallFilter=~@resources" {
				if found = true; c.Set == may {
					t.Errorf("%s may ask for priority: %t, and should be %t", name, !c.Set, may)
				}
			}
		}
		if !found {
			t.Errorf("systemd-analyze says nothing of %s and its resources", name)
		}
	}
}

// notInstalled is what systemd has against units whose programs aren't on this machine.
var notInstalled = regexp.MustCompile(`(?m)^.*: Command /usr/bin/(flattoned|flattone-line|flattone-desk) is not executable: .*\n`)

// TestSystemdTakesThem: no key that it doesn't know, no unit that it can't load.
func TestSystemdTakesThem(t *testing.T) {
	for name := range read(t) {
		cmd := exec.Command("systemd-analyze", "verify", "--man=no", "./"+strings.Replace(name, "@.", "@x.", 1))
		out, err := cmd.CombinedOutput()
		if _, ended := err.(*exec.ExitError); err != nil && !ended {
			t.Fatalf("%v: install systemd", err)
		}
		if left := notInstalled.ReplaceAll(out, nil); len(left) > 0 {
			t.Errorf("%s: %s", name, left)
		}
	}
}

// lists are the keys that may stand in a unit more than once, because each adds to the others.
var lists = []string{"SystemCallFilter", "DeviceAllow", "ReadWritePaths", "LoadCredential", "LoadCredentialEncrypted"}

// TestNothingIsSaidTwice, which is how two places come to differ.
func TestNothingIsSaidTwice(t *testing.T) {
	for name, u := range read(t) {
		seen := map[string]bool{}
		for _, s := range u {
			id := s.section + s.key
			if slices.Contains(lists, s.key) {
				id += s.value
			}
			if seen[id] {
				t.Errorf("%s says %s twice", name, s.key)
			}
			seen[id] = true
		}
	}
}

// TestNothingPrintsMemory: no core, no stack of Go's, no page on a disk.
func TestNothingPrintsMemory(t *testing.T) {
	for name, u := range read(t) {
		if filepath.Ext(name) != ".service" {
			continue
		}
		u.is(t, name, "LimitCORE", "0")
		u.is(t, name, "MemorySwapMax", "0")
		u.is(t, name, "Environment", "GOTRACEBACK=none")
		if calls := strings.Fields(strings.Join(u.all("SystemCallFilter"), " ")); !slices.Contains(calls, "memfd_secret") || !slices.Contains(calls, "mlock") {
			t.Errorf("%s may not hide what is secret: it may call %v", name, calls)
		}
		if len(u.all("WatchdogSec")) > 0 {
			u.is(t, name, "WatchdogSignal", "SIGKILL")
		}
	}
}

// TestNamesAreThePrograms holds units, users, folders and sockets to what the programs believe, by the configuration that a new box has.
func TestNamesAreThePrograms(t *testing.T) {
	const file = "/etc/flattone/flattone.toml"
	first, err := os.ReadFile("../packaging/first.toml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse(file, first)
	if err != nil {
		t.Fatalf("a new box would not start: %v", err)
	}
	units := read(t)
	daemon, line, probe := units["flattoned.service"], units["flattone-line@.service"], units["flattone-probe@.service"]
	units["flattoned.socket"].is(t, "flattoned.socket", "ListenStream", cfg.AdminSocket())
	units["flattone-probe.socket"].is(t, "flattone-probe.socket", "ListenStream", filepath.Join(cfg.RuntimeDir, "probe.sock"))
	daemon.is(t, "flattoned", "ExecStart", "/usr/bin/flattoned --config "+file)
	daemon.is(t, "flattoned", "StateDirectory", strings.TrimPrefix(cfg.StateDir, "/var/lib/"))
	daemon.is(t, "flattoned", "RuntimeDirectory", strings.TrimPrefix(cfg.RuntimeDir, "/run/"))
	line.is(t, "line", "ExecStart", "/usr/bin/flattone-line --config "+file+" --line %i")
	probe.is(t, "probe", "ExecStart", "/usr/bin/flattone-line --config "+file+" --answer")

	folders := content(t, "flattone.tmpfiles")
	for _, want := range []string{
		fmt.Sprintf(`d %s +%s flattone +flattone`, cfg.RuntimeDir, daemon.all("RuntimeDirectoryMode")[0]),
		fmt.Sprintf(`d %s/armed +0700 flattone-line flattone-line`, cfg.RuntimeDir),
		fmt.Sprintf(`d %s/devices +0700 flattone-line flattone-line`, cfg.RuntimeDir),
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(folders) {
			t.Errorf("flattone.tmpfiles doesn't say %q", want)
		}
	}
	if !strings.Contains(content(t, "../configs/example.toml"), cfg.RuntimeDir+"/metrics/metrics.sock") || !strings.Contains(folders, cfg.RuntimeDir+"/metrics 2711 ") {
		t.Error("the socket of metrics that configs/example.toml names isn't in the folder that gives it its group")
	}
	for _, name := range []string{"armed", "devices"} {
		if !slices.Contains(line.all("ReadWritePaths"), filepath.Join(cfg.RuntimeDir, name)) {
			t.Errorf("a line can't write to %s/%s", cfg.RuntimeDir, name)
		}
	}
	priority := regexp.MustCompile(`realTimePriority = (\d+)`).FindStringSubmatch(content(t, "../daemon/host/realtime.go"))
	if priority == nil {
		t.Fatal("daemon/host doesn't say which priority it asks for")
	}
	line.is(t, "line", "LimitRTPRIO", priority[1])
}

// TestUsersAreMade: systemd makes the users, and no unit names another.
func TestUsersAreMade(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs("flattone.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	systemd(t, "systemd-sysusers", "--root="+root, file)
	users, groups := content(t, filepath.Join(root, "etc/passwd")), content(t, filepath.Join(root, "etc/group"))
	made := func(list, name string) bool { return strings.Contains("\n"+list, "\n"+name+":") }
	for name, u := range read(t) {
		for _, user := range append(u.all("User"), u.all("SocketUser")...) {
			if !made(users, user) {
				t.Errorf("%s: nobody makes the user %s", name, user)
			}
		}
		groupsOf := append(u.all("Group"), u.all("SocketGroup")...)
		for _, list := range u.all("SupplementaryGroups") {
			groupsOf = append(groupsOf, strings.Fields(list)...)
		}
		for _, group := range groupsOf {
			if !made(groups, group) && group != "audio" && group != "dialout" { // which Debian has
				t.Errorf("%s: nobody makes the group %s", name, group)
			}
		}
	}
}

// systemd runs one of systemd's tools on the units here.
func systemd(t *testing.T, args ...string) []byte {
	t.Helper()
	last := len(args) - 1
	if filepath.Ext(args[last]) == ".service" {
		args[last] = "./" + args[last]
	}
	var said bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", args, err, &said)
	}
	return out
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
