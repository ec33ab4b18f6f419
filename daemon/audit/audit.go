// Package audit keeps the log of who did what: append-only, and tamper-evident.
//
// It exists because a log that its own box can rewrite proves nothing. Every entry is a leaf of a Merkle tree (package merkle) and bears the signature of the
// checkpoint that ends with it. Both are written in the transaction of the act itself: no act without its entry, no entry without its act. A box has one log
// and one key, also where boxes share a database.
//
// [Log.Verify] recomputes all of it and names the first bad entry: changed, missing, moved or cut off; what [Log.Export] writes can be checked so without the
// box. What neither can do alone: whoever owns both the database and the signing key can write a new history, and whoever owns the database can put back an
// old copy of it. So checkpoints must leave the box ([Log.Checkpoint], package witness), and are what a log is held against.
//
// Nothing here deletes an entry or changes one, however old: a year's entries must be there (PCI DSS 10.5.1), and what could prune older ones could prune others.
//
// What may be logged is declared, in one table (actions.go): an action that isn't there is refused. Every entry says who, what, to what, with what result, from
// where and when, and whether the clock that says when was synchronised (PCI DSS 10.2.2, 10.6).
//
// An entry must never hold a digit of a card beyond its last four, nor anything that a person keyed.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/store"
)

// Event says who did what. None of it may be left out.
type Event struct {
	Actor  string    `json:"actor"`  // who: a user of the admin socket, a line, the daemon
	Action string    `json:"action"` // what: one of those that actions.go declares
	Object string    `json:"object"` // to what: a token, a line
	Result string    `json:"result"` // ok, or why not
	Origin string    `json:"origin"` // from where: a socket, a capture
	Time   time.Time `json:"time"`
	Clock  Clock     `json:"clock"` // how the clock was when this was written; [Log.Append] knows
}

// Clock is the state of the clock that the log's times are of.
type Clock string

// The states of a clock. Until somebody says how it is, nobody knows.
const (
	Synchronised   Clock = "synchronised"
	Unsynchronised Clock = "not synchronised"
	UnknownClock   Clock = "unknown"
)

// Entry is an event at its place in the log, counted from 0.
type Entry struct {
	Seq int64 `json:"seq"`
	Event
}

// Config says whose log it is, and where its signing key.
type Config struct {
	// Box names the box, and with it the log, when its key is made. From then on the log has the name that is in the key.
	Box string
	// Shared: other boxes may have logs in this store. Where it isn't, every log there is was this box's.
	Shared bool
	// KeyFile holds the checkpoints' signing key, made at first start. 0600.
	KeyFile string
}

// Deps are what the log is built on.
type Deps struct {
	Store *store.DB
}

// Log is the audit log of one box. Safe for concurrent use.
type Log struct {
	store  *store.DB
	signer note.Signer
	key    note.Verifier
	public string
	box    string
	clock  atomic.Value // Clock
	last   *merkle.Tree // what the head was last, as far as the store's writer knows, who alone asks
}

// ErrTampered: the log isn't what was written. The error says which entry is the first bad one.
var ErrTampered = merkle.ErrTampered

// New opens the box's log, making its signing key at the first start. A key that is missing while the box has a log is an error: a new one would sign
// whatever is there now.
func New(ctx context.Context, cfg Config, deps Deps) (*Log, error) {
	l := &Log{store: deps.Store}
	l.ClockIs(UnknownClock)
	if err := l.openKey(ctx, cfg); err != nil {
		return nil, err
	}
	err := l.store.Write(ctx, func(tx *store.Tx) error { return l.begin(tx, cfg) })
	if err != nil {
		return nil, fmt.Errorf("audit: open the log of %s: %w", l.box, err)
	}
	return l, nil
}

// begin makes the log's head, if there is none. Where it takes the place of another, whose key is lost, its first entry says so.
func (l *Log) begin(tx *store.Tx, cfg Config) error {
	n, err := tx.Exec("INSERT INTO audit_head (box, size, edge) VALUES ($1, 0, $2) ON CONFLICT (box) DO NOTHING", l.box, []byte{})
	if err != nil || n == 0 {
		return err
	}
	before, err := l.before(tx, cfg)
	if err != nil || before == "" {
		return err
	}
	return l.Append(tx, Event{Actor: "flattoned", Action: "audit.begun", Object: "log of " + l.box, Result: "in the place of " + before + ", whose signing key is lost",
		Origin: "audit log", Time: time.Now()})
}

