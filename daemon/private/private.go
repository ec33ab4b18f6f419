// Package private keeps files that are for one user alone: the vault's key, the webhook's secret, the audit log's
// key, and whatever lies in the state folder.
//
// It exists so that there is one judgement of such a file, whoever looks: what `flattone check` calls good
// is what flattoned takes. It promises that no byte of a file is read before its looks are judged, that a
// FIFO or a link in its place neither hangs nor misleads anybody, and that a file made by [Create] is whole and
// durable, or not there. It knows no content: what is in a file is its reader's business.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Kind is a sort of private file.
type Kind struct {
	// Shortest and Longest bound it, in bytes.
	Shortest, Longest int64
	// Missing says how one is made, Exposed what to do about one that others could have read.
	Missing, Exposed string
	// Handed: systemd has put it where only its user and root come. It may name him in an access list, which shows as rights of the group.
	Handed bool
}

// The kinds there are.
var (
	VaultKey = Kind{Shortest: 32, Longest: 32, Missing: "make one with: flattone key new FILE",
		// There is no changing the key of a vault that has cards yet, so a new one is no remedy.
		Exposed: "chmod 600 it, and keep it: the cards are sealed under it. Whoever could read it must not get a copy of the state folder"}
	// VaultCredential is that key as systemd hands it over.
	VaultCredential = Kind{Shortest: 32, Longest: 32, Handed: true,
		Missing: "have the unit load one: see LoadCredentialEncrypted= in flattoned.service, and systemd-creds(1)",
		Exposed: "look what its unit's LoadCredential= and LoadCredentialEncrypted= name"}
	// TPMKey is a key that only a TPM can read. Nobody learns it from the file, but whoever may write one can put a key of his own in its place.
	TPMKey = Kind{Shortest: 1, Longest: 4096, Missing: "make one with: flattone key new --tpm FILE, or restore it from a backup of this machine",
		Exposed: "chmod 600 it: others could put a key of their own in its place"}
	// PIN is that of an HSM's token, and a line's end.
	PIN = Kind{Shortest: 1, Longest: 256, Missing: "write the PIN of the token's user into a file of mode 0600",
		Exposed: "chmod 600 it, and give the token another PIN: this one may be known"}
	WebhookSecret = Kind{Shortest: 1, Longest: 4096, Missing: "make one with: flattone secret new FILE",
		Exposed: "chmod 600 it, and put a new secret in: this one may be known"}
	// StoreKey is what the box proves itself by to the database.
	StoreKey = Kind{Shortest: 1, Longest: 64 << 10, Missing: "have the database's CA make the box a key and a certificate",
		Exposed: "chmod 600 it, and have the CA make a new one: this one may be known"}
	// StreamKey is what the box signs in to a server of NATS by: credentials, or the seed of a key.
	StreamKey = Kind{Shortest: 1, Longest: 64 << 10, Missing: "have whoever runs the server make the box one",
		Exposed: "chmod 600 it, and have whoever runs the server make a new one: this one may be known"}
	StorePassword = Kind{Shortest: 1, Longest: 4096, Missing: "write the database's password into it, with mode 0600",
		Exposed: "chmod 600 it, and have the database take a new password: this one may be known"}
	// GatewaySecret is what a payment provider knows the box by: an API key, or what stands in its place.
	GatewaySecret = Kind{Shortest: 1, Longest: 4096, Missing: "write the secret that the provider gave you into it, with mode 0600",
		Exposed: "chmod 600 it, and have the provider make a new secret: this one may be known"}
	// GatewayKey is what the box proves itself by to a payment provider, or to who is told upstream.
	GatewayKey = Kind{Shortest: 1, Longest: 64 << 10, Missing: "have the provider sign a certificate for a key of the box's",
		Exposed: "chmod 600 it, and have the provider sign a new one: this one may be known"}
	// DeskKey is that of the certificate that agents' browsers see.
	DeskKey = Kind{Shortest: 1, Longest: 64 << 10, Missing: "have your CA make the desk a key and a certificate",
		Exposed: "chmod 600 it, and have your CA make a new one: this one may be known"}
	// OIDCSecret is what the identity provider knows the desk by.
	OIDCSecret = Kind{Shortest: 1, Longest: 4096, Missing: "write the client secret that the identity provider gave you into it, with mode 0600",
		Exposed: "chmod 600 it, and have the provider make a new secret: this one may be known"}
	AuditKey = Kind{Shortest: 1, Longest: 1024, Missing: "restore it from the backup of the state folder",
		Exposed: "chmod 600 it, and distrust the checkpoints since"}
)

// Flaw is what is wrong with a file, which the reason names, and what to do about it.
type Flaw struct {
	Reason, Remedy string
	// Cause is what the system said, if that is how it was found out.
	Cause error
}

