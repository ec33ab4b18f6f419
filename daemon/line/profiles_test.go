package line

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/config"
	simulated "github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/hwtest/wires"
)

// TestProfilesCommandModems tells strict modems what the profiles that come with flattone say, in the profiles' order: through two calls, one of which comes
// in, each with sound, and with nothing left of it after.
func TestProfilesCommandModems(t *testing.T) {
	usr := simulated.Spec{Kind: simulated.V253, Leaves: 0x03, Formats: []wires.Format{{Line: `128,"8-BIT LINEAR",(8000)`, ID: 128, Coding: wires.Unsigned8}}}
	for name, spec := range map[string]simulated.Spec{
		"quectel-ec25": {Kind: simulated.Quectel}, "simcom-sim7600": {Kind: simulated.SIMCom, LatePCM: true}, "huawei": {Kind: simulated.Huawei},
		"v253": {Kind: simulated.V253}, "v253-usr5637": usr,
	} {
		t.Run(name, func(t *testing.T) {
			p := ours(t)[name]
			spec.Echo = true
			synctest.Test(t, func(t *testing.T) {
				m := simulated.New(t, spec)
				at, sound := m.Memory()
				u := &user{t: t, p: p, port: at}
				u.tell(p.Init, p.Optional)
				m.Ring("5551234")
				time.Sleep(time.Second)
				u.call(m, p.Answer)
				u.call(m, []string{strings.Replace(p.Dial, "%s", "5551234", 1)})
				if blames := m.Blames(); len(blames) > 0 {
					t.Errorf("against the rules: %v", blames)
				}
				for _, c := range []io.Closer{at, sound} {
					if c != nil {
						c.Close()
					}
				}
			})
		})
	}
}

// user does what a profile says, without any care for sound.
type user struct {
	t    *testing.T
	p    config.ModemProfile
	port io.ReadWriter
}

// call is a whole call, begun by commands.
func (u *user) call(m *simulated.Modem, begin []string) {
	u.t.Helper()
	u.tell(u.p.Before, u.p.Optional)
	u.tell(begin, nil)
	time.Sleep(4 * time.Second) // until somebody answers
	if active, _ := m.Active(); !active {
		u.t.Fatalf("no call after %v", begin)
	}
	for try := 1; !u.said(u.p.AudioOn); try++ {
		if try == u.p.AudioTries {
			u.t.Fatalf("no sound by %v", u.p.AudioOn)
		}
	}
	if _, flows := m.Active(); !flows {
		u.t.Fatal("no sound flows")
	}
	if u.p.Kind == config.Voice {
		u.said([]string{strings.NewReplacer("<DLE>", "\x10", "<ETX>", "\x03").Replace(u.p.AudioOff[0])})
		u.tell(u.p.HangUp, nil)
	} else {
		u.tell(u.p.HangUp, nil)
		u.tell(u.p.AudioOff, nil)
	}
	if active, flows := m.Active(); active || flows {
		u.t.Fatalf("after the end of a call: call %v, sound %v", active, flows)
	}
	time.Sleep(time.Second)
}

// tell gives commands, all of which are to be taken but for those that may be refused.
func (u *user) tell(commands, optional []string) {
	u.t.Helper()
	for _, c := range commands {
		if !u.said([]string{c}) && !slices.Contains(optional, c) {
			u.t.Fatalf("%s is refused", c)
		}
	}
}

// said gives commands as long as they are taken, and reports whether all were.
func (u *user) said(commands []string) bool {
	u.t.Helper()
	for _, c := range commands {
		end := "\r"
		if c[0] == 0x10 {
			end = ""
		}
		if _, err := io.WriteString(u.port, strings.Replace(c, "%s", "1", 1)+end); err != nil {
			u.t.Fatal(err)
		}
		if !u.ends() {
			return false
		}
	}
	return true
}

// ends waits for the end of an answer.
func (u *user) ends() (ok bool) {
	u.t.Helper()
	var text string
	for late := time.Now().Add(5 * time.Second); time.Now().Before(late); {
		b := make([]byte, 256)
		n, _ := u.port.Read(b) // a time-out looks like an end
		text += string(b[:n])
		switch {
		case strings.Contains(text, "\r\nOK\r\n"), strings.Contains(text, "\r\nCONNECT\r\n"):
			return true
		case strings.Contains(text, "ERROR"):
			return false
		}
	}
	u.t.Fatalf("no end of an answer in %q", text)
	return false
}
