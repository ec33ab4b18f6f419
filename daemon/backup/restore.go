package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Source is what a store is restored from.
type Source struct {
	Data io.Reader
	// Purged is a purge log from later; nil: there is none.
	Purged io.Reader
	// Keys, and their versions, opened.
	Keys     *Keys
	Versions vault.Versions
}

// Restored is what came of it.
type Restored struct {
	Header
	Rows     int64
	Shredded int64 // cards that were shredded once more
}

// Restore puts a backup into a store that never was used, and the audit log's key into its file. All rows are there, or none: what was shredded is shredded once more in
// the same transaction. The store opens by its custodians alone then.
//
// Events that weren't delivered when the backup was made are due again, under the ids they had: who got them since gets them twice.
func Restore(ctx context.Context, db *store.DB, auditKey string, from Source) (done Restored, err error) {
	if err := empty(ctx, db); err != nil {
		return done, fmt.Errorf("backup: restore: %w", err)
	}
	data, err := unseal(from.Data, kindData, from.Versions)
	if err != nil {
		return done, fmt.Errorf("backup: restore: %w", err)
	}
	var purged *lines
	if from.Purged != nil {
		if purged, err = unseal(from.Purged, kindPurged, from.Versions); err != nil {
			return done, fmt.Errorf("backup: restore: purge log: %w", err)
		}
	}
	// Before the rows: without them it is a key of nothing.
	if err := private.Replace(auditKey, data.AuditKey, 0o600); err != nil {
		return done, fmt.Errorf("backup: restore: the audit log's key: %w", err)
	}
	done.Header = data.Header
	begun := false
	err = db.Write(ctx, func(tx *store.Tx) error {
		if begun {
			return errors.New("the database has ended the transaction: try once more")
		}
		begun = true
		return done.put(tx, data, purged, from.Keys)
	})
	if err != nil {
		return done, fmt.Errorf("backup: restore: %w", err)
	}
	return done, nil
}

// put writes all rows.
func (done *Restored) put(tx *store.Tx, data, purged *lines, k *Keys) (err error) {
	err = data.each(dataTables(), func(t store.Table, values []any) error {
		done.Rows++
		return insert(tx, t, values, "")
	})
	if err == nil {
		err = k.put(tx)
	}
	if err == nil && purged != nil {
		if err = purged.each(purgeTables(), func(t store.Table, values []any) error { return insert(tx, t, values, " ON CONFLICT DO NOTHING") }); err != nil {
			err = fmt.Errorf("purge log: %w", err)
		}
	}
	if err == nil {
		done.Shredded, err = vault.Replay(tx)
	}
	return err
}

// put writes what the data has of the versions, of which none may be missing, and the custodians'.
func (k *Keys) put(tx *store.Tx) error {
	alive := map[int64]bool{}
	err := tx.Each(func(scan func(...any) error) error {
		var version int64
		err := scan(&version)
		alive[version] = true
		return err
	}, "SELECT version FROM kek WHERE destroyed = 0")
	if err != nil {
		return err
	}
	held := map[int64]bool{}
	for _, b := range k.vault.Boxes {
		held[b.Version] = true
	}
	for version := range alive {
		if !held[version] {
			return fmt.Errorf("%w: the backup of keys is number %d of %s, and doesn't hold version %d, under which records of this backup may lie: give one from about the same time",
				vault.ErrWrongKey, k.Number, k.Made.Format("2006-01-02"), version)
		}
	}
	for _, r := range k.rows {
		if r.table.Name == "kek_box" && !alive[r.values[0].(int64)] {
			continue // made, or destroyed, since
		}
		if err := insert(tx, r.table, r.values, ""); err != nil {
			return err
		}
	}
	boxes := k.vault.Boxes
	return note(tx, k.Header, boxes[0].Version, boxes[len(boxes)-1].Version)
}

// empty refuses a store that has a row.
func empty(ctx context.Context, db *store.DB) error {
	return db.Read(ctx, func(tx *store.Tx) error {
		for _, t := range store.Tables() {
			var one int64
			switch err := tx.One([]any{&one}, "SELECT 1 FROM "+t.Name+" LIMIT 1"); {
			case err == nil:
				return fmt.Errorf("%w: table %s has rows", ErrNotEmpty, t.Name)
			case !errors.Is(err, store.ErrNoRow):
				return err
			}
		}
		return nil
	})
}
