package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// TestModemsAreProbed is what an installer does with a modem that he has just plugged in: he asks each of its ports, and is told what to write.
func TestModemsAreProbed(t *testing.T) {
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{"../data/calls/visa"}, Pace: 1, WaitArmed: true}}})
	r.start(t)
	probe := func(ok bool, port string) string {
		t.Helper()
		out, err := r.Tool(t.Context(), "modem", "probe", port).CombinedOutput()
		if (err == nil) != ok {
			t.Fatalf("%s: %v\n%s", port, err, out)
		}
		return strings.Join(strings.Fields(string(out)), " ") // however it is wrapped
	}
	for kind, profile := range map[modem.Kind]string{
		modem.Quectel: "quectel-ec25", modem.SIMCom: "simcom-sim7600", modem.Huawei: "huawei", modem.V253: "v253",
	} {
		m := modem.New(t, modem.Spec{Kind: kind, Echo: true, Split: true})
		commands, sound := m.TTYs()
		commands = deviceOf(t, commands)
		said := probe(true, commands)
		says(t, said, `[line.caller_modem] profile = "`+profile+`" port = "`+commands+`"`)
		if strings.Contains(said, "sound_port") != (sound != "") {
			t.Errorf("%v: %s", kind, said)
		}
		if sound != "" {
			says(t, probe(false, deviceOf(t, sound)), "nobody answers there", "hint: see what flattone-line --answer")
		}
		if blames := m.Blames(); len(blames) > 0 {
			t.Errorf("%v was asked against the rules: %v", kind, blames)
		}
	}
	says(t, probe(false, "/dev/null"), "/dev/null")
}

// deviceOf is the terminal that a port of the double's leads to: only what is in /dev may be asked.
func deviceOf(t *testing.T, port string) string {
	t.Helper()
	device, err := filepath.EvalSymlinks(port)
	if err != nil {
		t.Fatal(err)
	}
	return device
}
