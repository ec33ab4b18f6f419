package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/flattone/flattone/daemon/store"
)

// Verify recomputes the whole log from its entries and compares it with the newest checkpoint, with the
// stored hashes, and with checkpoints that were kept elsewhere. It returns how many entries, from the
// first, are good; an [ErrTampered] names the first that isn't.
func (l *Log) Verify(ctx context.Context, kept ...[]byte) (int64, error) {
	var good int64
	err := l.store.Read(ctx, func(tx *store.Tx) (err error) {
		good, err = l.verify(tx, kept)
		return err
	})
	if err != nil {
		return good, fmt.Errorf("audit: verify: %w", err)
	}
	return good, nil
}

func (l *Log) verify(tx *store.Tx, kept [][]byte) (int64, error) {
	t, err := recompute(tx)
	if err != nil {
		return 0, err
	}
	signed, err := newest(tx)
	switch {
	case err != nil:
		return 0, err
	case signed == nil && t.size > 0:
		return 0, fmt.Errorf("%w: entry 0 has no checkpoint", ErrTampered)
	case signed != nil:
		if err := l.newestFits(signed, t); err != nil {
			return l.locate(tx, t, err)
		}
	}
	if err := hashesFit(tx, t); err != nil {
		return 0, err
	}
	for _, k := range kept {
		if _, err := l.fits(k, t); err != nil {
			return 0, fmt.Errorf("against a checkpoint kept elsewhere: %w", err)
		}
	}
	return t.size, nil
}

// recomputed is the tree of the entries as they are now, up to the first gap.
type recomputed struct {
	size   int64
	hashes memoryHashes
}

func recompute(tx *store.Tx) (t recomputed, err error) {
	gap := errors.New("gap")
	err = tx.Each(func(scan func(...any) error) error {
		var seq int64
		var body []byte
		if err := scan(&seq, &body); err != nil {
			return err
		}
		if seq != t.size {
			return gap
		}
		hashes, err := tlog.StoredHashes(seq, body, t.hashes)
		if err != nil {
			return err
		}
		t.hashes = append(t.hashes, hashes...)
		t.size++
		return nil
	}, "SELECT seq, body FROM audit_entry ORDER BY seq")
	if errors.Is(err, gap) {
		err = nil // the checkpoint counts more than there are
	}
	return t, err
}

// fits checks a checkpoint: its signature, that the log is at least as long, and that it has that root.
func (l *Log) fits(signed []byte, t recomputed) (tlog.Tree, error) {
	tree, err := openCheckpoint(signed, l.verifier)
	if err != nil {
		return tree, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if tree.N > t.size {
		return tree, fmt.Errorf("%w: entry %d is missing: %d were signed", ErrTampered, t.size, tree.N)
	}
	root, err := tlog.TreeHash(tree.N, t.hashes)
	if err != nil {
		return tree, err
	}
	if root != tree.Hash {
		return tree, fmt.Errorf("%w: the first %d entries are not those that were signed", ErrTampered, tree.N)
	}
	return tree, nil
}

func (l *Log) newestFits(signed []byte, t recomputed) error {
	tree, err := l.fits(signed, t)
	if err == nil && tree.N < t.size {
		err = fmt.Errorf("%w: entry %d has no checkpoint", ErrTampered, tree.N)
	}
	return err
}

// locate finds the first entry that the checkpoint made with it no longer fits. It falls back on what is
// known when those of all entries that are there still fit.
func (l *Log) locate(tx *store.Tx, t recomputed, known error) (int64, error) {
	var good int64
	err := tx.Each(func(scan func(...any) error) error {
		var size int64
		var signed []byte
		if err := scan(&size, &signed); err != nil {
			return err
		}
		if size > t.size {
			return known
		}
		tree, err := l.fits(signed, t)
		switch {
		case err == nil && tree.N == size && size == good+1:
			good = size
			return nil
		case err != nil && !errors.Is(err, ErrTampered):
			return err
		}
		return fmt.Errorf("%w: entry %d or its checkpoint was changed", ErrTampered, good)
	}, "SELECT size, note FROM audit_checkpoint ORDER BY size")
	if err == nil {
		err = known
	}
	return good, err
}

// hashesFit compares the stored hashes, on which the next append builds, with the recomputed ones.
func hashesFit(tx *store.Tx, t recomputed) error {
	var next int64
	err := tx.Each(func(scan func(...any) error) error {
		var position int64
		var h []byte
		if err := scan(&position, &h); err != nil {
			return err
		}
		switch {
		case next == int64(len(t.hashes)):
			return fmt.Errorf("%w: entry %d is missing: its hash is still there", ErrTampered, t.size)
		case position != next || string(h) != string(t.hashes[next][:]):
			return fmt.Errorf("%w: a hash of entry %d was changed", ErrTampered, writer(next))
		}
		next++
		return nil
	}, "SELECT position, hash FROM audit_hash ORDER BY position")
	if err == nil && next < int64(len(t.hashes)) {
		err = fmt.Errorf("%w: a hash of entry %d is missing", ErrTampered, writer(next))
	}
	return err
}

// writer is the entry whose append stored the hash at a position: the last leaf below it.
func writer(position int64) int64 {
	level, n := tlog.SplitStoredHashIndex(position)
	return (n+1)<<level - 1
}
