package qemu

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
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
	m.ownTPMAgain(had)
}

// ownTPMAgain: no line runs with another TPM, and with its own the box has all that it had.
func (m *machine) ownTPMAgain(had string) {
	m.T.Helper()
	if lines := m.Run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "flattone-line@*"); lines != "" {
		m.T.Errorf("lines run without a vault:\n%s", lines)
	}
	m.off()
	m.insertTPM("tpm")
	m.on()
	m.Serves()
	if out := m.Run("flattone", "tokens"); out != had {
		m.T.Errorf("with its own TPM again the vault has\n%s\nnot\n%s", out, had)
	}
}

// tpmDirect: a box that goes over from the credential to a TPM that flattoned asks itself, as docs/keys.md has it, opens its vault after each boot with nobody there.
// With another TPM it doesn't run, and says why.
func tpmDirect(m *machine) {
	t := m.T
	had := m.Run("flattone", "tokens")
	m.Run("flattone", "key", "new", "--tpm", "/var/lib/flattone/root.tpm")
	m.Run("chown", "flattone:", "/var/lib/flattone/root.tpm")
	const dropIn = "/etc/systemd/system/flattoned.service.d/tpm.conf"
	m.put(dropIn, shell.Read(t, "../../systemd/tpm.conf"), "0644") // the machine's image has no documentation
	m.Run("systemctl", "daemon-reload")
	m.put("/root/flattone.toml", []byte(settings+"[roles]\ncustodian = [\"root\"]\n"), "0644")
	m.RunAs(shell.Console, "flattone", "apply", "--yes", "/root/flattone.toml")
	m.Run("sed", "--in-place", `s|^credential = .*|tpm.file = "/var/lib/flattone/root.tpm"|`, "/etc/flattone/flattone.toml")
	m.RunAs(shell.Console, "flattone", "vault", "root", "add")
	m.RunAs(shell.Console, "flattone", "apply", "--yes")
	old := m.roots()
	if len(old) != 2 || old[0].Opened || !old[1].Opened {
		t.Fatalf("the roots are %+v", old)
	}
	m.RunAs(shell.Console, "flattone", "vault", "root", "drop", old[0].ID)
	m.Run("sed", "--in-place", "s/^#Load/Load/", dropIn)
	m.off()
	m.on()
	m.Serves()
	if left := m.roots(); len(left) != 1 || left[0].ID != old[1].ID || !left[0].Opened || left[0].Kind != control.KeyTPM {
		t.Errorf("after a boot the roots are %+v", left)
	}
	if out := m.Run("flattone", "tokens"); out != had {
		t.Errorf("after a boot the vault has\n%s\nnot\n%s", out, had)
	}
	m.off()
	m.insertTPM("third")
	m.on()
	soon(t, "flattoned is refused its key, and says so", func() bool {
		return strings.Contains(m.Journal("--boot", "--unit=flattoned"), "this is not the TPM that sealed the key")
	})
	if out, code := m.Try("root", "flattone", "status"); code != exitUnreachable {
		t.Errorf("flattone status ended with %d:\n%s", code, out)
	}
	m.ownTPMAgain(had)
}

// roots are what opens its vault, the oldest first.
func (m *machine) roots() []control.Root {
	m.T.Helper()
	var v control.Vault
	if err := json.Unmarshal([]byte(m.RunAs(shell.Console, "flattone", "vault", "status", "--json")), &v); err != nil {
		m.T.Fatal(err)
	}
	return v.Roots
}
