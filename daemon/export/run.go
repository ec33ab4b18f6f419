package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// draft ends the name of a file that isn't whole.
const draft = ".draft"

// noteTime bounds how long the end of an export waits for the log, when flattoned ends.
const noteTime = 5 * time.Second

// Run carries out what custodians agree to, until ctx ends. It first removes what an earlier flattoned left unfinished.
func (x *Exporter) Run(ctx context.Context) error {
	x.sweep(ctx)
	for {
		select {
		case e := <-x.work:
			x.end(e, x.carryOut(ctx, e))
		case <-ctx.Done():
			if e := x.stop(); e != nil {
				x.end(e, x.carryOut(ctx, e)) // which fails, and is noted to
			}
			return nil
		}
	}
}

// sweep removes drafts, each of which is an export that came to nothing.
func (x *Exporter) sweep(ctx context.Context) {
	left, err := fs.Glob(os.DirFS(x.cfg.Folder), "*-exp_*.age"+draft)
	for _, name := range left {
		id := strings.TrimSuffix(name[strings.LastIndex(name, "exp_"):], ".age"+draft)
		if err = errors.Join(os.Remove(filepath.Join(x.cfg.Folder, name)), x.note(ctx, "flattoned", "export.failed", "export "+id, ErrStopped.Error())); err != nil {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		x.deps.Log.Error("what is left of an export that was cut short could not be cleared away", "folder", x.cfg.Folder, "error", err)
	}
}

// carryOut makes the file, and answers with what came of it.
func (x *Exporter) carryOut(ctx context.Context, e *export) (done Export) {
	done = e.Export
	done.File = filepath.Join(x.cfg.Folder, e.Recipient+"-"+e.ID+".age")
	err := x.note(ctx, e.By, "export.began", "export "+e.ID, e.about())
	if err == nil {
		done.SHA256, err = x.write(ctx, e, done.File)
	}
	if err == nil {
		x.deps.Log.Info("cards were exported", "to", e.Recipient, "cards", e.cards.Load(), "file", done.File, "sha256", done.SHA256)
		return done
	}
	if ctx.Err() != nil {
		err = ErrStopped
	}
	done.File, done.SHA256, done.Failed = "", "", err
	x.deps.Log.Error("an export came to nothing", "to", e.Recipient, "error", err)
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	if err := x.note(ended, e.By, "export.failed", "export "+e.ID, err.Error()); err != nil {
		x.deps.Log.Error("that an export came to nothing could not be noted in the audit log", "error", err)
	}
	return done
}

// write makes the file under another name, and gives it its own once it is whole, flushed and noted.
func (x *Exporter) write(ctx context.Context, e *export, path string) (sum string, err error) {
	if err := x.makeFolder(); err != nil {
		return "", err
	}
	f, err := x.create(path + draft)
	if err != nil {
		return "", err
	}
	hashed := sha256.New()
	if err = x.fill(ctx, e, outlet{f, hashed, x}); err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	sum = hex.EncodeToString(hashed.Sum(nil))
	if err == nil {
		err = x.note(ctx, e.By, "export.finished", "export "+e.ID, fmt.Sprintf("%s; %d in the file, SHA-256 %s", e.about(), e.cards.Load(), sum))
	}
	if err == nil {
		err = os.Rename(path+draft, path)
	}
	if err == nil {
		err = private.SyncFolder(x.cfg.Folder)
	}
	if err != nil {
		return "", errors.Join(err, remove(path+draft), remove(path))
	}
	return sum, nil
}

func (x *Exporter) makeFolder() error {
	err := os.Mkdir(x.cfg.Folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return errors.Join(err, private.SyncFolder(filepath.Dir(x.cfg.Folder)))
}

// fill writes the file's content.
func (x *Exporter) fill(ctx context.Context, e *export, to io.Writer) error {
	s, err := newSealer(to, e.to)
	if err != nil {
		return err
	}
	defer s.wipe()
	n, err := x.deps.Vault.ExportCards(ctx, e.which(), func(c vault.Exported, card *secret.Card) error {
		if err := writeCard(s, c, card); err != nil {
			return err
		}
		e.cards.Add(1)
		return ctx.Err()
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		return ErrNoCards
	}
	return s.close()
}

// file is what an export is written to.
type file interface {
	io.WriteCloser
	Sync() error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// outlet is a file, its hash, and an eye on the disk.
type outlet struct {
	file file
	hash hash.Hash
	x    *Exporter
}

func (o outlet) Write(p []byte) (int, error) {
	room, err := o.x.room()
	if err == nil && room < o.x.cfg.LeastRoom+int64(len(p)) {
		err = ErrRoom
	}
	if err != nil {
		return 0, err
	}
	o.hash.Write(p)
	return o.file.Write(p)
}

// remove removes a file that may not be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (x *Exporter) note(ctx context.Context, by, action, object, result string) error {
	return x.deps.Store.Write(ctx, func(tx *store.Tx) error {
		return x.deps.Audit.Append(tx, audit.Event{Actor: by, Action: action, Object: object, Result: result, Origin: "custodians", Time: time.Now()})
	})
}
