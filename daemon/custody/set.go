package custody

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/bits"

	"github.com/flattone/flattone/daemon/keys"
)

// set is custodians who were enrolled together: all that is known of them but their shares and the key.
//
// The key is sealed once for every subset that is large enough, under one share after the other, as in envelopes within envelopes: the innermost under the share
// of the lowest position. A derived key (HKDF of all shares) would do as well, but Go's leaves what it derives from on the heap, where
// it is worth as much as the key; so this only needs what keys already does, and wipes.
type set struct {
	id    string
	need  int
	root  string   // what the safe calls the key, once it has it
	names []string // by position
	proof [][]byte // of each share, that it is the one
	wraps map[int][]byte
}

// newSet has a name, and no key yet.
func newSet(p Plan) *set { return &set{id: newName(), need: p.Need, names: p.People} }

// newName is what a set or a ceremony is called by.
func newName() string {
	raw := make([]byte, setSize)
	rand.Read(raw) // never fails: see crypto/rand
	return setName(raw)
}

// members binds what is sealed to the set as a whole: nobody is added to it, and no threshold lowered.
func (s *set) members(purpose string) keys.Binding {
	b := keys.Bind(purpose).Text(s.id).Number(int64(s.need)).Number(int64(len(s.names)))
	for _, name := range s.names {
		b = b.Text(name)
	}
	return b
}

func (s *set) proofAAD(position int) keys.Binding {
	return s.members("flattone custodian's share").Number(int64(position))
}

func (s *set) wrapAAD(subset, position int) keys.Binding {
	return s.members("flattone custodians' key").Number(int64(subset)).Number(int64(position))
}

// seal makes proofs and wraps of all shares, by position.
func (s *set) seal(key *keys.Key, shares []*keys.Key) error {
	s.proof, s.wraps = nil, map[int][]byte{}
	for i, share := range shares {
		proof, err := share.Seal(nil, s.proofAAD(i))
		if err != nil {
			return err
		}
		s.proof = append(s.proof, proof)
	}
	for subset := range 1 << len(shares) {
		if bits.OnesCount(uint(subset)) != s.need {
			continue
		}
		var box []byte
		err := key.Use(func(plain []byte) error {
			inner := plain
			for i, share := range shares {
				if subset&(1<<i) == 0 {
					continue
				}
				var err error
				if box, err = share.Seal(inner, s.wrapAAD(subset, i)); err != nil {
					return err
				}
				inner = box
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.wraps[subset] = box
	}
	return nil
}

// is reports whether a share is that of the custodian at a position.
func (s *set) is(share *keys.Key, position int) bool {
	return share.Open(nil, s.proof[position], s.proofAAD(position)) == nil
}

// errWraps: each share is right, and together they don't open. Nobody but the store can be at fault.
var errWraps = errors.New("the custodians' shares are right, but the sealed key in the store was altered: restore a backup")

// open opens the key with as many shares as it takes, by position.
func (s *set) open(shares map[int]*keys.Key) (*keys.Key, error) {
	subset := 0
	for i := range shares {
		subset |= 1 << i
	}
	box := s.wraps[subset]
	if len(box) != keys.Size+s.need*keys.Overhead {
		return nil, fmt.Errorf("%w: no box for these", errWraps)
	}
	for i := len(s.names) - 1; i >= 0; i-- {
		share := shares[i]
		switch {
		case share == nil:
			continue
		case len(box) == keys.Size+keys.Overhead:
			key, err := share.OpenKey(box, s.wrapAAD(subset, i))
			if err != nil {
				err = fmt.Errorf("%w: %w", errWraps, err)
			}
			return key, err
		}
		inner := make([]byte, len(box)-keys.Overhead) // sealed still, and so no secret
		if err := share.Open(inner, box, s.wrapAAD(subset, i)); err != nil {
			return nil, fmt.Errorf("%w: %w", errWraps, err)
		}
		box = inner
	}
	return nil, errWraps
}
