package custody

import (
	"errors"
	"fmt"
	"io"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
)

// Enrolled is a set of custodians as the store has it, and so a backup of keys: nothing of a share.
type Enrolled struct {
	Set        string
	Need       int
	Custodians []EnrolledPerson // by position
	Wraps      map[int][]byte
}

// EnrolledPerson is one of them: his name, and what tells his share from others.
type EnrolledPerson struct {
	Name  string
	Proof []byte
}

// Gathering is shares that are given where there is no box yet to hold a ceremony: for a restore. There are no accounts to lock either: whoever has the backup of
// keys could try shares without this, and 256 random bits are not guessed. For one goroutine. Close it at the end.
type Gathering struct {
	set    *set
	shares map[int]*keys.Key
}

// Gather begins one.
func Gather(e Enrolled) (*Gathering, error) {
	s := &set{id: e.Set, need: e.Need, wraps: e.Wraps}
	for _, c := range e.Custodians {
		s.names, s.proof = append(s.names, c.Name), append(s.proof, c.Proof)
	}
	if err := (Plan{s.need, s.names}).check(); err != nil {
		return nil, fmt.Errorf("custody: the set that was kept makes no sense: it was changed, or is damaged: %w", err)
	}
	return &Gathering{s, map[int]*keys.Key{}}, nil
}

// Need is how many shares it takes, and People whose they may be.
func (g *Gathering) Need() (shares int, of []string) { return g.set.need, g.set.names }

// Give takes a share: text as it stands on paper, in locked memory, which stays the caller's to wipe. It answers with whose it is, and how many are missing yet.
func (g *Gathering) Give(text []byte) (person string, missing int, err error) {
	missing = g.set.need - len(g.shares)
	of, position, share, err := read(text)
	if err != nil {
		return "", missing, fmt.Errorf("custody: %w", err)
	}
	switch {
	case of != g.set.id:
		err = ErrOtherSet
	case position >= len(g.set.names) || !g.set.is(share, position):
		err = ErrWrongShare
	case g.shares[position] != nil:
		err = ErrGiven
	}
	if err != nil {
		share.Destroy()
		return "", missing, fmt.Errorf("custody: %w", err)
	}
	g.shares[position] = share
	return g.set.names[position], missing - 1, nil
}

// ErrNoShares: there is nothing more to read a share from.
var ErrNoShares = errors.New("the shares ended before there were enough of them")

// Read is [Gathering.Give] for a share that is typed, with an empty line after it. It goes into locked memory byte by byte: nothing on the way keeps any of it.
func (g *Gathering) Read(input io.Reader) (person string, missing int, err error) {
	page, err := locked.Bytes(2 * PaperSize)
	if err != nil {
		return "", 0, errors.Join(ErrNoShares, err)
	}
	defer locked.Free(page)
	for n := range 2 * PaperSize {
		if _, err := io.ReadFull(input, page[n:n+1]); err != nil {
			return "", 0, fmt.Errorf("custody: %w: %w", ErrNoShares, err)
		}
		if page[n] == '\n' && (n == 0 || page[n-1] == '\n') {
			return g.Give(page[:n])
		}
	}
	return g.Give(page[:2*PaperSize])
}

// Root is the custodians' key, once none is missing. It is the caller's to close.
func (g *Gathering) Root() (keys.Root, error) {
	key, err := g.set.open(g.shares)
	if err != nil {
		return nil, fmt.Errorf("custody: %w", err)
	}
	return keys.Held(keys.Custodians, key), nil
}

// Close wipes the shares.
func (g *Gathering) Close() {
	for _, share := range g.shares {
		share.Destroy()
	}
	g.shares = nil
}
