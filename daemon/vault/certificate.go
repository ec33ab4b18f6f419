package vault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Certificate is a statement of the box's, signed with the audit log's key: that a key was destroyed, what was shredded in a quarter, that a fingerprint key was made.
type Certificate struct {
	Kind    string // key-VERSION, purge-QUARTER, or fingerprint-DESTINATION
	Note    []byte // the signed note
	Created time.Time
}

// Certificates are all there are, newest first.
func (v *Vault) Certificates(ctx context.Context) (all []Certificate, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var c Certificate
			var created int64
			err := scan(&c.Kind, &c.Note, &created)
			c.Created = time.UnixMicro(created).UTC()
			all = append(all, c)
			return err
		}, "SELECT kind, note, created FROM certificate ORDER BY created DESC, kind")
	})
	if err != nil {
		return nil, fmt.Errorf("vault: list certificates: %w", err)
	}
	return all, nil
}

// certify signs a statement and keeps it.
func (v *Vault) certify(tx *store.Tx, kind, text string, now time.Time) error {
	note, err := v.audit.Sign(text)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO certificate (kind, note, created) VALUES ($1, $2, $3)", kind, note, now.UnixMicro())
	return err
}

// recoverability is what a shredded card's end depends on, in both kinds of certificates.
const recoverability = `A card is shredded by destroying its record key, which lay under a version of the key-encryption key. A backup
from before holds the record key still, sealed under that version: it ends with the last copy of the version, which
is in backups of keys alone. Destroy those that hold a version which was destroyed.
`

// keyDestroyed names the backups of keys that hold the version still.
func keyDestroyed(tx *store.Tx, version int64, now time.Time) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "flattone: a key was destroyed\n\nKey-encryption key: version %d\nDestroyed: %s\n", version, now.UTC().Format(time.RFC3339))
	err := tx.Each(func(scan func(...any) error) error {
		var number, made int64
		err := scan(&number, &made)
		fmt.Fprintf(&b, "Held by key backup: %d of %s\n", number, time.UnixMicro(made).UTC().Format(time.RFC3339))
		return err
	}, "SELECT number, made FROM key_backup WHERE oldest <= $1 AND newest >= $1 ORDER BY number", version)
	fmt.Fprintf(&b, "\nNothing lay under it any more. %s", recoverability)
	return b.String(), err
}

// certifyQuarter states what was shredded in the quarter before now's, once it is over, and that nothing is overdue (PCI DSS 3.2.1).
func (v *Vault) certifyQuarter(tx *store.Tx, now time.Time) error {
	now = now.UTC()
	to := time.Date(now.Year(), (now.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	from := to.AddDate(0, -3, 0)
	kind := fmt.Sprintf("purge-%dQ%d", from.Year(), (from.Month()-1)/3+1)
	var there, before int
	if err := tx.One([]any{&there, &before}, "SELECT (SELECT COUNT(*) FROM certificate WHERE kind = $1), (SELECT COUNT(*) FROM kek WHERE created < $2)",
		kind, to.UnixMicro()); err != nil {
		return err
	}
	if there > 0 || before == 0 { // or there was no vault yet
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "flattone: what was shredded in a quarter\n\nFrom: %s\nTo: %s\n", from.Format(time.DateOnly), to.Format(time.DateOnly))
	err := tx.Each(func(scan func(...any) error) error {
		var why string
		var kek, cards int64
		if err := scan(&why, &kek, &cards); err != nil {
			return err
		}
		fmt.Fprintf(&b, "Shredded: %d cards, %s, %s\n", cards, why, under(kek))
		return nil
	}, "SELECT why, kek, COUNT(*) FROM shred WHERE shredded >= $1 AND shredded < $2 GROUP BY why, kek ORDER BY why, kek", from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return err
	}
	var overdue, held int
	if err := tx.One([]any{&overdue, &held}, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN hold.token IS NULL THEN 0 ELSE 1 END), 0)
		FROM card LEFT JOIN hold ON hold.token = card.token WHERE expires <= $1`, now.UnixMicro()); err != nil {
		return err
	}
	fmt.Fprintf(&b, "Over time now, and not shredded: %d\nOver time, and on hold: %d\n\n%s", overdue-held, held, recoverability)
	return v.certify(tx, kind, b.String(), now)
}

func under(kek int64) string {
	if kek == 0 {
		return "of which no card was kept"
	}
	return fmt.Sprint("under key version ", kek)
}
