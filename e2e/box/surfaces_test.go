package box

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/e2e/shell"
)

// told is how soon whatever is wrong must be on every surface.
const told = 5 * time.Second

// TestEverySurface: what is wrong with a line is told wherever somebody may look, and in the audit log, where it has an end, too.
func TestEverySurface(t *testing.T) {
	t.Parallel()
	lines := []line{{"a", "visa", 1}}
	b := install(t, lines...)
	b.applies(append(settings(lines), "[metrics]\nlisten = \"unix:/run/flattone/metrics/metrics.sock\"\n"...), "flattoned is started again")
	b.put("/srv/ask", []byte(`#!/usr/bin/perl
use IO::Socket::UNIX;
$s = IO::Socket::UNIX->new("/run/flattone/metrics/metrics.sock") or die "$!\n";
print $s "GET /metrics HTTP/1.0\r\n\r\n";
print <$s>;
`), "0755")
	const code = string(health.ProcessStopped)
	surfaces := func(stands bool) {
		t.Helper()
		began := time.Now()
		for name, says := range map[string]func() bool{
			"status": func() bool {
				out, exit := b.Try(shell.Ann, "flattone", "status", "--json")
				return strings.Contains(out, `"`+code+`"`) && exit == exitUnhealthy
			},
			"metrics": func() bool {
				return strings.Contains(b.Run("/srv/ask"), `flattone_condition{code="`+code+`",line="a",severity="fault"} 1`)
			},
			"the bus": func() bool {
				out := b.RunAs(shell.Ann, "busctl", "get-property", "org.flattone.Appliance1", "/org/flattone/Appliance1", "org.flattone.Appliance1", "Conditions")
				return strings.Contains(out, `"`+code+`" "fault" "a"`)
			},
		} {
			soon(t, name+" tells of it", func() bool { return says() == stands })
		}
		if took := time.Since(began); took > told {
			t.Errorf("that it stands: %t was told everywhere after %v", stands, took)
		}
	}
	b.Run("systemctl", "stop", shell.Unit("a"))
	surfaces(true)
	b.Run("systemctl", "start", shell.Unit("a"))
	surfaces(false)
	declared, _ := health.Lookup(health.ProcessStopped)
	if n := strings.Count(b.Journal("FLATTONE_CODE="+code, "FLATTONE_LINE=a", "MESSAGE_ID="+declared.MessageID, "--output=cat"), "\n"); n != 2 {
		t.Errorf("the journal has %d records of it, and not a beginning and an end", n)
	}
	var noted []string
	for _, e := range ask[[]control.AuditEntry](b, "events") {
		if e.Object == "line a" && e.Result == code && strings.Contains(e.Origin, "10.7.2") {
			noted = append(noted, e.Action)
		}
	}
	if len(noted) != 2 {
		t.Errorf("the audit log has %v of it, and not a beginning and an end", noted)
	}
}

// TestRefusalIsNoted: somebody who may not command the box is refused, and the audit log has who he was.
func TestRefusalIsNoted(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	for range 3 {
		if out, code := b.Try("nobody", "flattone", "arm", "a"); code != exitDenied {
			t.Errorf("arming by nobody ended with %d: %s", code, out)
		}
	}
	var noted []control.AuditEntry
	for _, e := range ask[[]control.AuditEntry](b, "events") {
		if e.Action == "control.refused" {
			noted = append(noted, e)
		}
	}
	if len(noted) != 1 || !strings.Contains(noted[0].Actor, "nobody") {
		t.Errorf("of three refusals of his the log has %+v, and not the first with his name", noted)
	}
}
