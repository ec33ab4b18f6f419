package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/configs"
)

func TestBadModemProfiles(t *testing.T) {
	golden(t, "testdata/modems/*.toml", "modem.toml", func(name string, doc []byte) error {
		_, err := parseModem(name, doc)
		return err
	})
}

// live is the small file with other tables in the place of its recordings.
func live(tables string) []byte {
	before, _, _ := strings.Cut(small, "[line.wav]")
	return []byte(before + tables)
}

// A line has a modem on either side, or on both.
func TestModemLines(t *testing.T) {
	for tables, want := range map[string]struct {
		caller, agent Modem // but for their profiles
		sound         *Sound
		calls         Source
	}{
		"[line.caller_modem]\nprofile = \"quectel-ec25\"\n[line.sound]\nagent = \"headset\"\n": {
			caller: Modem{Name: "quectel-ec25"}, sound: &Sound{Agent: "headset", CallerChannel: 1, AgentChannel: 1}, calls: SourceModem},
		"[line.sound]\ncaller = \"trunk\"\ngain_to_caller_db = 3\n[line.agent_modem]\nprofile = \"v253\"\nport = \"/dev/ttyACM0\"\n[line.calls]\nsource = \"api\"\n": {
			agent: Modem{Name: "v253", Port: "/dev/ttyACM0"}, sound: &Sound{Caller: "trunk", CallerChannel: 1, AgentChannel: 1, GainToCallerDB: 3}, calls: SourceAPI},
		"[line.caller_modem]\nprofile = \"huawei\"\nport = \"/dev/ttyUSB2\"\nsound_port = \"/dev/ttyUSB1\"\n[line.agent_modem]\nprofile = \"huawei\"\n": {
			caller: Modem{Name: "huawei", Port: "/dev/ttyUSB2", SoundPort: "/dev/ttyUSB1"}, agent: Modem{Name: "huawei"}, calls: SourceModem},
	} {
		c, err := Parse("/x/f.toml", live(tables))
		if err != nil {
			t.Error(err)
			continue
		}
		l := c.Lines[0]
		if !l.Live() || l.Calls.Source != want.calls || !l.Calls.Trusted() || !reflect.DeepEqual(l.Sound, want.sound) {
			t.Errorf("%s: got %+v", tables, l)
		}
		for _, side := range []struct {
			got  *Modem
			want Modem
		}{{l.CallerModem, want.caller}, {l.AgentModem, want.agent}} {
			switch {
			case side.got == nil && side.want.Name == "":
			case side.got == nil || side.got.Profile.Make == "":
				t.Errorf("%s: a modem without a profile: %+v", tables, side.got)
			default:
				got := *side.got
				got.Profile = ModemProfile{}
				if !reflect.DeepEqual(got, side.want) {
					t.Errorf("%s: got %+v, want %+v", tables, got, side.want)
				}
			}
		}
	}
}

// The owner of a line to a mobile network is told of a look-ahead that is too short for its codecs.
func TestMobileLookAhead(t *testing.T) {
	for modem, warned := range map[string]bool{"simcom-sim7600": true, "v253": false} {
		for ms, short := range map[string]bool{"20": true, "30": false} {
			doc := strings.Replace(string(live("[line.caller_modem]\nprofile = \""+modem+"\"\n[line.sound]\nagent = \"h\"\n")), "place =", "lookahead_ms = "+ms+"\nplace =", 1)
			c, err := Parse("/x/f.toml", []byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(c.Lines[0].Consequences()) == 1; got != (warned && short) {
				t.Errorf("%s at %s ms: %v", modem, ms, c.Lines[0].Consequences())
			}
		}
	}
}

func TestAgentKeysOfAModemLine(t *testing.T) {
	c, err := Parse("/x/f.toml", live("agent_keys = { start = \"*#1\", answer = \"*5\", hang_up = \"*0\" }\n[line.caller_modem]\nprofile = \"v253\"\n[line.sound]\nagent = \"h\"\n"))
	if want := (AgentKeys{Start: "*#1", Answer: "*5", HangUp: "*0"}); err != nil || c.Lines[0].AgentKeys != want {
		t.Errorf("got %+v, %v", c, err)
	}
}

// Each make's commands stand in the order in which its modems want them.
func TestModemProfilesThatCome(t *testing.T) {
	all, err := ModemProfiles("/x/f.toml")
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string][]string{
		"quectel-ec25":   {"AT+QPCMV=0", "AT+QPCMV=1,0", "ATA"},
		"simcom-sim7600": {"ATA", "AT+CPCMREG=1", "AT+CHUP", "AT+CPCMREG=0,1"},
		"huawei":         {"ATA", "AT^DDSETEX=2"},
		"v253":           {"AT+FCLASS=8", "AT+VSM=?", "AT+VSM=%s,8000,0,0", "AT+VSD=128,0", "AT+VIT=0", "AT+VLS=1", "AT+VTR", "<DLE>^", "AT+VLS=0"},
		"v253-usr5637":   {"AT+FCLASS=8", "AT+VSM=?", "AT+VSM=128,8000", "AT+VLS=1", "AT+VTR", "<DLE><ETX>", "AT+VLS=0"},
	} {
		p, ok := all[name]
		if !ok || len(p.Fits) == 0 || len(p.USB) == 0 {
			t.Errorf("%s: %+v", name, p)
			continue
		}
		leave := slices.Concat(p.HangUp, p.AudioOff)
		if p.Kind == Voice { // its sound must end before it hears a command
			leave = slices.Concat(p.AudioOff, p.HangUp)
		}
		told := slices.Concat(p.Before, p.Answer, p.AudioOn, leave)
		for _, c := range told {
			if len(call) > 0 && c == call[0] {
				call = call[1:]
			}
		}
		if len(call) > 0 {
			t.Errorf("%s: %v comes too early, or never, in %v", name, call[0], told)
		}
	}
	if len(all) != 5 {
		t.Errorf("%d profiles are not looked at", len(all)-5)
	}
}