func (f Flaw) Error() string { return f.Reason + "; " + f.Remedy }

// Unwrap is the cause.
func (f Flaw) Unwrap() error { return f.Cause }

// Open opens a file for reading once its looks are as they should be. A file that isn't there is an
// [fs.ErrNotExist]; that, and whatever else is wrong with its looks, is a [Flaw].
func (k Kind) Open(path string) (*os.File, error) { return k.OpenFor(path, os.Geteuid()) }

// OpenFor is Open for root, who looks whether another user could: whether it is private to him.
func (k Kind) OpenFor(path string, user int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, Flaw{path + " is a symbolic link", "name the file itself", err}
	case errors.Is(err, fs.ErrNotExist):
		return nil, Flaw{path + " does not exist", k.Missing, err}
	case err != nil:
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = k.judge(path, info, user)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Read reads a file that [Kind.Open] opens.
func (k Kind) Read(path string) ([]byte, error) { return k.ReadFor(path, os.Geteuid()) }

// ReadFor reads a file that [Kind.OpenFor] opens.
func (k Kind) ReadFor(path string, user int) ([]byte, error) {
	f, err := k.OpenFor(path, user)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, k.Longest))
}

func (k Kind) judge(path string, info fs.FileInfo, me int) error {
	others := fs.FileMode(0o077)
	if k.Handed {
		others = 0o007
	}
	if err := regular(path, info, me, k.Exposed, others); err != nil {
		return err
	}
	switch size := info.Size(); {
	case k.Shortest == k.Longest && size != k.Longest:
		return Flaw{fmt.Sprintf("%s has %d bytes, and such a file has %d", path, size, k.Longest), "name the right file, or " + k.Missing, nil}
	case size < k.Shortest:
		return Flaw{path + " is empty", "name the right file, or " + k.Missing, nil}
	case size > k.Longest:
		return Flaw{path + " is larger than any such file", "name the right file", nil}
	}
	return nil
}

// Judge reports why a file is not private to user me: it must be a regular file, his or root's, and closed to
// all others.
func Judge(path string, info fs.FileInfo, me int, exposed string) error {
	return regular(path, info, me, exposed, 0o077)
}

func regular(path string, info fs.FileInfo, me int, exposed string, others fs.FileMode) error {
	if !info.Mode().IsRegular() {
		return Flaw{path + " is not a regular file", "name the file itself", nil}
	}
	return closed(path, info, me, exposed, others)
}

// JudgeFolder is [Judge] for a folder.
func JudgeFolder(path string, info fs.FileInfo, me int) error {
	if !info.IsDir() {
		return Flaw{path + " is not a folder", "name a folder, or move away what is in its place", nil}
	}
	return closed(path, info, me, "chmod 700 it, and make sure that nothing in it was put there by others", 0o077)
}

func closed(path string, info fs.FileInfo, me int, exposed string, others fs.FileMode) error {
	if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != me && owner != 0 {
		return Flaw{fmt.Sprintf("%s belongs to user %d, and this runs as user %d", path, owner, me), "chown it, or run this as its owner", nil}
	}
	if mode := info.Mode().Perm(); mode&others != 0 {
		return Flaw{fmt.Sprintf("%s lets others at it (mode %#o)", path, mode), exposed, nil}
	}
	return nil
}

// Create makes a file of mode 0600 that is whole and durable when Create returns, and isn't there if it fails. One
// that is there already is left as it is: that is an [fs.ErrExist].
func Create(path string, content []byte) error {
	draft, err := draft(path, content, 0o600)
	if err != nil {
		return err
	}
	err = os.Link(draft, path) // unlike a rename it replaces nothing
	if err = errors.Join(err, os.Remove(draft)); err != nil {
		return err
	}
	if err = SyncFolder(filepath.Dir(path)); err != nil {
		os.Remove(path)
	}
	return err
}

// Replace is [Create] for a file that may be there already, of whatever mode. If it fails, either is there, whole.
func Replace(path string, content []byte, mode fs.FileMode) error {
	draft, err := draft(path, content, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return SyncFolder(filepath.Dir(path))
}

// Supersede puts content in the place of a file that is there, whose mode and owner it takes over, and keeps that file as before. If it fails, the file is
// there as it was.
func Supersede(path string, content []byte, before string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	draft, err := draft(path, content, info.Mode().Perm())
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err = os.Lchown(draft, int(owner.Uid), int(owner.Gid)); err == nil {
		err = os.Remove(before)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Link(path, before)
	}
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return SyncFolder(filepath.Dir(path))
}

// draft writes a file of a mode beside a path, and flushes it.
func draft(path string, content []byte, mode fs.FileMode) (name string, err error) {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); err != nil {
		return "", err // in terms of what the caller named
	}
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// SyncFolder flushes a folder's list of names, which fsync of a file in it doesn't.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
