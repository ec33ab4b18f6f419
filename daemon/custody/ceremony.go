package custody

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/keys"
)

// Purpose is what custodians agree to. One that isn't here belongs to whoever asks for it ([Custody.Approve]).
type Purpose string

// The purposes of this package itself.
const (
	Unlock  Purpose = "unlock the vault"
	Enrol   Purpose = "enrol custodians"
	Replace Purpose = "replace the custodians"
)

// Agreed is called once enough custodians have agreed. The root is its own from then on, to close or to hand on. Its context ends with nobody's connection: what
// was agreed to is done.
type Agreed func(ctx context.Context, root keys.Root) error

// ceremony is one that is under way.
type ceremony struct {
	id      string
	purpose Purpose
	object  string // what it is about
	ends    time.Time
	timer   *time.Timer

	// of a ceremony in which shares are given
	set    *set
	shares map[int]*keys.Key // given, by position
	agreed Agreed
	// of an enrolment
	enrolment *enrolment
}

// about is the ceremony in the audit log.
func (n *ceremony) about() string { return string(n.purpose) + ": " + n.object }

// begin has a ceremony be the one that is under way. It is noted first.
func (c *Custody) begin(ctx context.Context, by string, n *ceremony) error {
	if c.now != nil {
		return &BusyError{c.now.purpose}
	}
	if err := c.note(ctx, by, "custody.began", n.about(), "ok"); err != nil {
		return err
	}
	n.id = newName()
	n.ends = time.Now().Add(CeremonyTime)
	n.timer = time.AfterFunc(CeremonyTime, func() { c.expire(n) })
	c.now = n
	return nil
}

// end wipes what the ceremony under way holds.
func (c *Custody) end() {
	n := c.now
	if n == nil {
		return
	}
	c.now = nil
	n.timer.Stop()
	for _, share := range n.shares {
		share.Destroy()
	}
	if n.enrolment != nil {
		n.enrolment.wipe()
	}
}

func (c *Custody) expire(n *ceremony) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != n {
		return
	}
	c.end()
	ctx, cancel := context.WithTimeout(context.Background(), noteTime)
	defer cancel()
	c.note(ctx, "flattoned", "custody.expired", n.about(), "ok") // a log that can't be written is told of elsewhere
}

// Approve begins a ceremony in which custodians agree to something, and answers with its name. Its object is what they are asked to agree to, in words for them.
func (c *Custody) Approve(ctx context.Context, by string, purpose Purpose, object string, agreed Agreed) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err = c.approve(ctx, by, purpose, object, agreed)
	if err != nil {
		return "", fmt.Errorf("custody: %s: %w", purpose, err)
	}
	return id, nil
}

func (c *Custody) approve(ctx context.Context, by string, purpose Purpose, object string, agreed Agreed) (id string, err error) {
	s, err := c.inForce(ctx)
	if err != nil {
		return "", err
	}
	n := &ceremony{purpose: purpose, object: object, set: s, shares: map[int]*keys.Key{}, agreed: agreed}
	if err := c.begin(ctx, by, n); err != nil {
		return "", err
	}
	return n.id, nil
}

// Unlock begins the ceremony that opens the vault, or answers with the one that is under way.
func (c *Custody) Unlock(ctx context.Context, by string) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil && c.now.purpose == Unlock {
		return c.now.id, nil
	}
	if !c.deps.Safe.Locked() {
		return "", fmt.Errorf("custody: unlock: %w", ErrSafeOpen)
	}
	id, err = c.approve(ctx, by, Unlock, "vault", func(ctx context.Context, root keys.Root) error {
		name, err := c.deps.Safe.Unlock(ctx, root)
		if err != nil {
			return joinClose(err, root)
		}
		return c.called(ctx, name)
	})
	if err != nil {
		return "", fmt.Errorf("custody: unlock: %w", err)
	}
	return id, nil
}

// Give is a custodian's agreement to the ceremony of that name, by his share: text as it stands on paper, in locked memory, which stays the caller's to wipe. It
// answers with how many are missing yet. The last one's answer is what came of it.
func (c *Custody) Give(ctx context.Context, by, person, id string, text []byte) (missing int, err error) {
	n, missing, err := c.give(ctx, by, person, id, text)
	if err == nil && missing == 0 {
		err = c.carryOut(context.WithoutCancel(ctx), by, n)
	}
	if err != nil {
		return missing, fmt.Errorf("custody: %w", err)
	}
	return missing, nil
}

func (c *Custody) give(ctx context.Context, by, person, id string, text []byte) (_ *ceremony, missing int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.now
	if n == nil || n.set == nil || n.id != id {
		return nil, 0, ErrNoCeremony
	}
	position, share, err := c.judge(ctx, by, person, n, text)
	if err != nil {
		return nil, 0, err
	}
	n.shares[position] = share
	if missing = n.set.need - len(n.shares); missing == 0 {
		// Nobody ends it now but who carries it out.
		c.now = nil
		n.timer.Stop()
	}
	return n, missing, nil
}

// carryOut opens the key, wipes the shares, and does what was agreed to.
func (c *Custody) carryOut(ctx context.Context, by string, n *ceremony) error {
	key, err := n.set.open(n.shares)
	for _, share := range n.shares {
		share.Destroy()
	}
	if err == nil {
		err = n.agreed(ctx, keys.Held(keys.Custodians, key))
	}
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	if noted := c.note(ctx, by, "custody.agreed", n.about(), result); err == nil {
		err = noted
	}
	return err
}
