package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/hw/hwtest/pty"
)

// aNewBox is [aSite] with the configuration that a new box has, but for where its files are. Its flattoned is a unit, or somebody's child.
func aNewBox(t *testing.T, unit bool) (b *aBox, dir string) {
	t.Helper()
	b, dir, _ = aSite(t, "true")
	if !unit {
		if err := os.Remove(filepath.Join(dir, "systemctl")); err != nil {
			t.Fatal(err)
		}
	}
	first, err := os.ReadFile("../../packaging/first.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("version = 1\n", "version = 1\nstate_dir = \"state\"\nruntime_dir = \"run\"\n",
		"/run/credentials/flattoned.service/webhook-secret", "webhook.secret").Replace(string(first))
	if err := os.WriteFile(b.config, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	b.settings = cfg.BoxSettings()
	b.reload = func(bool) (control.Reloaded, error) { // as a flattoned that was started with it
		cfg, err := config.Load(b.config)
		if err == nil {
			b.settings = cfg.BoxSettings()
		}
		return control.Reloaded{}, err
	}
	return b, dir
}

// speaks has somebody speak on both sides of a line, a hundred times as fast as he can, until the test is over.
func (b *aBox) speaks(t *testing.T, line string, level float64) {
	go func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-b.watchers:
			case <-time.After(time.Second / perSecond / 100):
				b.Publish(control.Event{Time: then, Kind: control.KindMeters, Line: line, CallerDBm0: level, AgentDBm0: level})
			}
		}
	}()
}

// typing is setup with somebody at its terminal, who leaves where nothing more is to be typed.
func typing(t *testing.T, dir string, script []pty.Turn) (shown string, code int) {
	t.Helper()
	person, program := pty.Open(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var unasked []pty.Turn
	var talking sync.WaitGroup
	talking.Go(func() { shown, unasked = pty.Converse(person, script, leave) })
	tl := &tool{in: program, out: program, errs: program}
	root := tl.rootCommand()
	root.SetArgs([]string{"--socket", filepath.Join(dir, "admin.sock"), "setup"})
	code = tl.explain(root.ExecuteContext(ctx))
	fmt.Fprintln(person) // for whoever still waits for a line: a terminal isn't closed under him
	program.Close()
	talking.Wait()
	if len(unasked) > 0 {
		t.Errorf("nobody asked for %+v, after:\n%s", unasked, shown)
	}
	return shown, code
}

// unwrapped is a text in one line, however it was wrapped.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

// Each conversation ends in the configuration in testdata/setup, which flattone check takes, after every answer that can't be was refused with a reason
// and a remedy. Whoever leaves before he agrees, at whatever question, leaves all as it was.
func TestSetupWritesWhatWasAnswered(t *testing.T) {
	calls, err := filepath.Abs("../../data/calls/visa")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range conversations(calls) {
		t.Run(name, func(t *testing.T) {
			b, dir := aNewBox(t, test.unit)
			for i := range test.script {
				test.script[i][1] = strings.ReplaceAll(test.script[i][1], "DIR", dir)
			}
			b.speaks(t, "line-1", -18)
			before := lies(t, dir)
			for n := range test.script {
				shown, code := typing(t, dir, test.script[:n])
				if code != exitNotYet || !strings.Contains(shown, "nothing was changed") || lies(t, dir) != before {
					t.Fatalf("left at question %d: exit code %d, and then there are %s\n%s", n+1, code, lies(t, dir), shown)
				}
			}
			shown, code := typing(t, dir, test.script)
			for _, want := range test.shows {
				if !strings.Contains(unwrapped(shown), unwrapped(want)) {
					t.Errorf("%q is not in:\n%s", want, shown)
				}
			}
			if code != exitNotYet || test.unit && !strings.Contains(shown, "What you agreed to stays: ") {
				t.Errorf("exit code %d, and at the end:\n%s", code, shown[max(0, len(shown)-600):])
			}
			written, err := os.ReadFile(b.config)
			if err != nil {
				t.Fatal(err)
			}
			if kept, err := os.ReadFile(b.config + ".before"); err != nil || !strings.Contains(before, string(kept)) {
				t.Errorf("the old configuration is not kept: %v", err)
			}
			if _, err := config.Check(b.config, os.Geteuid()); err != nil {
				t.Errorf("flattone check doesn't take it: %v", err)
			}
			golden(t, filepath.Join("testdata/setup", name+".toml"), strings.NewReplacer(dir, "/DIR", calls, "/CALLS").Replace(string(written)))
			for _, file := range test.files {
				if !strings.Contains(lies(t, dir), file) {
					t.Errorf("%q is not among %s", file, lies(t, dir))
				}
			}
			tooWide(t, shown)
		})
	}
}

// What flattoned would refuse to keep isn't written: cards whose key lies beside them, or of a line on whose side others hear them.
func TestSetupRefusesToKeep(t *testing.T) {
	lines := []config.Line{{Name: "one", Profile: "card", Place: config.TrunkSide}, {Name: "two", Profile: "other", Place: config.DeskSide}}
	for kind, fits := range map[string]bool{control.KeyTPM: true, control.KeyHSM: true, "custodians": true, control.KeyFile: false, control.KeyHost: false, control.KeyCredential: false} {
		s := &setup{cfg: &config.Config{Lines: lines}, line: "one", keyKind: kind}
		if err := s.mayStore("card"); (err == nil) != fits {
			t.Errorf("with its key by %s: %v", kind, err)
		}
	}
	s := &setup{cfg: &config.Config{Lines: lines}, line: "one", keyKind: control.KeyTPM}
	if err := s.mayStore("other"); err == nil || !strings.Contains(err.Error(), "line two is desk-side") {
		t.Errorf("on a desk-side line: %v", err)
	}
	if s.cfg.Vault.DeskSide = true; s.mayStore("other") != nil {
		t.Error("where desk-side cards may be kept, one isn't")
	}
	if others := s.others("other"); len(others) != 1 || others[0] != "two" {
		t.Errorf("the other lines of the profile are %q", others)
	}
}

// lies is all that lies in a folder, but for what belongs to the test.
func lies(t *testing.T, dir string) (all string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && filepath.Base(file) != "asked" {
			all += file + ":\n" + string(content) + "\n"
		}
	}
	return all
}

