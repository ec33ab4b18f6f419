// Package merkle is the arithmetic of the audit log: a Merkle tree (RFC 6962, by golang.org/x/mod/sumdb/tlog), its signed checkpoints (C2SP tlog-checkpoint), and
// the check of a log against both.
//
// It exists apart from the log so that whoever holds an export and a public key can check it where there is no box, no database and no secret. It promises that
// [Check] names the first entry that isn't what was written, in one pass and constant memory. It does no I/O and knows no event: an entry is bytes that
// say their own number.
package merkle

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is a Merkle tree, of which its right edge is enough to go on: the roots of the complete subtrees that its leaves fall into, one for each bit
// of its size. The zero Tree is empty.
//
//	size 6 = 110b:   ∙       edge[2] = root of leaves 0-3
//	               ∙   ∙  ∙  edge[1] = root of leaves 4-5
//	              0 1 2 3 4 5
type Tree struct {
	size int64
	edge [63]tlog.Hash // by level; only those of the size's bits mean anything
}

// Size counts the leaves.
func (t *Tree) Size() int64 { return t.size }

// Add appends a leaf.
func (t *Tree) Add(leaf []byte) error {
	hashes, err := tlog.StoredHashes(t.size, leaf, t)
	if err != nil {
		return err
	}
	t.edge[len(hashes)-1] = hashes[len(hashes)-1]
	t.size++
	return nil
}

// Root is the tree's hash.
func (t *Tree) Root() (tlog.Hash, error) { return tlog.TreeHash(t.size, t) }

// ReadHashes implements [tlog.HashReader] for what adding a leaf and taking the root need: the edge.
func (t *Tree) ReadHashes(positions []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(positions))
	for i, p := range positions {
		level, n := tlog.SplitStoredHashIndex(p)
		if t.size>>level&1 == 0 || n != t.size>>level-1 {
			return nil, fmt.Errorf("hash %d of level %d is not on the edge of a tree of %d", n, level, t.size)
		}
		out[i] = t.edge[level]
	}
	return out, nil
}

// Edge is all there is to know of the tree but its size: its edge, the lowest level first, 32 bytes each.
func (t *Tree) Edge() []byte {
	edge := make([]byte, 0, tlog.HashSize*bits.OnesCount64(uint64(t.size)))
	for level := range t.edge {
		if t.size>>level&1 == 1 {
			edge = append(edge, t.edge[level][:]...)
		}
	}
	return edge
}

// Resume is the tree of a size and an edge.
func Resume(size int64, edge []byte) (*Tree, error) {
	if size < 0 || len(edge) != tlog.HashSize*bits.OnesCount64(uint64(size)) {
		return nil, errors.New("the tree's size and its edge don't belong together")
	}
	t := &Tree{size: size}
	for level := range t.edge {
		if size>>level&1 == 1 {
			copy(t.edge[level][:], edge)
			edge = edge[tlog.HashSize:]
		}
	}
	return t, nil
}
