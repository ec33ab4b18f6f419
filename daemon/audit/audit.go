// Package audit keeps the log of who did what: append-only, and tamper-evident.
//
// It exists because a log that its own box can rewrite proves nothing. Every entry is a leaf of a Merkle
// tree (RFC 6962, by golang.org/x/mod/sumdb/tlog), and every append signs the tree's new root and size as a
// checkpoint (a signed note, C2SP tlog-checkpoint). Entry, hashes and checkpoint are written in the
// transaction of the act itself: no act without its entry, no entry without its act.
//
// [Log.Verify] recomputes all of it and names the first bad entry: changed, missing, moved or cut off. What
// it can't do alone: whoever owns both the database and the signing key can write a new history, and whoever
// owns the database can restore an old copy of it. So checkpoints must leave the box ([Log.Checkpoint]), and
// Verify takes those that did.
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
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

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

// Config says where the signing key is.
type Config struct {
	// KeyFile holds the checkpoint's signing key, made at first start. 0600.
	KeyFile string
}

// Deps are what the log is built on.
type Deps struct {
	Store *store.DB
}

// Log is the audit log. Safe for concurrent use.
type Log struct {
	store    *store.DB
	signer   note.Signer
	verifier note.Verifier
	clock    atomic.Value // Clock
}

// ErrTampered: the log isn't what was written. The error says which entry is the first bad one.
var ErrTampered = errors.New("the audit log was tampered with")

// New opens the log, making its signing key at the first start. A key that is missing while the log has
// entries is an error: a new one would sign whatever is there now.
func New(ctx context.Context, cfg Config, deps Deps) (*Log, error) {
	var size int64
	err := deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		size, err = sizeOf(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: read the log: %w", err)
	}
	signer, verifier, err := openKey(cfg.KeyFile, size == 0)
	if err != nil {
		return nil, err
	}
	l := &Log{store: deps.Store, signer: signer, verifier: verifier}
	l.ClockIs(UnknownClock)
	return l, nil
}

// ClockIs has entries from now on say so.
func (l *Log) ClockIs(c Clock) { l.clock.Store(c) }

// Append writes an event in tx, with its hashes and a checkpoint over the log up to it. It refuses an event that leaves anything out, or whose action
// isn't declared: the act then fails too, in the first test that does it.
func (l *Log) Append(tx *store.Tx, e Event) error {
	if e.Actor == "" || e.Object == "" || e.Result == "" || e.Origin == "" || e.Time.IsZero() {
		return fmt.Errorf("audit: append %s: an event needs actor, object, result, origin and time", e.Action)
	}
	if _, declared := Lookup(e.Action); !declared {
		return fmt.Errorf("audit: append: no action %q is declared", e.Action)
	}
	e.Clock = l.clock.Load().(Clock)
	// The size comes from the checkpoints, not from the entries: cut-off entries then stay a gap that
	// Verify names, instead of being filled.
	seq, err := sizeOf(tx)
	if err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	body, err := json.Marshal(Entry{Seq: seq, Event: e})
	if err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	if _, err := tx.Exec("INSERT INTO audit_entry (seq, body) VALUES ($1, $2)", seq, body); err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	if err := l.grow(tx, seq, body); err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	return nil
}

// grow adds a record's hashes to the tree and signs the new root.
func (l *Log) grow(tx *store.Tx, seq int64, body []byte) error {
	stored := storedHashes{tx}
	hashes, err := tlog.StoredHashes(seq, body, stored)
	if err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, seq)
	for i, h := range hashes {
		if _, err := tx.Exec("INSERT INTO audit_hash (position, hash) VALUES ($1, $2)", first+int64(i), h[:]); err != nil {
			return err
		}
	}
	root, err := tlog.TreeHash(seq+1, stored)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: checkpointText(seq+1, root)}, l.signer)
	if err != nil {
		return fmt.Errorf("sign the checkpoint: %w", err)
	}
	_, err = tx.Exec("INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)", seq+1, signed)
	return err
}

// Recent returns the newest n entries, newest first.
func (l *Log) Recent(ctx context.Context, n int) ([]Entry, error) {
	var out []Entry
	err := l.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var seq int64
			var body []byte
			if err := scan(&seq, &body); err != nil {
				return err
			}
			e, err := parse(seq, body)
			out = append(out, e)
			return err
		}, "SELECT seq, body FROM audit_entry ORDER BY seq DESC LIMIT $1", n)
	})
	if err != nil {
		return nil, fmt.Errorf("audit: read recent entries: %w", err)
	}
	return out, nil
}

// Checkpoint returns the newest signed checkpoint, to be kept where this box can't reach it; nil while the
// log is empty.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	var signed []byte
	err := l.store.Read(ctx, func(tx *store.Tx) (err error) {
		signed, err = newest(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: read the checkpoint: %w", err)
	}
	return signed, nil
}

func parse(seq int64, body []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(body, &e); err != nil {
		return Entry{Seq: seq}, fmt.Errorf("%w: entry %d isn't readable", ErrTampered, seq)
	}
	if e.Seq != seq {
		return e, fmt.Errorf("%w: entry %d says it is entry %d", ErrTampered, seq, e.Seq)
	}
	return e, nil
}

func sizeOf(tx *store.Tx) (size int64, err error) {
	err = tx.One([]any{&size}, "SELECT COALESCE(MAX(size), 0) FROM audit_checkpoint")
	return size, err
}

func newest(tx *store.Tx) (signed []byte, err error) {
	err = tx.One([]any{&signed}, "SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
	if errors.Is(err, store.ErrNoRow) {
		return nil, nil
	}
	return signed, err
}
