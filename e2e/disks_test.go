package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// database are the files that the box writes to while it runs.
func (r *rig) database() (all []string) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		all = append(all, filepath.Join(r.State(), "flattone.db"+suffix))
	}
	return all
}

// TestDamagedInACall overwrites the database while a card is being keyed. The capture is void at once and not told to be stored, every surface says what is wrong, no
// line can be armed, and the box neither ends nor starts again. Once the files are put back it has what it had acknowledged, and goes on.
func TestDamagedInACall(t *testing.T) {
	t.Parallel()
	cfg := oneLine("visa")
	cfg.Lines[0].Pace, cfg.Lines[0].Gap = 8, 4*time.Second
	cfg.Lines[0].Calls = slices.Repeat(cfg.Lines[0].Calls, 3)
	r := newRig(t, cfg)
	r.start(t)
	r.arm(t, "one")
	token := r.wait(t, "a token", kind("one", control.KindToken)).Token
	r.wait(t, "the call's end", func(e control.Event) bool { return e.Code == control.CallEnded })
	r.stop()
	if err := r.Stop(); err != nil { // which brings all into the file
		t.Fatal(err)
	}
	r.ears.Wait()
	from := r.heardSoFar()
	r.start(t)
	r.waitFrom(t, from, "the next call", func(e control.Event) bool { return e.Code == control.CallBegan })
	capture, err := r.client.Arm(t.Context(), "one", "")
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string][]byte{}
	for _, path := range r.database() {
		if kept[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	path := r.database()[0]
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, len(kept[path])-4096), 4096)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}

	r.until(t, "the damage to be told", func() bool {
		r.client.Audit(t.Context(), 1) // which writes that it is read, and then no reader goes by what it remembers
		s, err := r.client.Status(t.Context())
		return err == nil && strings.Contains(detail(s, health.StoreDamaged), "restore a backup")
	})
	void := r.waitFrom(t, from, "the capture to be void", func(e control.Event) bool { return e.Kind == control.KindState && e.State == control.StateVoid })
	if void.Capture != capture || void.Reason != "not_stored" {
		t.Errorf("of the capture the line says %+v", void)
	}
	if _, err := r.client.Arm(t.Context(), "one", ""); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("arming beside the damage: %v", err)
	}
	if s, err := r.client.Status(t.Context()); err != nil || s.UpstreamPending != control.PendingUnknown && s.UpstreamPending != 0 || detail(s, health.AuditFailed) == "" {
		t.Errorf("beside the damage status says %+v, %v", s, err)
	}
	out, err := r.Tool(t.Context(), "status").CombinedOutput()
	says(t, string(out), "store_damaged", "restore a backup")
	if err == nil {
		t.Error("the tool ends as if all was well")
	}
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	damaged, _ := health.Lookup(health.StoreDamaged)
	says(t, string(log), damaged.MessageID, "the database is damaged")
	r.mu.Lock()
	if slices.ContainsFunc(r.events[from:], func(e control.Event) bool { return e.Capture == capture && e.Token != "" }) {
		t.Error("a token was told that damage may take")
	}
	r.mu.Unlock()

	r.stop()
	r.Stop() // which says that its end couldn't be noted
	r.ears.Wait()
	says(t, startFails(t, r), path, "the database is damaged", "restore a backup")
	for path, content := range kept {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start(t)
	if tokens, err := r.client.Tokens(t.Context(), 10); err != nil || len(tokens) != 1 || tokens[0].Token != token {
		t.Errorf("put back, the vault lists %+v, %v", tokens, err)
	}
	if s, err := r.client.Status(t.Context()); err != nil || detail(s, health.StoreDamaged) != "" {
		t.Errorf("put back, status says %+v, %v", s.Conditions, err)
	}
}

