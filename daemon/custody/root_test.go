package custody

import (
	"testing"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/keystest"
)

// TestRoot holds the custodians' root to what every root is: opened each time by two of three, and other ones each time.
func TestRoot(t *testing.T) {
	keystest.Root(t, keys.Custodians, people(t), people(t))
}

// people opens the root of a new set.
func people(t *testing.T) keystest.Opener {
	s, key, shares := newSet(Plan{2, three}), random(t), []*keys.Key{random(t), random(t), random(t)}
	defer key.Destroy()
	t.Cleanup(func() {
		for _, share := range shares {
			share.Destroy()
		}
	})
	if err := s.seal(key, shares); err != nil {
		t.Fatal(err)
	}
	n := 0
	return func(t *testing.T) keys.Root {
		t.Helper()
		n++
		one, other := n%3, (n+1)%3
		key, err := s.open(map[int]*keys.Key{one: shares[one], other: shares[other]})
		if err != nil {
			t.Fatal(err)
		}
		return keys.Held(keys.Custodians, key)
	}
}
