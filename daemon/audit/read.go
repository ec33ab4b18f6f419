package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/flattone/flattone/daemon/audit/export"
	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/store"
)

// page is how many entries are read in one transaction. Entries never change, so a long reading need not be of one, which would keep the store's log from
// being shortened meanwhile.
const page = 1000

// row is an entry as it is stored.
type row struct {
	seq       int64
	body, sig []byte
}

// pageFrom reads the stored entries from a number on, as many as a page has.
func (l *Log) pageFrom(tx *store.Tx, from int64) (rows []row, err error) {
	err = tx.Each(func(scan func(...any) error) error {
		var r row
		err := scan(&r.seq, &r.body, &r.sig)
		rows = append(rows, r)
		return err
	}, "SELECT seq, body, sig FROM audit_entry WHERE box = $1 AND seq >= $2 ORDER BY seq LIMIT $3", l.box, from, page)
	return rows, err
}

// Recent returns the newest n entries, newest first.
func (l *Log) Recent(ctx context.Context, n int) ([]Entry, error) {
	var out []Entry
	err := l.store.Read(ctx, func(tx *store.Tx) error {
		return l.back(tx, math.MaxInt64, n, func(e Entry) error {
			out = append(out, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("audit: read recent entries: %w", err)
	}
	return out, nil
}

// back tells the n newest entries below a number, newest first, until each has an error.
func (l *Log) back(tx *store.Tx, below int64, n int, each func(Entry) error) error {
	return tx.Each(func(scan func(...any) error) error {
		var seq int64
		var body []byte
		if err := scan(&seq, &body); err != nil {
			return err
		}
		e, err := parse(seq, body)
		if err != nil {
			return err
		}
		return each(e)
	}, "SELECT seq, body FROM audit_entry WHERE box = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3", l.box, below, n)
}

func parse(seq int64, body []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(body, &e); err != nil {
		return Entry{Seq: seq}, &merkle.Bad{Seq: seq, Why: "isn't readable"}
	}
	if e.Seq != seq {
		return e, &merkle.Bad{Seq: seq, Why: fmt.Sprintf("says it is entry %d", e.Seq)}
	}
	return e, nil
}

// Checkpoint returns the newest signed checkpoint and how many entries it counts, to be kept where this box can't reach it; none while the log is empty. One
// that the last entry's signature doesn't fit is an [ErrTampered], and never leaves the box.
func (l *Log) Checkpoint(ctx context.Context) (signed []byte, size int64, err error) {
	err = l.store.Read(ctx, func(tx *store.Tx) error {
		tree, err := l.head(tx)
		if err != nil || tree.Size() == 0 {
			return err
		}
		size = tree.Size()
		var sig []byte
		err = tx.One([]any{&sig}, "SELECT sig FROM audit_entry WHERE box = $1 AND seq = $2", l.box, size-1)
		if errors.Is(err, store.ErrNoRow) {
			return &merkle.Bad{Seq: size - 1, Why: "is missing"}
		}
		if err == nil {
			signed, err = l.note(tree, sig)
		}
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("audit: read the checkpoint: %w", err)
	}
	return signed, size, nil
}

// note is a tree's checkpoint with its signature.
func (l *Log) note(tree *merkle.Tree, sig []byte) ([]byte, error) {
	checkpoint, err := tree.Checkpoint(l.key.Name())
	if err != nil {
		return nil, err
	}
	if !l.key.Verify(checkpoint.Text(), sig) {
		return nil, &merkle.Bad{Seq: tree.Size() - 1, Why: "or its signature was changed, or the log's head"}
	}
	return checkpoint.Note(l.key, sig), nil
}

// Export writes the whole log as package export has it, as it is when it begins. What was tampered with is exported as it is.
func (l *Log) Export(ctx context.Context, to io.Writer) error {
	if err := l.export(ctx, to); err != nil {
		return fmt.Errorf("audit: export: %w", err)
	}
	return nil
}

func (l *Log) export(ctx context.Context, to io.Writer) error {
	var head *merkle.Tree
	err := l.store.Read(ctx, func(tx *store.Tx) (err error) { head, err = l.head(tx); return err })
	if err != nil {
		return err
	}
	w, err := export.NewWriter(to, export.Header{Origin: l.key.Name(), Key: l.public, Size: head.Size(), Exported: time.Now().UTC()})
	if err != nil {
		return err
	}
	var sig []byte
	for from := int64(0); from < head.Size(); {
		var rows []row
		if err := l.store.Read(ctx, func(tx *store.Tx) (err error) { rows, err = l.pageFrom(tx, from); return err }); err != nil {
			return err
		}
		if len(rows) == 0 {
			break // cut off: the checkpoint counts more
		}
		for _, r := range rows {
			if r.seq >= head.Size() {
				break
			}
			// No entry has a line's end in it. One that was given one must not make two lines of the file: its signature fits neither way.
			if err := w.Entry(bytes.ReplaceAll(r.body, []byte("\n"), []byte(" ")), r.sig); err != nil {
				return err
			}
			sig = r.sig
		}
		from = rows[len(rows)-1].seq + 1
	}
	if head.Size() == 0 {
		return w.Close(nil)
	}
	checkpoint, err := head.Checkpoint(l.key.Name())
	if err != nil {
		return err
	}
	return w.Close(checkpoint.Note(l.key, sig))
}
