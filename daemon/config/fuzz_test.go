package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse asks that whatever is in a file, the answer is either a Config that keeps its promises, and that is the same once it was written, or faults
// that can be shown.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../configs/example.toml", "../../configs/demo.toml") {
		doc, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Add([]byte("version = 1\nline = [{wav.pace = 1}]\n[[profile]]\n[profile.x.y]\n"))
	f.Add(live("[line.caller_modem]\nprofile = \"v253\"\n[line.agent_modem]\nprofile = \"huawei\"\n"))
	f.Add([]byte("version = 1\n\"a\\nb\" = 1\n"))
	f.Add([]byte("\"a\\nb\" = 1\n\"a\\nb\" = 1\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := Parse("/x/f.toml", doc)
		if err != nil {
			showable(t, err)
			return
		}
		if len(c.Lines) == 0 || roots(c.Vault) != 1 || !told(c.Upstream) {
			t.Error("something is missing that must be there")
		}
		for _, l := range c.Lines {
			p, ok := c.Profiles[l.Profile]
			if !ok || len(p.Fields) == 0 || len(p.Brands) == 0 || p.KeyWarning >= p.KeyTimeout {
				t.Errorf("line %q has no sound profile", l.Name)
			}
			if !l.Rate.Supported() || l.Scope() == "" {
				t.Errorf("line %q can't run", l.Name)
			}
			for _, number := range l.EmergencyNumbers {
				if len(number) < 2 || len(number) > 8 || strings.Trim(number, "0123456789") != "" {
					t.Errorf("line %q can't be dialled %q on", l.Name, number)
				}
			}
			if len(l.EmergencyNumbers) == 0 {
				t.Errorf("line %q heeds no emergency number", l.Name)
			}
			recordings := len(l.WAV.CallerIn) > 0 && len(l.WAV.CallerIn) == len(l.WAV.AgentIn)
			caller := l.CallerModem != nil && l.CallerModem.Profile.Dial != "" || l.Sound != nil && l.Sound.Caller != ""
			agent := l.AgentModem != nil && l.AgentModem.Profile.Dial != "" || l.Sound != nil && l.Sound.Agent != ""
			if recordings == (caller && agent) || l.Live() == recordings {
				t.Errorf("line %q is made of nothing, or of two things", l.Name)
			}
		}
		sameAgain(t, c)
	})
}

// FuzzDevices asks the same of the adopted devices, and that what was read is the same once it was written.
func FuzzDevices(f *testing.F) {
	doc, err := os.ReadFile("testdata/devices/everything.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte("version = 1\n[device.a]\nplace = \"p\"\nserial = \"\\u0001\"\n"))
	f.Add([]byte("version = 1\ndevice = []\n"))
	path := filepath.Join(f.TempDir(), DevicesName)
	f.Fuzz(func(t *testing.T, doc []byte) {
		devices, err := parseDevices("d.toml", doc)
		if err != nil {
			showable(t, err)
			return
		}
		if err := devices.Write(path); err != nil {
			t.Fatal(err)
		}
		if again, err := LoadDevices(path); err != nil || !reflect.DeepEqual(again, devices) {
			t.Errorf("%v is read as %v, %v", devices, again, err)
		}
	})
}

// FuzzModem asks the same of modems' profiles.
func FuzzModem(f *testing.F) {
	files, err := filepath.Glob("testdata/modems/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	ours, err := filepath.Glob("../../configs/modems/*.toml")
	if err != nil || len(ours) == 0 {
		f.Fatal(err)
	}
	for _, file := range append(files, ours...) {
		doc, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, err := parseModem("m.toml", doc)
		if err == nil {
			if p.Make == "" || len(p.Init) == 0 || len(p.Answer) == 0 || len(p.HangUp) == 0 || strings.Count(p.Dial, "%s") != 1 || len(p.Says.Ring) == 0 {
				t.Errorf("something is missing that must be there: %+v", p)
			}
			return
		}
		showable(t, err)
	})
}

// showable: an error is faults, of which each has a line with a reason and a remedy.
func showable(t *testing.T, err error) {
	t.Helper()
	var faults Faults
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("not faults: %v", err)
	}
	for _, fault := range faults {
		if text := fault.Error(); fault.Reason == "" || fault.Remedy == "" || strings.Contains(text, "\n") {
			t.Errorf("a fault that can't be shown: %q", text)
		}
	}
}

// roots counts what the vault's key is to come from.
func roots(v Vault) (n int) {
	for _, root := range []string{v.KeyFile, v.Credential, v.TPM.File, v.HSM.Module} {
		if root != "" {
			n++
		}
	}
	if v.Custodians {
		n++
	}
	return n
}

// told reports whether there is somebody upstream, and each can be reached.
func told(all Upstream) bool {
	for _, d := range all {
		hook := d.Kind == KindWebhook && d.Webhook.URL != "" && d.Webhook.SecretFile != ""
		if stream := d.Kind == KindJetStream && len(d.JetStream.URLs) > 0 && d.JetStream.Stream != ""; hook == stream {
			return false
		}
	}
	return len(all) > 0
}
