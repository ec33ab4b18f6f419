// Package backup has what the vault keeps outlive the box: backups of the data and, apart from them, of the keys, and the restore that puts both into a store
// that is empty.
//
// It exists because a disk dies, and the keys of a card must not lie where the card does. So a backup of the data holds every table but those of keys, sealed
// under the newest version of the key; a backup of keys holds the versions as the custodians' root has them, and opens by their shares alone. Who has either has
// nothing; who has both, and enough custodians, has the vault. There is a third file, the purge log, for cards that were shredded since.
//
// It promises that a backup is one snapshot, made while the box takes cards: everything acknowledged before it began is in it; that one which was cut short,
// changed, or is another vault's is refused before a row of it counts; that a restore is one transaction, in which what was shredded is shredded once more. It must
// never hold a key or a card that isn't sealed, nor a CVV: no table has one.
//
// The data is age's format (age-encryption.org/v1), whose file key our own stanza has. It is not for FIPS 140: age seals by ChaCha20-Poly1305.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/store"
)

// Errors of backups and restores, beside those of the vault, the store and the audit log.
var (
	// ErrNoBackup: the file is something else, or a backup of another sort.
	ErrNoBackup = errors.New("this is no such backup")
	// ErrDamaged: the file was cut short or changed.
	ErrDamaged = errors.New("the backup is damaged: it was cut short or changed")
	// ErrSchema: another program made it.
	ErrSchema = errors.New("the backup is of another schema")
	// ErrNotEmpty: there is something already where the backup is to go.
	ErrNotEmpty = errors.New("the store isn't empty: a backup is restored into one that never was used; move the state folder away, or name an empty database in [store] postgres")
	// ErrNoCustodians: nobody could open a backup of keys.
	ErrNoCustodians = errors.New("the keys have no custodians, who alone open a backup of them: enrol some first")
)

// Config of a [Maker].
type Config struct {
	// Box names the box to whoever holds a file.
	Box string
	// AuditKey is the file with the audit log's signing key, which a backup of the data holds.
	AuditKey string
}

// Wrapper seals the key of a backup: the vault.
type Wrapper interface {
	Wrap(backup string, key []byte) (version int64, box []byte, err error)
}

// Deps of a [Maker].
type Deps struct {
	Store *store.DB
	Vault Wrapper
	Audit *audit.Log
}

// Maker makes backups. Safe for concurrent use.
type Maker struct {
	cfg  Config
	deps Deps
}

// New needs all of cfg and deps.
func New(cfg Config, deps Deps) *Maker { return &Maker{cfg, deps} }

// Data writes a backup of the data: all tables but those of keys, and the audit log's key. It is a snapshot for as long as to takes, during which what is shredded
// stays in the database's log.
func (m *Maker) Data(ctx context.Context, by string, to io.Writer) error {
	h := m.header(kindData)
	if err := m.note(ctx, by, "backup.began", h.ID, "ok"); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	err := m.data(ctx, h, to)
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	if err := errors.Join(err, m.note(context.WithoutCancel(ctx), by, "backup.ended", h.ID, result)); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func (m *Maker) data(ctx context.Context, h Header, to io.Writer) (err error) {
	if h.AuditKey, err = private.AuditKey.Read(m.cfg.AuditKey); err != nil {
		return err
	}
	if h.Checkpoint, _, err = m.deps.Audit.Checkpoint(ctx); err != nil { // from before the snapshot, so that all of it is in there
		return err
	}
	return m.sealed(ctx, h, dataTables(), to)
}

// PurgeLog writes what was shredded. A restore takes it beside an older backup of the data.
func (m *Maker) PurgeLog(ctx context.Context, by string, to io.Writer) error {
	h := m.header(kindPurged)
	err := m.note(ctx, by, "backup.purge_log", h.ID, "ok")
	if err == nil {
		err = m.sealed(ctx, h, purgeTables(), to)
	}
	if err != nil {
		return fmt.Errorf("backup: purge log: %w", err)
	}
	return nil
}

// sealed writes tables as they are at one moment, sealed.
func (m *Maker) sealed(ctx context.Context, h Header, tables []store.Table, to io.Writer) error {
	sealed, err := age.Encrypt(to, recipient{h.ID, m.deps.Vault})
	if err != nil {
		return err
	}
	err = m.deps.Store.Read(ctx, func(tx *store.Tx) error { return dump(sealed, h, tables, tx) })
	if err != nil {
		return err // without an end, so that what there is of it doesn't open
	}
	return sealed.Close()
}

func (m *Maker) header(kind string) Header {
	return Header{Kind: kind, ID: id.New("bak_", time.Now()), Box: m.cfg.Box, Made: time.Now().UTC().Truncate(time.Second), Schema: store.Schema()}
}

func (m *Maker) note(ctx context.Context, by, action, id, result string) error {
	return m.deps.Store.Write(ctx, func(tx *store.Tx) error { return m.append(tx, by, action, "backup "+id, result, "admin socket") })
}

func (m *Maker) append(tx *store.Tx, by, action, object, result, origin string) error {
	return m.deps.Audit.Append(tx, audit.Event{Actor: by, Action: action, Object: object, Result: result, Origin: origin, Time: time.Now()})
}
