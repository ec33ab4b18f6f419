package box

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

// TestContractOfLines: what flattoned keeps lines by meets its contract on a real systemd (daemon/lines), as it does on the one that the tests there have.
func TestContractOfLines(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.put("/root/lines.test", shell.Read(t, linesTest), "0755")
	out := m.Run("/root/lines.test", "-test.v", "-test.run=^TestContract$/^systemd$", "-systemd")
	if n := strings.Count(out, "--- PASS: TestContract/systemd/"); n < 7 || strings.Contains(out, "--- SKIP") {
		t.Errorf("%d parts of the contract were looked at:\n%s", n, out)
	}
}
