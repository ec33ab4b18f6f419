package box

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

var exposure = regexp.MustCompile(`Overall exposure level for \S+ ([0-9.]+)`)

// TestExposure: systemd's own judgement of the units, as they run, with all that flattoned can do: a card goes out by the network and metrics are asked for by
// it, which its unit must be told of; lines are kept, the key is had and the box is shown by way of systemd and its bus.
func TestExposure(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 4})
	b.put("/etc/systemd/system/flattoned.service.d/metrics.conf", []byte("[Service]\nSocketBindAllow=tcp:9469\n"), "0644")
	b.Run("systemctl", "daemon-reload")
	b.applies(append(settings([]line{{"a", "visa", 4}}), "[metrics]\nlisten = \"127.0.0.1:9469\"\n"...), "flattoned is started again")
	b.RunAs(shell.Ann, "flattone", "watch", "a", "--arm", "--until", "delivered", "--timeout", patience.String())
	b.RunAs(shell.Ann, "busctl", "get-property", "org.flattone.Appliance1", "/org/flattone/Appliance1", "org.flattone.Appliance1", "State")
	b.put("/srv/ask", []byte(`#!/usr/bin/perl
use IO::Socket::INET;
$s = IO::Socket::INET->new("127.0.0.1:9469") or die "$!\n";
print $s "GET /metrics HTTP/1.0\r\n\r\n";
print <$s>;
`), "0755")
	if out := b.RunAs("nobody", "/srv/ask"); !strings.Contains(out, "flattone_build_info") {
		t.Errorf("asked for metrics, it says %s", out)
	}
	for unit, bound := range map[string]float64{"flattoned.service": 1.3, shell.Unit("a"): 1.6} {
		out := b.Run("systemd-analyze", "security", "--no-pager", unit)
		found := exposure.FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("systemd-analyze said:\n%s", out)
		}
		got, _ := strconv.ParseFloat(found[1], 64)
		t.Logf("measured: exposure of %s: %.1f", unit, got)
		if got > bound {
			t.Errorf("%s has an exposure of %.1f, and %.1f is the bound:\n%s", unit, got, bound, out)
		}
	}
}

// TestConfined: what the kernel says of the processes is what their units ask for.
func TestConfined(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	const sysNice = "0000000000800000"
	for unit, may := range map[string]string{"flattoned.service": "0000000000000000", shell.Unit("a"): sysNice} {
		pid := b.PID(unit)
		status := b.Run("cat", "/proc/"+pid+"/status")
		for _, want := range []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n", "CapEff:\t" + may + "\n", "CapBnd:\t" + may + "\n"} {
			if !strings.Contains(status, want) {
				t.Errorf("%s is not confined by %q:\n%s", unit, want, status)
			}
		}
		for _, path := range []string{"/etc/flattone/new", "/usr/bin/new"} {
			if out, code := b.Try("root", "nsenter", "--mount=/proc/"+pid+"/ns/mnt", "touch", path); code == 0 || !strings.Contains(out, "Read-only file system") {
				t.Errorf("%s can be written by %s: %s", path, unit, out)
			}
		}
		if limits := b.Run("cat", "/proc/"+pid+"/limits"); !regexp.MustCompile(`Max core file size +0 +0 `).MatchString(limits) {
			t.Errorf("%s may leave a core:\n%s", unit, limits)
		}
	}
	// A line has no network but its own loopback, and flattoned waits for nobody in the one that it has.
	if out := b.Run("nsenter", "--net=/proc/"+b.PID(shell.Unit("a"))+"/ns/net", "cat", "/proc/net/dev"); strings.Count(out, ":") != 1 {
		t.Errorf("a line's network is:\n%s", out)
	}
}