// TestReadOnlyAtTheStart: the box says so and what to look at, has touched nothing, and starts once it can write.
func TestReadOnlyAtTheStart(t *testing.T) {
	t.Parallel()
	cfg, dir := oneLine("visa"), filepath.Join(t.TempDir(), "state")
	shut := filepath.Join(filepath.Dir(dir), "shut")
	cfg.Wrap = []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		`if [ -e "$0/../shut" ]; then mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"; fi && exec "$@"`, dir}
	r := newRig(t, cfg)
	r.keepsIn(t, dir)
	r.start(t)
	r.arm(t, "one")
	token := r.wait(t, "a token", kind("one", control.KindToken)).Token
	r.stop()
	if err := errors.Join(r.Stop(), os.WriteFile(shut, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.ears.Wait()
	says(t, startFails(t, r), dir, "the store can't be written", "mount", "read-only file system")
	if err := os.Remove(shut); err != nil {
		t.Fatal(err)
	}
	r.start(t)
	if tokens, err := r.client.Tokens(t.Context(), 10); err != nil || len(tokens) != 1 || tokens[0].Token != token {
		t.Errorf("the vault lists %+v, %v", tokens, err)
	}
}

// keepsIn has the box keep its state in dir.
func (r *rig) keepsIn(t *testing.T, dir string) {
	t.Helper()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var text []byte
		if text, err = os.ReadFile(r.Config()); err == nil {
			err = os.WriteFile(r.Config(), []byte(strings.Replace(string(text), `"state"`, fmt.Sprintf("%q", dir), 1)), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheDiskFailsInACall has the kernel refuse what the box writes, while a card is being keyed: as on a file system that has turned itself read-only, which one with open
// files does in no other way, and on a disk that doesn't flush. It is told, no token is, and once the disk works the card gets its token without a restart.
func TestTheDiskFailsInACall(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{
		"turned read-only": "pwrite64:error=EROFS",
		"flushes nothing":  "fsync,fdatasync:error=EIO",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := oneLine("visa")
			cfg.Lines[0].Pace = 8
			r := newRig(t, cfg)
			r.start(t)
			capture := r.arm(t, "one")
			mend := r.failing(t, fault)
			warned := r.wait(t, "the warning that the card waits", func(e control.Event) bool { return e.Kind == control.KindWarning && e.Code == "vault_failed" })
			if warned.Line != "one" || warned.Capture != capture {
				t.Errorf("the line is warned by %+v", warned)
			}
			if s, err := r.client.Status(t.Context()); err != nil || !strings.Contains(detail(s, health.StoreFailed), "dmesg says why") {
				t.Errorf("status says %+v, %v", s.Conditions, err)
			}
			if _, err := r.client.Arm(t.Context(), "one", ""); err == nil || !strings.Contains(err.Error(), "the disk fails") {
				t.Errorf("arming meanwhile: %v", err)
			}
			r.mu.Lock()
			if slices.ContainsFunc(r.events, kind("one", control.KindToken)) {
				t.Error("a token was told that the disk hasn't")
			}
			r.mu.Unlock()
			mend()
			if told := r.wait(t, "the token, once the disk works", kind("one", control.KindToken)); told.Capture != capture {
				t.Errorf("it is told of %+v", told)
			}
			r.wait(t, "the delivery", func(e control.Event) bool { return e.Delivery == control.DeliveryDelivered })
			r.until(t, "status to say no more of it", func() bool {
				s, err := r.client.Status(t.Context())
				return err == nil && detail(s, health.StoreFailed) == "" && detail(s, health.AuditFailed) == ""
			})
			r.onRecord(t, health.StoreFailed)
		})
	}
}

// onRecord waits until a condition's beginning and end are in the audit log, which may be writable only after it.
func (r *rig) onRecord(t *testing.T, code health.Code) {
	t.Helper()
	r.until(t, "the audit log to have the beginning and the end of "+string(code), func() bool {
		entries, err := r.client.Audit(t.Context(), 50)
		has := func(action string) bool {
			return slices.ContainsFunc(entries, func(e control.AuditEntry) bool { return e.Action == action && e.Result == string(code) })
		}
		return err == nil && has("condition.raised") && has("condition.cleared")
	})
}

// failing has the kernel answer what flattoned does to its database with an error, until mend.
func (r *rig) failing(t *testing.T, fault string) (mend func()) {
	t.Helper()
	args := []string{"-f", "-p", fmt.Sprint(r.PID()), "-o", "/dev/null", "-e", "inject=" + fault}
	for _, path := range r.database() {
		args = append(args, "-P", path)
	}
	cmd := exec.Command("strace", args...)
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	mend = func() {
		once.Do(func() {
			cmd.Process.Signal(syscall.SIGTERM) // it lets go, and what it holds runs on
			cmd.Wait()
		})
	}
	t.Cleanup(mend)
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "attached") {
			go io.Copy(io.Discard, said)
			return mend
		}
	}
	t.Fatalf("strace says %q", lines.Text())
	return nil
}
