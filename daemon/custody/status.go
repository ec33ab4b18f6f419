package custody

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Status is what may be known of custodians and their ceremony: no share, nor anything of one.
type Status struct {
	Set        string // its name, as on paper; empty where there are no custodians
	Root       string // what the safe calls their root
	Need       int
	Custodians []Custodian // by position
	Ceremony   *Ceremony   // nil: none is under way
}

// Custodian is one of them.
type Custodian struct {
	Person string
	Wrong  int           // attempts since the last good one
	Locked time.Duration // for how long yet
}

// Ceremony is one that is under way.
type Ceremony struct {
	ID      string
	Purpose Purpose
	About   string
	Ends    time.Time
	// Done are who have given their shares, or in an enrolment have typed theirs back; Missing is how many more it takes.
	Done    []string
	Missing int
}

// Status tells how things are.
func (c *Custody) Status(ctx context.Context) (Status, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s Status
	set, err := c.inForce(ctx)
	if err == nil {
		s.Set, s.Root, s.Need = set.id, set.root, set.need
		err = c.accounts(ctx, set, &s)
	}
	if err != nil && !errors.Is(err, ErrNoCustodians) {
		return s, fmt.Errorf("custody: status: %w", err)
	}
	s.Ceremony = c.now.status()
	return s, nil
}

func (c *Custody) accounts(ctx context.Context, set *set, s *Status) error {
	now := c.deps.Clock()
	return c.deps.Store.Read(ctx, func(tx *store.Tx) error {
		for _, person := range set.names {
			a, err := readAccount(tx, person)
			if err != nil {
				return err
			}
			s.Custodians = append(s.Custodians, Custodian{person, a.Tries, a.Left(now)})
		}
		return nil
	})
}

func (n *ceremony) status() *Ceremony {
	if n == nil {
		return nil
	}
	s := &Ceremony{ID: n.id, Purpose: n.purpose, About: n.object, Ends: n.ends}
	if e := n.enrolment; e != nil {
		for i, has := range e.confirmed {
			if has {
				s.Done = append(s.Done, e.set.names[i])
			}
		}
		s.Missing = len(e.set.names) - len(s.Done)
		return s
	}
	for i := range n.shares {
		s.Done = append(s.Done, n.set.names[i])
	}
	slices.Sort(s.Done)
	s.Missing = n.set.need - len(s.Done)
	return s
}
