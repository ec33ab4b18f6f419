package qemu

import (
	"io"
	"net"
	"os"
	"strings"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// plug joins a modem to one of the machine's serial ports.
func (m *machine) plug(kind modem.Kind, port string) *modem.Modem {
	m.T.Helper()
	md := modem.New(m.T, modem.Spec{Kind: kind, Echo: true})
	at, _ := md.TTYs()
	terminal, err := os.OpenFile(at, os.O_RDWR, 0)
	if err != nil {
		m.T.Fatal(err)
	}
	conn, err := net.Dial("unix", m.at(port+".sock"))
	if err != nil {
		m.T.Fatal(err)
	}
	m.T.Cleanup(func() { terminal.Close(); conn.Close() })
	go io.Copy(terminal, conn)
	go io.Copy(conn, terminal)
	return md
}

// probe: somebody asks what is at a serial port, and the probe's unit is let in there and says.
func probe(m *machine) {
	m.plug(modem.Quectel, "ttyS2")
	out := m.RunAs(shell.Ann, "flattone", "modem", "probe", "/dev/ttyS2")
	if !strings.Contains(out, `profile = "quectel-ec25"`) {
		m.T.Errorf("the modem is not known for what it is:\n%s", out)
	}
}

// voiceModem: a caller comes in by a voice modem at a serial port, whose sound goes through it as well. His card is in the vault, and in what the agent's card was
// given our own detector finds no key.
func voiceModem(m *machine) {
	t := m.T
	md := m.plug(modem.V253, "ttyS1")
	soon(t, "the line has its modem", func() bool { l := m.Line("modem"); return l.Up && len(l.Barred) == 0 })
	md.Ring("5550100")
	soon(t, "the call is answered", func() bool { _, code := m.Try(shell.Ann, "flattone", "call", "answer", "modem"); return code == 0 })
	soon(t, "the call has begun", func() bool { return m.Line("modem").InCall })
	m.RunAs(shell.Ann, "flattone", "arm", "modem")
	stop := m.plays("Headset", m.said("visa", "agent"))
	caller := m.said("visa", "caller")
	md.Say(caller)
	m.delivers("modem")
	md.HangUp()
	soon(t, "the call is over", func() bool { l := m.Line("modem"); return !l.InCall && l.State == control.StateIdle })
	if blames := md.Blames(); len(blames) > 0 {
		t.Errorf("the modem was told what it can't be: %v", blames)
	}
	m.listen(caller, stop()[0])
}
