package merkle

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
)

// ErrTampered: a log isn't what was written. Every [*Bad] is one.
var ErrTampered = errors.New("the audit log was tampered with")

// Bad is the first entry that isn't what was written, counted from 0. All before it are good.
type Bad struct {
	Seq int64
	Why string
}

func (b *Bad) Error() string { return fmt.Sprintf("%v: entry %d %s", ErrTampered, b.Seq, b.Why) }

// Is makes it an [ErrTampered].
func (b *Bad) Is(err error) bool { return err == ErrTampered }

// Check holds a log against its signatures, entry by entry, and against checkpoints that were kept where who could write the log couldn't get at them.
//
// Each entry bears the signature of the checkpoint that ends with it, so an entry that is changed, dropped, added or moved is named by its own signature. What
// only a kept checkpoint tells: that the log's end is gone, signatures and all, or that it was written anew by somebody who had the key.
type Check struct {
	by   note.Verifier
	tree Tree
	kept []Checkpoint // those ahead, the shortest first
	held int64        // entries that a kept checkpoint vouches for
}

// NewCheck begins a check by a log's key. A kept checkpoint that isn't signed by it is an error.
func NewCheck(by note.Verifier, kept ...[]byte) (*Check, error) {
	c := &Check{by: by}
	for i, k := range kept {
		checkpoint, err := Open(k, by)
		if err != nil {
			return nil, fmt.Errorf("kept checkpoint %d: %w", i+1, err)
		}
		c.kept = append(c.kept, checkpoint)
	}
	slices.SortFunc(c.kept, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	return c, nil
}

// Good counts the entries that are good.
func (c *Check) Good() int64 { return c.tree.size }

// Held counts the entries, from the first, that a kept checkpoint vouches for.
func (c *Check) Held() int64 { return c.held }

// Tree is that of the good entries.
func (c *Check) Tree() *Tree { return &c.tree }

// Add checks the next entry and the signature that it bears.
func (c *Check) Add(body, sig []byte) error {
	seq := c.tree.size
	var says struct {
		Seq *int64 `json:"seq"`
	}
	switch err := json.Unmarshal(body, &says); {
	case err != nil || says.Seq == nil:
		return &Bad{seq, "isn't readable"}
	case *says.Seq != seq:
		return &Bad{seq, fmt.Sprintf("is missing: entry %d stands in its place", *says.Seq)}
	}
	grown := c.tree
	if err := grown.Add(body); err != nil {
		return err
	}
	signed, err := grown.Checkpoint(c.by.Name())
	if err != nil {
		return err
	}
	if !c.by.Verify(signed.Text(), sig) {
		return &Bad{seq, "or its signature was changed"}
	}
	for len(c.kept) > 0 && c.kept[0].Size == signed.Size {
		if c.kept[0].Root != signed.Root {
			return &Bad{c.held, fmt.Sprintf("or one up to %d is not the one that was signed then, though it is signed now: who did it had the signing key", seq)}
		}
		c.kept, c.held = c.kept[1:], signed.Size
	}
	c.tree = grown
	return nil
}

// End says whether a kept checkpoint counts more entries than there were.
func (c *Check) End() error {
	if n := len(c.kept); n > 0 {
		return &Bad{c.tree.size, fmt.Sprintf("is missing: a checkpoint that was kept counts %d entries. The log was cut off, or an old copy was put back", c.kept[n-1].Size)}
	}
	return nil
}
