// Package custody has a key of the vault kept by people: of n custodians any k open it together, each with a share on paper, and fewer can't.
//
// It exists for what no machine should decide alone (PCI DSS 3.7.6: split knowledge and dual control): to open the vault of a box whose TPM is gone, to have
// cards leave it, to destroy a key. A share is 32 random bytes that the box makes, shows its custodian once and forgets; the key
// is sealed once for every k of the n shares ([set]), not split by polynomials: so each share proves by itself whether it is right, and a wrong one can't make a wrong key.
//
// It promises that nothing is opened unless k different people have agreed within [CeremonyTime] to the same thing, each by his own share; that ten wrong
// attempts lock a custodian's own account for half an hour (daemon/lockout), and nobody else's; that every act, attempt, lock and end of a
// ceremony is in the audit log, in the transaction of what it changes. Shares lie in locked memory, and are wiped at the end of the ceremony. It must never
// write a share to a disk, tell one twice, or put one into an error, a log or an audit entry.
package custody

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

const (
	// CeremonyTime is how long a ceremony lasts at most. What was given till then is wiped.
	CeremonyTime = 15 * time.Minute
	// maxWrong attempts in a row lock a custodian's account: PCI DSS 8.3.4.
	maxWrong = 10
	// noteTime bounds how long the end of a ceremony waits for the log.
	noteTime = 5 * time.Second
)

// Errors of ceremonies, beside [lockout.Error] and [BusyError].
var (
	ErrNoCustodians = errors.New("there are no custodians yet")
	ErrNoCeremony   = errors.New("there is no such ceremony, or it is over")
	ErrNotCustodian = errors.New("is no custodian of this vault")
	ErrWrongShare   = errors.New("that is not the share")
	ErrOthersShare  = errors.New("that is another custodian's share")
	ErrOtherSet     = errors.New("that is a share of another set of custodians")
	ErrGiven        = errors.New("has agreed already: another custodian is to")
	ErrNotTaken     = errors.New("has taken no share yet")
	ErrSafeOpen     = errors.New("the vault is open")
	ErrSafeLocked   = errors.New("the vault is locked, and only its custodians open it")
)

// BusyError says which ceremony stands in the way of another.
type BusyError struct{ Purpose Purpose }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another ceremony is under way (%s)", e.Purpose)
}

// Safe is what the custodians' key opens: the vault.
type Safe interface {
	// Locked reports that nobody has opened it.
	Locked() bool
	// Unlock opens it by a root, which is the safe's from then on unless it fails, and answers with what it calls that root. A safe without any keys takes it as its first.
	Unlock(ctx context.Context, root keys.Root) (id string, err error)
	// AddRoot has a further root open it, which stays the caller's.
	AddRoot(ctx context.Context, by string, root keys.Root) (id string, err error)
	// DropRoot has a root no longer open it. It may refuse the one that it was opened by.
	DropRoot(ctx context.Context, by, id string) error
}

// Deps of [Custody].
type Deps struct {
	Store *store.DB
	Audit *audit.Log
	Safe  Safe
	Clock lockout.Clock
}

// Custody is the custodians of a vault and their ceremonies, one at a time. Safe for concurrent use.
//
//	none ──Enrol──▶ taking ──all have taken their shares and typed them back──▶ in force
//	  │▲   (of a set that is to replace another: once that has agreed)
//	  ││
//	  │└─ Abort, 15 minutes, Close: shares are wiped
//	  │                │
//	  └─Approve, Unlock──▶ giving ──k custodians gave their shares──▶ agreed
type Custody struct {
	deps Deps

	mu  sync.Mutex
	now *ceremony // nil: none
}

// New needs all of deps.
func New(deps Deps) *Custody { return &Custody{deps: deps} }

// Close ends a ceremony that is under way, and wipes its shares.
func (c *Custody) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// Abort ends the ceremony that is under way.
func (c *Custody) Abort(ctx context.Context, by string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	if now == nil {
		return fmt.Errorf("custody: abort: %w", ErrNoCeremony)
	}
	c.end() // whether that can be noted or not: it only gives up
	return c.note(ctx, by, "custody.aborted", now.about(), "ok")
}

// note writes one entry of the audit log by itself.
func (c *Custody) note(ctx context.Context, by, action, object, result string) error {
	return c.deps.Store.Write(ctx, func(tx *store.Tx) error { return c.append(tx, by, action, object, result) })
}

func (c *Custody) append(tx *store.Tx, by, action, object, result string) error {
	return c.deps.Audit.Append(tx, audit.Event{Actor: by, Action: action, Object: object, Result: result, Origin: "admin socket", Time: time.Now()})
}
