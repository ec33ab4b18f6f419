package audit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/store"
)

// Verify checks the whole log, entry by entry, against the signatures that its entries bear, against the head on which the next one builds, and against
// checkpoints that were kept elsewhere. It returns how many entries, from the first, are good; an [ErrTampered] names the first that isn't. Entries may be
// added meanwhile. It takes two minutes of one core for a million entries, most of it for their signatures (ARCHITECTURE.md has the figure), and the memory of a page.
func (l *Log) Verify(ctx context.Context, kept ...[]byte) (int64, error) {
	check, err := merkle.NewCheck(l.key, kept...)
	if err != nil {
		return 0, fmt.Errorf("audit: verify: %w: %w", ErrTampered, err)
	}
	if err := l.goOn(ctx, check, func([]byte) {}); err != nil {
		return check.Good(), fmt.Errorf("audit: verify: %w", err)
	}
	return check.Good(), nil
}

// goOn checks what was added since the check came to its end, and tells each good entry.
func (l *Log) goOn(ctx context.Context, check *merkle.Check, good func(body []byte)) error {
	for ended := false; !ended; {
		err := l.store.Read(ctx, func(tx *store.Tx) error {
			rows, err := l.pageFrom(tx, check.Good())
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.seq != check.Good() {
					return &merkle.Bad{Seq: check.Good(), Why: "is missing"}
				}
				if err := check.Add(r.body, r.sig); err != nil {
					return err
				}
				good(r.body)
			}
			if ended = len(rows) < page; !ended {
				return nil
			}
			return l.headFits(tx, check.Tree()) // in the same snapshot as the last page
		})
		if err != nil {
			return err
		}
	}
	return check.End()
}

// headFits compares the head with the entries that are there.
func (l *Log) headFits(tx *store.Tx, is *merkle.Tree) error {
	head, err := l.head(tx)
	switch {
	case err != nil:
		return err
	case head.Size() > is.Size():
		return &merkle.Bad{Seq: is.Size(), Why: fmt.Sprintf("is missing: the head counts %d", head.Size())}
	case head.Size() < is.Size():
		return &merkle.Bad{Seq: head.Size(), Why: "is there and the head doesn't count it: the head was changed, or an old one put back"}
	case !bytes.Equal(head.Edge(), is.Edge()):
		return fmt.Errorf("%w: entry %d would build on a head that was changed", ErrTampered, is.Size())
	}
	return nil
}
