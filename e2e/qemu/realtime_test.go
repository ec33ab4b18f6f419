package qemu

import (
	"regexp"
	"strings"

	"github.com/flattone/flattone/e2e/shell"
)

// realTime: all threads of a line but one run at real-time priority, what it may lock in memory is what the unit says, and nobody says that it lacks anything. A
// line that is denied it says so.
func realTime(m *machine) {
	t := m.T
	threads := func() (fifo, others int) {
		for policy := range strings.Lines(m.Run("sh", "-c", "cat /proc/"+m.PID(shell.Unit("cards"))+"/task/*/stat | sed 's/.*) //' | cut -d' ' -f38,39")) {
			if strings.TrimSpace(policy) == "40 1" { // SCHED_FIFO
				fifo++
			} else {
				others++
			}
		}
		return fifo, others
	}
	soon(t, "every thread but one has real-time priority", func() bool {
		fifo, others := threads()
		return fifo > 3 && others == 1
	})
	limits := m.Run("cat", "/proc/"+m.PID(shell.Unit("cards"))+"/limits")
	for _, limit := range []string{`Max realtime priority +40 +40`, `Max locked memory +67108864 +67108864`, `Max core file size +0 +0`} {
		if !regexp.MustCompile(limit).MatchString(limits) {
			t.Errorf("not %s:\n%s", limit, limits)
		}
	}
	if out := m.Run("grep", "VmLck", "/proc/"+m.PID(shell.Unit("cards"))+"/status"); strings.Contains(out, "VmLck:\t       0 kB") {
		t.Errorf("nothing is locked in memory: %s", out)
	}
	t.Logf("measured: %s", strings.Join(strings.Fields(m.Run("grep", "VmLck", "/proc/"+m.PID(shell.Unit("cards"))+"/status")), " "))
	says := func() bool { return m.Line("cards").NoRealTime }
	if says() {
		t.Error("the line says that it has no real-time priority")
	}
	dropIn := "/run/systemd/system/" + shell.Unit("cards") + ".d/denied.conf"
	m.put(dropIn, []byte("[Service]\nLimitRTPRIO=0\nAmbientCapabilities=\nCapabilityBoundingSet=\n"), "0644")
	m.Run("systemctl", "daemon-reload")
	m.Run("systemctl", "restart", shell.Unit("cards"))
	soon(t, "a line without the right to it says so", func() bool { return m.Line("cards").Up && says() })
	m.Run("rm", dropIn)
	m.Run("systemctl", "daemon-reload")
	m.Run("systemctl", "restart", shell.Unit("cards"))
	soon(t, "the line has it again", func() bool { return m.Line("cards").Up && !says() })
}
