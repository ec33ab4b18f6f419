package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

var runningFor = flag.Duration("running-for", 5*time.Second, "how long a line runs whose memory is measured")

// TestALineIsSmall: the process of a line that waits for a card, at 48 kHz between two devices, takes 25 MiB at the most, and never collects garbage. The
// cards have no file to capture from: it would be counted as the process's memory.
func TestALineIsSmall(t *testing.T) {
	card.New(t, card.Spec{Name: "trunk", Rate: 48000}, card.Spec{Name: "headset", Rate: 48000, PPM: 100})
	t.Setenv("GODEBUG", "gctrace=1")
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Sound: "caller = \"trunk\"\nagent = \"headset\"", Options: "rate_hz = 48000\ncalls.silence_s = 0"}}})
	r.accept(t)
	r.start(t)
	r.wait(t, "the line", func(e control.Event) bool { return e.Line == "one" && e.Code == control.CallPresumed })
	began, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Arm(t.Context(), "one", ""); err != nil {
		t.Fatal(err)
	}
	time.Sleep(*runningFor)
	lines, err := r.client.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lines[0].State != "armed" {
		t.Errorf("the line is %s, not armed", lines[0].State)
	}
	resident := kilobytes(t, lines[0].PID, "VmRSS:")
	t.Logf("%d KiB resident, at the most %d", resident, kilobytes(t, lines[0].PID, "VmHWM:"))
	if resident > 25<<10 {
		t.Errorf("%d KiB are resident: 25 MiB are promised", resident)
	}
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(log[len(began):], []byte(`text="gc `)); n > 0 {
		t.Errorf("garbage was collected %d times in %v", n, *runningFor)
	}
}

// kilobytes is a figure of a process's status.
func kilobytes(t *testing.T, pid int, name string) (n int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("\n"+name))
	if _, err := fmt.Sscan(string(after), &n); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