// A box that was set up is asked about anew: Enter leaves everything as it is, and another line leaves the first as it is.
func TestSetupAgain(t *testing.T) {
	b, dir := aNewBox(t, false)
	example, err := os.ReadFile("../../configs/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse(b.config, example)
	if err != nil {
		t.Fatal(err)
	}
	cfg.StateDir, cfg.RuntimeDir, cfg.Lines = filepath.Join(dir, "state"), filepath.Join(dir, "run"), cfg.Lines[2:] // those of devices
	cfg.Gateways["bank"].ISO8583.TLS.CAFile = ""
	for _, secret := range []string{cfg.Gateways["shop"].Stripe.SecretFile, cfg.Gateways["acme"].Template.SecretFile} {
		if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(b.config, cfg.Text(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.settings = cfg.BoxSettings()
	b.speaks(t, "mobile-1", -12)
	last := []pty.Turn{{"Keep [1]", ""}, {"Address of the receiver [https://orders", ""}, {"The receiver's secret [keep]", ""}, {"Auditor [olga]", "root"}}
	shown, _ := typing(t, dir, append([]pty.Turn{{"Name of the line [desk-2]", "mobile-1"}, {"Place [1]", ""}, {"Made of [1]", ""},
		{"The caller's side [/dev/serial/by-path/", ""}, {"The agent's side [1]", "5"}}, append(last, pty.Turn{"Go on?", "y"})...))
	changed, err := config.Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	mobile, _ := changed.Line("mobile-1")
	was, _ := cfg.Line("mobile-1")
	was.Sound.Agent, was.Sound.DeviceRate = "default", 0
	if changed.Settings("desk-2") != cfg.Settings("desk-2") || fmt.Sprint(mobile.CallerModem, *mobile.Sound, mobile.AgentKeys) != fmt.Sprint(was.CallerModem, *was.Sound, was.AgentKeys) {
		t.Errorf("the lines are %+v\n%s", changed.Lines, shown)
	}
	if fmt.Sprint(changed.Roles.Technician, changed.Roles.Auditor, changed.Roles.Custodian) != fmt.Sprint(cfg.Roles.Technician, []string{"root"}, cfg.Roles.Custodian) {
		t.Errorf("the roles are %+v", changed.Roles)
	}
	b.settings = changed.BoxSettings()
	last[3] = pty.Turn{"Auditor [root]", ""}
	shown, _ = typing(t, dir, append([]pty.Turn{{"Name of the line [desk-2]", "mobile-1"}, {"Place", ""}, {"Made of", ""}, {"The caller's side", ""}, {"The agent's side [5]", ""}}, last...))
	if !strings.Contains(shown, wordsNothingToDo) {
		t.Errorf("Enter alone changed something:\n%s", shown)
	}
}

// Recordings that are called otherwise than setup would call them stay, where Enter says so.
func TestSetupKeepsRecordings(t *testing.T) {
	b, dir, _ := aSite(t, "true")
	if err := os.Remove(filepath.Join(dir, "systemctl")); err != nil {
		t.Fatal(err)
	}
	was, err := config.Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	b.reload = func(bool) (control.Reloaded, error) { return control.Reloaded{}, nil }
	typing(t, dir, []pty.Turn{{"Name of the line [demo]", ""}, {"Place [1]", ""}, {"Made of [2]", ""}, {"Folder of the recordings [/", ""}, {"Folder for what is heard [/", ""},
		{"Keep [1]", ""}, {"Address of the receiver [http", ""}, {"The receiver's secret", ""}, {"Auditor", ""}, {"Go on?", "y"}})
	now, err := config.Load(b.config)
	if err != nil || now.Settings("demo") != was.Settings("demo") || now.BoxSettings() != was.BoxSettings() {
		t.Errorf("it is otherwise: %+v, %v", now, err)
	}
}

// After the levels comes the tuning, which is tried again where it was in vain, and then the rehearsal.
func TestSetupEndsWithARehearsal(t *testing.T) {
	b, dir := aNewBox(t, true)
	b.speaks(t, "demo", -18)
	b.tuning = "refused once"
	go func() {
		for line := range b.armed {
			for _, e := range aCapture(line, "test_cap_1") {
				if e.Test = true; e.Kind != control.KindToken && e.Kind != control.KindDelivery {
					b.Publish(e)
				}
			}
		}
	}()
	script := []pty.Turn{{"Name of the line", "demo"}, {"Take line-1 out?", ""}, {"Place", "1"}, {"Made of", ""}, {"The caller's side", ""}, {"The agent's side", "5"}, {"The caller's side", ""}, {"The agent's side [4]", ""}, {"Calls told by", "2"},
		{"Keep [1]", ""}, {"Address of the receiver", ""}, {"Auditor", ""}, {"Go on?", "y"}, {"Look again? [y/N]", ""}, {"Tune it now? [Y/n]", ""}, {"Try again? [y/N]", "y"}, {"Rehearse now? [Y/n]", ""}}
	shown, code := typing(t, dir, script)
	for _, want := range []string{"PCH and default have no rate in common", "> Press eight keys on the caller's telephone", "demo: REFUSED", "line demo takes no card as it is", "put right what is marked !", "demo: ACCEPTED",
		"TEST demo: armed for a rehearsal", "TEST complete", "Visa ending in 4242", "Line demo is set up"} {
		if !strings.Contains(unwrapped(shown), want) {
			t.Errorf("%q is not in:\n%s", want, shown)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// A line's unit sees no folder of people's: recordings in one are refused before the line is.
func TestSetupRefusesWhatUnitsDontSee(t *testing.T) {
	_, dir := aNewBox(t, true)
	shown, _ := typing(t, dir, []pty.Turn{{"Name of the line", ""}, {"Place", ""}, {"Made of", "2"}, {"Folder of the recordings", "/root/calls"}})
	for _, want := range []string{"/root/calls is in /root, which systemd keeps from lines", "copy the folder to /srv"} {
		if !strings.Contains(unwrapped(shown), want) {
			t.Errorf("%q is not in:\n%s", want, shown)
		}
	}
}

// What isn't a person is told so, and so is whom the configuration isn't his to change.
func TestSetupWantsAPerson(t *testing.T) {
	_, _, run := aSite(t, "true")
	if code, said := run("setup"); code != exitUsage || !strings.Contains(said, "nobody to ask") || !strings.Contains(said, "flattone apply") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestLevelsAreJudged(t *testing.T) {
	for _, test := range []struct {
		loudest float64
		code    string
		what    string
		remedy  string
	}{
		{-18, "", "well: -18 dBm0", ""},
		{-30, "", "well", ""},
		{-59, "", "too quiet", "turn its capture level up"},
		{-61, "", "nothing but noise", "does somebody speak there?"},
		{-31, "", "too quiet: -31 dBm0 at the loudest, keys need -30", "turn its capture level up"},
		{1, "", "too loud: 1 dBm0, and 0 is the most", "turn its capture level down"},
		{-18, "input_clips", reason("input_clips"), "turn its capture level down"},
		{-18, "input_dead", "nothing but noise comes in", "Is the plug in the right socket"},
		{math.Inf(-1), "", "nothing but noise comes in", "Is the plug in the right socket"},
	} {
		what, remedy := levelOf("agent", test.loudest, test.code)
		if !strings.Contains(what, test.what) || !strings.Contains(remedy, test.remedy) || (remedy == "") != (test.remedy == "") {
			t.Errorf("%v %s: %s; %s", test.loudest, test.code, what, remedy)
		}
	}
}

// golden compares a text with a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is otherwise:\n%s", file, got)
	}
}

var long = regexp.MustCompile(`/[^ ]{40,}`) // the folders of a test

func tooWide(t *testing.T, shown string) {
	t.Helper()
	for line := range strings.Lines(shown) {
		if line = strings.TrimSuffix(line, "\n"); len([]rune(line)) > pageWidth && !long.MatchString(line) && !strings.Contains(line, " = [") {
			t.Errorf("wider than a terminal: %s", line)
		}
	}
}
