package custody

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// enrolment is a set that is coming to be. Its shares are in locked memory until all are on paper.
type enrolment struct {
	set       *set
	shares    []*keys.Key // by position; nil: not taken
	confirmed []bool
}

func (e *enrolment) wipe() {
	for _, share := range e.shares {
		if share != nil {
			share.Destroy()
		}
	}
}

// Enrol begins the enrolment of custodians. Where there are some already, it begins the ceremony in which they agree to be replaced: with that, the
// enrolment begins.
func (c *Custody) Enrol(ctx context.Context, by string, p Plan) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("custody: enrol: %w: %w", ErrPlan, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.inForce(ctx)
	switch {
	case errors.Is(err, ErrNoCustodians):
		err = c.enrol(ctx, by, p)
	case err != nil:
	case c.deps.Safe.Locked():
		err = ErrSafeLocked
	default:
		_, err = c.approve(ctx, by, Replace, p.words(), func(ctx context.Context, root keys.Root) error {
			if err := root.Close(); err != nil {
				return err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.enrol(ctx, by, p)
		})
	}
	if err != nil {
		return fmt.Errorf("custody: enrol: %w", err)
	}
	return nil
}

// ErrPlan: these people, and that number of them, can't be custodians.
var ErrPlan = errors.New("no custody")

// words are the plan for people.
func (p Plan) words() string { return fmt.Sprintf("%d of %s", p.Need, strings.Join(p.People, ", ")) }

func (c *Custody) enrol(ctx context.Context, by string, p Plan) error {
	n := len(p.People)
	return c.begin(ctx, by, &ceremony{purpose: Enrol, object: p.words(),
		enrolment: &enrolment{newSet(p), make([]*keys.Key, n), make([]bool, n)}})
}

// taking is the enrolment under way, and person's position in it.
func (c *Custody) taking(ctx context.Context, by, person string) (e *enrolment, position int, err error) {
	if c.now == nil || c.now.enrolment == nil {
		return nil, 0, ErrNoCeremony
	}
	e = c.now.enrolment
	if position = slices.Index(e.set.names, person); position < 0 {
		return nil, 0, errors.Join(ErrNotCustodian, c.note(ctx, by, "custodian.refused", "person "+person, ErrNotCustodian.Error()))
	}
	return e, position, nil
}

// Take makes person's share and writes it into dst, which has room for [PaperSize] bytes and is locked: this once. Who takes it has acknowledged what a
// custodian's duty is (PCI DSS 3.7.9), which is noted with it. Taken again, before it is confirmed, it is another one.
func (c *Custody) Take(ctx context.Context, by, person string, dst []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.take(ctx, by, person, dst); err != nil {
		return fmt.Errorf("custody: take: %w", err)
	}
	return nil
}

func (c *Custody) take(ctx context.Context, by, person string, dst []byte) error {
	e, position, err := c.taking(ctx, by, person)
	if err != nil {
		return err
	}
	if e.confirmed[position] {
		return ErrConfirmed
	}
	share, err := keys.Random()
	if err != nil {
		return err
	}
	err = c.deps.Store.Write(ctx, func(tx *store.Tx) error {
		if err := c.append(tx, by, "custodian.acknowledged", "person "+person, "ok"); err != nil {
			return err
		}
		return c.append(tx, by, "custodian.took", "person "+person, "ok")
	})
	if err == nil {
		err = paper(dst, e.set.id, position, share)
	}
	if err != nil {
		share.Destroy()
		return err
	}
	if old := e.shares[position]; old != nil {
		old.Destroy()
	}
	e.shares[position] = share
	return nil
}

// ErrConfirmed: the share is on paper and was typed back.
var ErrConfirmed = errors.New("has a share already, and has typed it back")

// Confirm is person's share typed back, as in [Custody.Give]: that it stands on paper as it should. With the last one the set is in force.
func (c *Custody) Confirm(ctx context.Context, by, person string, text []byte) (missing int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	missing, err = c.confirm(ctx, by, person, text)
	if err != nil {
		return missing, fmt.Errorf("custody: confirm: %w", err)
	}
	return missing, nil
}

func (c *Custody) confirm(ctx context.Context, by, person string, text []byte) (missing int, err error) {
	e, position, err := c.taking(ctx, by, person)
	switch {
	case err != nil:
		return 0, err
	case e.confirmed[position]:
		return 0, ErrConfirmed
	case e.shares[position] == nil:
		return 0, ErrNotTaken
	}
	if err := e.matches(position, text); err != nil {
		return 0, err
	}
	if err := c.note(ctx, by, "custodian.confirmed", "person "+person, "ok"); err != nil {
		return 0, err
	}
	e.confirmed[position] = true
	for _, has := range e.confirmed {
		if !has {
			missing++
		}
	}
	if missing > 0 {
		return missing, nil
	}
	defer c.end()
	return 0, c.enforce(context.WithoutCancel(ctx), by, e)
}

// matches holds what was typed against the share that was taken.
func (e *enrolment) matches(position int, text []byte) error {
	of, at, share, err := read(text)
	if err != nil {
		return err
	}
	defer share.Destroy()
	// The proof is made of the one and opened by the other.
	proof, err := e.shares[position].Seal(nil, nil)
	if err == nil && (of != e.set.id || at != position || share.Open(nil, proof, nil) != nil) {
		err = ErrWrongShare
	}
	return err
}

// enforce puts the set in force, and the custodians it replaces out of it. The safe knows the new root before the old set is gone: if this ends half way, one of the two
// opens it.
func (c *Custody) enforce(ctx context.Context, by string, e *enrolment) error {
	key, err := keys.Random()
	if err != nil {
		return err
	}
	root := keys.Held(keys.Custodians, key)
	err = e.set.seal(key, e.shares)
	if err != nil {
		return joinClose(err, root)
	}
	old, err := c.inForce(ctx)
	if err != nil && !errors.Is(err, ErrNoCustodians) {
		return joinClose(err, root)
	}
	if first := c.deps.Safe.Locked(); first && old == nil {
		return c.enforceFirst(ctx, by, e.set, root)
	}
	if e.set.root, err = c.deps.Safe.AddRoot(ctx, by, root); err != nil {
		return joinClose(err, root)
	}
	if err := c.replace(ctx, by, e.set); err != nil {
		return joinClose(err, root)
	}
	if old == nil || old.root == "" {
		return root.Close()
	}
	if err := c.deps.Safe.DropRoot(ctx, by, old.root); err == nil {
		return root.Close()
	}
	// It was opened by the old one: the new one takes its place.
	if _, err := c.deps.Safe.Unlock(ctx, root); err != nil {
		return joinClose(err, root)
	}
	return c.deps.Safe.DropRoot(ctx, by, old.root)
}

// enforceFirst is the start of a vault that has no keys yet, and no other root. The set is in force before the vault has a key of it.
func (c *Custody) enforceFirst(ctx context.Context, by string, s *set, root keys.Root) error {
	if err := c.replace(ctx, by, s); err != nil {
		return joinClose(err, root)
	}
	name, err := c.deps.Safe.Unlock(ctx, root)
	if err != nil {
		return joinClose(err, root)
	}
	return c.called(ctx, name)
}

// replace has the store know a set, and no other.
func (c *Custody) replace(ctx context.Context, by string, s *set) error {
	return c.deps.Store.Write(ctx, func(tx *store.Tx) error {
		if err := s.enforce(tx); err != nil {
			return err
		}
		return c.append(tx, by, "custody.enrolled", "custodians "+Plan{s.need, s.names}.words(), "ok")
	})
}
