package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/backup"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Backups are the files of a restore.
type Backups struct {
	Data, Keys string
	Purged     string // "": there is no later purge log
}

// Restore makes the vault of a box that never ran from backups, with as many custodians as it takes: each types his share when say asks for it, into input. The vault opens by
// them, and by the root of cfg if that names one, from then on. It must not run while flattoned does, and refuses a state folder that has anything in it.
func Restore(ctx context.Context, cfg *config.Config, from Backups, input io.Reader, say func(string)) (err error) {
	var own keys.Root // nil: the custodians alone
	if !cfg.Vault.Custodians {
		if own, err = openRoot(cfg.Vault); err != nil { // first: it is the likeliest to be missing
			return err
		}
		defer func() { err = errors.Join(err, own.Close()) }()
	}
	src, root, who, err := openBackups(from, input, say)
	if err != nil {
		return err
	}
	defer src.Versions.Close()
	closing := func(c io.Closer) { err = errors.Join(err, c.Close()) }
	defer closing(root)
	data, err := os.Open(from.Data)
	if err != nil {
		return err
	}
	defer data.Close()
	src.Data = data
	if from.Purged != "" {
		purged, err := os.Open(from.Purged)
		if err != nil {
			return err
		}
		defer purged.Close()
		src.Purged = purged
	}
	box, err := boxName(cfg)
	if err != nil {
		return err
	}
	kept := storeConfig(cfg, box)
	kept.Unhurried = true
	db, err := store.Open(ctx, kept)
	if err != nil {
		return err
	}
	defer closing(db)
	done, err := backup.Restore(ctx, db, auditKey(cfg), src)
	if err != nil {
		return err
	}
	if err := settleRestored(ctx, cfg, db, done, own, root, who); err != nil {
		return fmt.Errorf("all rows are restored, but: %w; move the state folder away, make a new database if it is PostgreSQL's, and restore once more", err)
	}
	say(fmt.Sprintf("Restored %d rows of %s, as of %s. Cards that were shredded since, and are again: %d.\nStart flattoned now: events that weren't delivered are due again.\n",
		done.Rows, done.Box, done.Made.Format(time.DateTime), done.Shredded))
	return nil
}

// settleRestored has the box's own root, if it has one, open what was restored, and the audit log know.
func settleRestored(ctx context.Context, cfg *config.Config, db *store.DB, done backup.Restored, own, custodians keys.Root, who []string) (err error) {
	log, err := audit.New(ctx, auditConfig(cfg, done.Box), audit.Deps{Store: db})
	if err != nil {
		return err
	}
	if _, err := log.Verify(ctx, done.Checkpoint); err != nil {
		return err
	}
	v, err := vault.New(ctx, vault.Config{}, vault.Deps{Store: db, Root: lent{custodians}, Audit: log,
		Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return errors.New("nothing is sealed in a restore") })})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if own != nil {
		if _, err := v.AddRoot(ctx, "flattoned", own); err != nil {
			return err
		}
	}
	return db.Write(ctx, func(tx *store.Tx) error {
		return log.Append(tx, audit.Event{Actor: "flattoned", Action: "backup.restored", Object: "backup " + done.ID, Result: fmt.Sprintf("%d rows, %d cards shredded again", done.Rows, done.Shredded),
			Origin: "shares of " + strings.Join(who, ", "), Time: time.Now()})
	})
}

// lent is a root that stays its lender's.
type lent struct{ keys.Root }

func (lent) Close() error { return nil }

// openBackups reads the backup of keys and has custodians open it.
func openBackups(from Backups, input io.Reader, say func(string)) (src backup.Source, root keys.Root, who []string, err error) {
	f, err := os.Open(from.Keys)
	if err != nil {
		return src, nil, nil, err
	}
	defer f.Close()
	if src.Keys, err = backup.ReadKeys(f); err != nil {
		return src, nil, nil, err
	}
	g, err := custody.Gather(src.Keys.Custodians())
	if err != nil {
		return src, nil, nil, err
	}
	defer g.Close()
	need, people := g.Need()
	say(fmt.Sprintf("Key backup %d of %s, made %s. It takes the shares of %d of %s.\n", src.Keys.Number, src.Keys.Box, src.Keys.Made.Format(time.DateTime), need, strings.Join(people, ", ")))
	for missing := need; missing > 0; {
		say(fmt.Sprintf("A share, as it stands on paper, then an empty line (%d missing): ", missing))
		var person string
		if person, missing, err = g.Read(input); errors.Is(err, custody.ErrNoShares) {
			return src, nil, nil, err
		}
		if err != nil {
			say(err.Error() + "\n")
			continue
		}
		who = append(who, person)
		say("That is " + person + "'s.\n")
	}
	if root, err = g.Root(); err != nil {
		return src, nil, nil, err
	}
	if src.Versions, err = src.Keys.Open(root); err != nil {
		return src, nil, nil, errors.Join(err, root.Close())
	}
	return src, root, who, nil
}
