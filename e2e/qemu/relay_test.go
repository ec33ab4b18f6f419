package qemu

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
)

// switching is a moment in which the adapter of the relay was told to put RTS on or off.
type switching struct {
	at time.Time
	on bool
}

// told is what QEMU's adapter, an FTDI, notes of what it is told: request 1 of the vendor, whose value's upper byte says which outputs are meant (RTS is 2), and
// whose lower one how they are to be.
var told = regexp.MustCompile(`@(\d+)\.(\d+):usb_serial_handle_control .* got control 0x4001, value 0x([0-9a-f]+)`)

// rts is all that the adapter was told of RTS, as far as it changed it.
func (m *machine) rts() (all []switching) {
	m.T.Helper()
	for line := range strings.Lines(string(shell.Read(m.T, m.at("trace")))) {
		found := told.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		seconds, _ := strconv.ParseInt(found[1], 10, 64)
		us, _ := strconv.ParseInt(found[2], 10, 64)
		value, _ := strconv.ParseUint(found[3], 16, 16)
		on := value&2 != 0
		if value&0x200 != 0 && (len(all) == 0 && on || len(all) > 0 && all[len(all)-1].on != on) {
			all = append(all, switching{time.Unix(seconds, us*1000), on})
		}
	}
	return all
}

// energised reports whether RTS is on.
func (m *machine) energised() bool {
	m.T.Helper()
	all := m.rts()
	return len(all) > 0 && all[len(all)-1].on
}

// blip is for how long RTS may be on where it is only because the port is opened. How long it is on a real machine can't be told here.
const blip = time.Second

// relay: RTS is on while the line works, off as soon as its process is killed in a call, and stays so, however soon the next process is there, until the call
// is over.
func relay(m *machine) {
	t := m.T
	soon(t, "the relay is energised between calls", m.energised)
	before := len(m.rts())
	m.RunAs(shell.Ann, "flattone", "arm", "cards")
	stop := m.plays("Trunk", m.said("visa", "caller"), m.said("visa", "agent"))
	soon(t, "the caller keys", func() bool { return m.Line("cards").State == control.StateKeying })
	if now := len(m.rts()); now != before {
		t.Errorf("RTS was switched %d times in a call that went well", now-before)
	}
	killed := time.Now()
	m.Run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", shell.Unit("cards"))
	soon(t, "the relay has dropped", func() bool { return len(m.rts()) > before })
	t.Logf("measured: RTS is off %v after somebody began to have the line's process killed", m.rts()[before].at.Sub(killed).Round(time.Millisecond))
	soon(t, "the next process has the line, held, and not the relay", func() bool {
		l := m.Line("cards")
		return l.Up && l.State == control.StateHeld && strings.Contains(strings.Join(l.Barred, " "), "relay_open")
	})
	soon(t, "the call is over", func() bool { _, code := m.Try("root", "systemctl", "is-active", "says.service"); return code != 0 })
	over := time.Now()
	after := m.rts()[before:]
	for i, s := range after {
		if s.on && s.at.Before(over) {
			if i+1 == len(after) || after[i+1].at.Sub(s.at) > blip {
				t.Errorf("the relay was switched back in the call, %v after the process was killed", s.at.Sub(killed))
			} else {
				t.Logf("measured: RTS was on for %v while the port was opened", after[i+1].at.Sub(s.at))
			}
		}
	}
	stop()
	m.RunAs(shell.Ann, "flattone", "ack", "cards")
	soon(t, "the relay is energised again", m.energised)
	soon(t, "the line takes cards again", func() bool { return len(m.Line("cards").Barred) == 0 })
}