// A profile beside the configuration comes before the one of its name, and others join them.
func TestModemProfilesOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "flattone.toml"), filepath.Join(dir, ModemsName)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	huawei, err := configs.Modems.ReadFile("modems/huawei.toml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, doc string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("huawei.toml", "frame_ms = 40\n"+string(huawei))
	write("of-my-own.toml", string(huawei))
	doc := live("[line.caller_modem]\nprofile = \"huawei\"\n[line.agent_modem]\nprofile = \"of-my-own\"\n")
	c, err := Parse(file, doc)
	if err != nil {
		t.Fatal(err)
	}
	if caller, agent := c.Lines[0].CallerModem.Profile, c.Lines[0].AgentModem.Profile; caller.Frame != 40*time.Millisecond || agent.Frame != 20*time.Millisecond {
		t.Errorf("got %+v and %+v", caller, agent)
	}
	before, _ := c.Lines[0].Fingerprint(nil)

	write("huawei.toml", "audio_tries = 2\n"+string(huawei))
	if c, err = Parse(file, doc); err != nil {
		t.Fatal(err)
	}
	if after, _ := c.Lines[0].Fingerprint(nil); after == before {
		t.Error("a line whose modem is told something else is taken for the same")
	}

	write("huawei.toml", "audio_tries = 20\nbaude = 9600\n"+string(huawei))
	_, err = Parse(file, doc)
	faults, _ := errors.AsType[Faults](err)
	if len(faults) != 2 || faults[0].File != filepath.Join(folder, "huawei.toml") || faults[1].Line != 2 {
		t.Errorf("got %v", err)
	}
	if _, err := ModemProfiles(file); err == nil || err.Error() != faults.Error() {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(folder, "huawei.toml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "huawei.toml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(file, doc); err == nil || !strings.Contains(err.Error(), "can't be read") {
		t.Errorf("got %v", err)
	}
}

func TestModemDraft(t *testing.T) {
	p, err := parseModem("m.toml", []byte(ModemDraft(`ACME "One" $1`)))
	if err != nil || p.Make != `ACME "One" $1` || len(p.Fits)+len(p.USB) > 0 || len(p.Says.Ring) == 0 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// The first of the profiles is the manual of all.
func TestModemProfileNamesEveryKey(t *testing.T) {
	doc, err := configs.Modems.ReadFile("modems/quectel-ec25.toml")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{known: map[string][]string{}}
	p := modemDefaults()
	(&table{r: r, used: map[string]bool{}, values: map[string]any{"fits": []any{map[string]any{}}, "usb": []any{map[string]any{}}}}).modemProfile(&p)
	keys := 0
	for _, known := range r.known {
		for _, key := range known {
			keys++
			if !bytes.Contains(doc, []byte("\n"+key+" = ")) && !bytes.Contains(doc, []byte("\n# "+key+" = ")) && !bytes.Contains(doc, []byte("["+key+"]")) {
				t.Errorf("configs/modems/quectel-ec25.toml doesn't explain %s", key)
			}
		}
	}
	if keys < 25 {
		t.Errorf("only %d keys looked for", keys)
	}
}