// before says which logs this box has had under another key; "" if none.
func (l *Log) before(tx *store.Tx, cfg Config) (string, error) {
	var all []string
	err := tx.Each(func(scan func(...any) error) error {
		var box string
		var size int64
		err := scan(&box, &size)
		if box != l.box && (!cfg.Shared || box == cfg.Box) {
			all = append(all, fmt.Sprintf("the log of %s with %d entries", box, size))
		}
		return err
	}, "SELECT box, size FROM audit_head ORDER BY box")
	return strings.Join(all, " and "), err
}

// Key is the log's public key, for whoever checks it elsewhere.
func (l *Log) Key() string { return l.public }

// ClockIs has entries from now on say so.
func (l *Log) ClockIs(c Clock) { l.clock.Store(c) }

// Clock is what entries say of it now.
func (l *Log) Clock() Clock { return l.clock.Load().(Clock) }

// Append writes an event in tx, signed together with all before it. It refuses an event that leaves anything out, or whose action isn't declared: the act then
// fails too, in the first test that does it.
func (l *Log) Append(tx *store.Tx, e Event) error {
	if e.Actor == "" || e.Object == "" || e.Result == "" || e.Origin == "" || e.Time.IsZero() {
		return fmt.Errorf("audit: append %s: an event needs actor, object, result, origin and time", e.Action)
	}
	if _, declared := Lookup(e.Action); !declared {
		return fmt.Errorf("audit: append: no action %q is declared", e.Action)
	}
	e.Clock = l.Clock()
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if err := l.append(tx, e); err != nil {
		return fmt.Errorf("audit: append %s: %w", e.Action, err)
	}
	return nil
}

// append goes by the head and not by the entries: those that were cut off stay a gap that Verify names, instead of being filled.
func (l *Log) append(tx *store.Tx, e Event) error {
	if l.last != nil {
		if added, err := l.grow(tx, e); added || err != nil {
			return err
		}
	}
	var err error
	if l.last, err = l.head(tx); err != nil { // nobody has asked yet, or what was added last didn't become durable
		return err
	}
	added, err := l.grow(tx, e)
	if err == nil && !added {
		err = fmt.Errorf("somebody else writes the log of %s", l.box)
	}
	return err
}

// grow adds an entry to the log as it was last, if it still is so.
func (l *Log) grow(tx *store.Tx, e Event) (added bool, err error) {
	seq, edge := l.last.Size(), l.last.Edge()
	body, err := json.Marshal(Entry{Seq: seq, Event: e})
	if err != nil {
		return false, err
	}
	tree := *l.last
	if err := tree.Add(body); err != nil {
		return false, err
	}
	n, err := tx.Exec("UPDATE audit_head SET size = $1, edge = $2 WHERE box = $3 AND size = $4 AND edge = $5", tree.Size(), tree.Edge(), l.box, seq, edge)
	if err != nil || n == 0 {
		return false, err
	}
	checkpoint, err := tree.Checkpoint(l.key.Name())
	if err != nil {
		return false, err
	}
	sig, err := l.signer.Sign(checkpoint.Text())
	if err != nil {
		return false, fmt.Errorf("sign the checkpoint: %w", err)
	}
	if _, err := tx.Exec("INSERT INTO audit_entry (box, seq, body, sig) VALUES ($1, $2, $3, $4)", l.box, seq, body, sig); err != nil {
		return false, err
	}
	l.last = &tree
	return true, nil
}

// head is the tree of the log as it is now.
func (l *Log) head(tx *store.Tx) (*merkle.Tree, error) {
	var size int64
	var edge []byte
	err := tx.One([]any{&size, &edge}, "SELECT size, edge FROM audit_head WHERE box = $1", l.box)
	if errors.Is(err, store.ErrNoRow) {
		return nil, fmt.Errorf("%w: its head is missing", ErrTampered)
	}
	if err != nil {
		return nil, err
	}
	tree, err := merkle.Resume(size, edge)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return tree, nil
}
