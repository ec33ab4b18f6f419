package backup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Keys writes a backup of the keys, as the custodians have them. Its number and which versions it holds are noted before any of it leaves: the certificate of
// a version's destruction names those that hold it.
func (m *Maker) Keys(ctx context.Context, by string, to io.Writer) error {
	h := m.header(kindKeys)
	var file bytes.Buffer
	err := m.deps.Store.Write(ctx, func(tx *store.Tx) error {
		file.Reset()
		var oldest, newest int64
		err := tx.One([]any{&oldest, &newest, &h.Number}, `SELECT COALESCE(MIN(version), 0), COALESCE(MAX(version), 0), (SELECT COALESCE(MAX(number), 0) + 1 FROM key_backup)
			FROM kek_box`+custodians["kek_box"])
		if err == nil && newest == 0 {
			err = ErrNoCustodians
		}
		if err != nil {
			return err
		}
		if err := note(tx, h, oldest, newest); err != nil {
			return err
		}
		if err := dump(&file, h, tablesOfKeys(), tx); err != nil {
			return err
		}
		return m.append(tx, by, "key.backed_up", fmt.Sprint("key backup ", h.Number), "ok", fmt.Sprintf("versions %d to %d", oldest, newest))
	})
	if err == nil {
		_, err = file.WriteTo(to)
	}
	if err != nil {
		return fmt.Errorf("backup: keys: %w", err)
	}
	return nil
}

// note keeps that there is a backup of keys.
func note(tx *store.Tx, h Header, oldest, newest int64) error {
	_, err := tx.Exec("INSERT INTO key_backup (number, oldest, newest, made) VALUES ($1, $2, $3, $4) ON CONFLICT (number) DO NOTHING",
		h.Number, oldest, newest, h.Made.UnixMicro())
	return err
}

func tablesOfKeys() []store.Table {
	return slices.DeleteFunc(store.Tables(), func(t store.Table) bool { return !slices.Contains(keyTables, t.Name) })
}

// Keys is a backup of keys that was read: sealed still.
type Keys struct {
	Header
	rows  []row
	vault vault.KeyBackup
	set   custody.Enrolled
}

// row is one of a backup of keys.
type row struct {
	table  store.Table
	values []any
}

// maxKeys bounds a backup of keys, of which a version takes 2 KB.
const maxKeys = 64 << 20

// ReadKeys reads a backup of keys. It is not known to be what was written until custodians have opened it.
func ReadKeys(from io.Reader) (*Keys, error) {
	l, err := openLines(io.LimitReader(from, maxKeys), kindKeys)
	if err != nil {
		return nil, fmt.Errorf("backup: keys: %w", err)
	}
	k := &Keys{Header: l.Header, set: custody.Enrolled{Wraps: map[int][]byte{}}}
	people := map[string]int64{}
	err = l.each(tablesOfKeys(), func(t store.Table, values []any) error {
		k.rows = append(k.rows, row{t, values})
		col := map[string]any{}
		for i, c := range t.Columns {
			col[c.Name] = values[i]
		}
		switch t.Name {
		case "root":
			k.vault.Root, k.vault.Kind = col["id"].(string), keys.Kind(col["kind"].(string))
			k.vault.Public, k.vault.Seed = col["public"].([]byte), col["seed"].([]byte)
		case "kek_box":
			k.vault.Boxes = append(k.vault.Boxes, vault.KeyBox{Version: col["version"].(int64), Box: col["box"].([]byte), Vouched: col["vouched"].([]byte)})
		case "custodian_set":
			k.set.Set, k.set.Need = col["id"].(string), int(col["need"].(int64))
		case "custodian":
			people[col["person"].(string)] = col["position"].(int64)
			k.set.Custodians = append(k.set.Custodians, custody.EnrolledPerson{Name: col["person"].(string), Proof: col["proof"].([]byte)})
		case "custodian_wrap":
			k.set.Wraps[int(col["subset"].(int64))] = col["box"].([]byte)
		}
		return nil
	})
	if err == nil && len(k.vault.Boxes) == 0 {
		err = errors.Join(ErrDamaged, ErrNoCustodians)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: keys: %w", err)
	}
	slices.SortFunc(k.set.Custodians, func(a, b custody.EnrolledPerson) int { return cmp.Compare(people[a.Name], people[b.Name]) })
	return k, nil
}

// Custodians are who may open it.
func (k *Keys) Custodians() custody.Enrolled { return k.set }

// Open opens it by the custodians' root, which stays the caller's.
func (k *Keys) Open(root keys.Root) (vault.Versions, error) { return k.vault.Open(root) }
