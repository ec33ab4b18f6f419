package qemu

import (
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// exitUnreachable is how flattone ends where flattoned does not answer: see its manual page.
const exitUnreachable = 3

// tpm: what installing sealed the vault's key by opens it after each boot, and with another TPM, as in a machine into which the disk was carried, it stays shut:
// flattoned does not run, no line does, and whoever asks is told why. With its own TPM all is as it was.
func tpm(m *machine) {
	t := m.T
	if kind := m.status().KeyKind; kind != control.KeyTPM {
		t.Errorf("the vault's key is kept by %q, not by the TPM", kind)
	}
	had := m.Run("flattone", "tokens")
	m.off()
	began := time.Now()
	m.on()
	m.Serves()
	took, serving := time.Since(began), m.Moment("flattoned.service", "ActiveEnter")
	t.Logf("measured: flattoned serves %v after its kernel began, and %v after its own start, by the machine's clock; %v after the power came, by the host's",
		serving.Round(100*time.Millisecond), (serving - m.Moment("flattoned.service", "ExecMainStart")).Round(10*time.Millisecond), took.Round(time.Second))
	if out := m.Run("flattone", "tokens"); out != had || !strings.Contains(had, "tok_") {
		t.Errorf("after a boot the vault has\n%s\nnot\n%s", out, had)
	}
	m.off()
	m.insertTPM("another")
	m.on()
	soon(t, "flattoned is refused its key", func() bool { return m.Property("flattoned.service", "ExecMainStatus") == "243" }) // CREDENTIALS
	if out, code := m.Try("root", "flattone", "status"); code != exitUnreachable || !strings.Contains(out, "flattone doctor") {
		t.Errorf("flattone status ended with %d, and doesn't say who looks into it:\n%s", code, out)
	}
	if out, code := m.Try("root", "flattone", "doctor"); code == 0 || !strings.Contains(out, "vault-key.cred") {
		t.Errorf("flattone doctor ended with %d, and doesn't say what is wrong:\n%s", code, out)
	}
	if lines := m.Run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "flattone-line@*"); lines != "" {
		t.Errorf("lines run without a vault:\n%s", lines)
	}
	m.off()
	m.insertTPM("tpm")
	m.on()
	m.Serves()
	if out := m.Run("flattone", "tokens"); out != had {
		t.Errorf("with its own TPM again the vault has\n%s\nnot\n%s", out, had)
	}
}
