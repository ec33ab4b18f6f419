package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// members are users that every machine has.
var members = map[string]int{"daemon": 1, "bin": 2, "sys": 3}

// as runs f on a thread that is another user for good, and with it ends: to who it connects to, it is that user.
func as(t *testing.T, uid int, f func() error) error {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		for _, call := range [][4]uintptr{
			{unix.SYS_SETGROUPS, 0, uintptr(unsafe.Pointer(nil))},
			{unix.SYS_SETRESGID, uintptr(uid), uintptr(uid), uintptr(uid)},
			{unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)},
		} {
			if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
				done <- fmt.Errorf("becoming user %d: %w", uid, errno)
				return
			}
		}
		done <- f()
	}()
	return <-done
}

func aPage(t *testing.T) []byte {
	t.Helper()
	page, err := locked.Bytes(256)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { locked.Free(page) })
	return page
}

func wantsCode(t *testing.T, what string, err error, code, says string) {
	t.Helper()
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != code || !strings.Contains(e.Text, says) || e.Remedy == "" {
		t.Errorf("%s: %v, want %s and %q", what, err, code, says)
	}
}

// withPeople has members reach the box's sockets as custodians, beside the user of the test.
func (h *house) withPeople() {
	h.t.Helper()
	if os.Geteuid() != 0 {
		h.t.Skip("only root can be somebody else")
	}
	h.cfg.Roles.Installer = []string{config.Self}
	h.cfg.Roles.Custodian = []string{config.Self, "daemon", "bin", "sys"}
	h.cfg.Roles.Technician = []string{config.Self}
	for dir := h.path("run"); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// enrol makes two of the members custodians of whom it takes both, and a third; it answers with their papers.
func enrol(t *testing.T, c *control.Client) map[string][]byte {
	t.Helper()
	if err := c.EnrolCustodians(t.Context(), control.CustodyPlan{Need: 2, People: []string{"daemon", "bin", "sys"}}); err != nil {
		t.Fatal(err)
	}
	papers := map[string][]byte{}
	for name, uid := range members {
		page := aPage(t)
		if err := as(t, uid, func() error {
			n, err := c.TakeShare(t.Context(), page)
			if err == nil {
				papers[name] = page[:n]
				_, err = c.ConfirmShare(t.Context(), page[:n])
			}
			return err
		}); err != nil {
			t.Fatal(name, err)
		}
	}
	return papers
}

// giveShares has two custodians agree to a ceremony.
func giveShares(t *testing.T, c *control.Client, papers map[string][]byte, ceremony string) (err error) {
	t.Helper()
	for _, name := range []string{"bin", "sys"} {
		err = as(t, members[name], func() error {
			_, err := c.GiveShare(t.Context(), ceremony, papers[name])
			return err
		})
	}
	return err
}

// vaultLockedSays is what the condition of a locked vault says, false while it is open.
func vaultLockedSays(t *testing.T, c *control.Client) (says string, locked bool) {
	t.Helper()
	s, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stands := range s.Conditions {
		if stands.Code == health.VaultLocked {
			return stands.Detail, true
		}
	}
	return "", false
}

// TestCustodiansOpenTheVault: a box whose vault is its custodians' alone takes no card until they are enrolled, and none after a start until two of them, each
// the user that he is to the kernel, have unlocked it.
func TestCustodiansOpenTheVault(t *testing.T) {
	h := newHouse(t)
	h.cfg.Vault.KeyFile, h.cfg.Vault.Custodians = "", true
	h.withPeople()
	_, stop, _ := h.run()
	c := h.client()
	locked := func() bool {
		t.Helper()
		_, locked := vaultLockedSays(t, c)
		return locked
	}
	_, err := c.Arm(t.Context(), "one", "")
	if wantsCode(t, "armed before there are custodians", err, control.CodeVaultLocked, "the vault is locked"); !locked() {
		t.Error("a locked vault is no trouble")
	}
	wantsCode(t, "a plan of one", c.EnrolCustodians(t.Context(), control.CustodyPlan{Need: 1, People: []string{"bin"}}), control.CodeBadRequest, "1 custodians are named")
	papers := enrol(t, c)
	_, err = c.TakeShare(t.Context(), aPage(t))
	wantsCode(t, "a share after the end", err, control.CodeWrongState, "no such ceremony")
	if locked() {
		t.Error("enrolled, and it is locked")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	_, stop, _ = h.run()
	c = h.client()
	if !locked() {
		t.Fatal("started anew, and it is open")
	}
	id, err := c.UnlockVault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	give := func(name, paper string) (missing int, err error) {
		err = as(t, members[name], func() error {
			missing, err = c.GiveShare(t.Context(), id, papers[paper])
			return err
		})
		return missing, err
	}
	_, err = give("bin", "sys")
	wantsCode(t, "another's share", err, control.CodeShare, "another custodian's")
	if missing, err := give("bin", "bin"); missing != 1 || err != nil {
		t.Errorf("the first: %d missing, %v", missing, err)
	}
	_, err = give("bin", "bin")
	wantsCode(t, "the same person twice", err, control.CodeShare, "bin has agreed already")
	if !locked() {
		t.Error("one alone opens it")
	}
	if missing, err := give("sys", "sys"); missing != 0 || err != nil {
		t.Errorf("the second: %d missing, %v", missing, err)
	}
	if locked() {
		t.Error("two don't open it")
	}
	s, err := c.Custody(t.Context())
	if err != nil || s.Locked || s.Need != 2 || len(s.Custodians) != 3 || s.Ceremony != nil {
		t.Errorf("it stands as %+v, %v", s, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
