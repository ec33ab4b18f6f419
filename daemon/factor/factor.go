// Package factor keeps people's second factors: secrets shared with an authenticator on their telephones, which turns them into codes of the minute (TOTP,
// RFC 6238, written here: it is fifteen lines over the standard library's HMAC, and no library of it does without a picture drawer).
//
// It exists so that a stolen password or key of somebody who works on the box from afar is not enough to change what a line is, or to touch a key.
//
// It promises that no code is taken twice; that five wrong ones in a row lock the person's factor for half an hour, whatever is done to the machine and its clock (daemon/lockout); that each
// enrolment, code, lock and removal is in the audit log, in the same transaction; and that a secret lies in the store sealed only, and is told once. It must
// never put a secret or a code into an error, a log or an audit entry.
package factor

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

const (
	maxWrong = 5
	// drift is how many periods a telephone's clock may be off, either way.
	drift = 1
)

// Errors of a factor, beside [lockout.Error].
var (
	ErrNone     = errors.New("there is no second factor")
	ErrEnrolled = errors.New("there is a second factor already")
	ErrWrong    = errors.New("that is not the code of this minute")
	ErrUsed     = errors.New("that code was used already")
)

// Safe keeps secrets, sealed: the vault.
type Safe interface {
	// Keep is false, and changes nothing, where owner has something of that purpose already.
	Keep(tx *store.Tx, purpose, owner string, plain []byte) (kept bool, err error)
	Recall(tx *store.Tx, purpose, owner string, dst []byte) error
	Drop(tx *store.Tx, purpose, owner string) error
}

// purpose is what the safe knows secrets by.
const purpose = "factor"

// Config of [Factors].
type Config struct {
	// Box is what an authenticator calls the box: its host name.
	Box string
}

// Deps of [Factors].
type Deps struct {
	Store *store.DB
	Audit *audit.Log
	Safe  Safe
	Clock lockout.Clock // of locks; codes go by the wall clock
}

// Factors are the factors of all people. Safe for concurrent use: the store's one writer puts what is asked in order.
//
//	none ──Enroll──▶ open ──5 wrong in a row──▶ locked ──half an hour──▶ open
//	  ▲               │                           │
//	  └────Forget─────┴───────────────────────────┘
type Factors struct {
	box  string
	deps Deps
}

// New needs all of deps.
func New(cfg Config, deps Deps) *Factors { return &Factors{cfg.Box, deps} }

// Enroll makes person a factor and answers with what his authenticator reads. by is who asked, for the log.
func (f *Factors) Enroll(ctx context.Context, by, person string) (uri string, err error) {
	secret, err := locked.Bytes(secretSize)
	if err != nil {
		return "", fmt.Errorf("factor: enroll: %w", err)
	}
	defer locked.Free(secret)
	rand.Read(secret[:secretSize]) // never fails: see crypto/rand
	err = f.deps.Store.Write(ctx, func(tx *store.Tx) error {
		kept, err := f.deps.Safe.Keep(tx, purpose, person, secret[:secretSize])
		if err != nil {
			return err
		}
		if !kept {
			return ErrEnrolled
		}
		if _, err := tx.Exec("INSERT INTO factor (person, used, wrong, locked, locked_up, enrolled) VALUES ($1, 0, 0, 0, 0, $2)", person, time.Now().UnixMicro()); err != nil {
			return err
		}
		return f.note(tx, by, "factor.enrolled", person, "ok")
	})
	if err != nil {
		return "", fmt.Errorf("factor: enroll: %w", err)
	}
	return address(secret[:secretSize], person, f.box), nil
}

// Forget removes person's factor.
func (f *Factors) Forget(ctx context.Context, by, person string) error {
	err := f.deps.Store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec("DELETE FROM factor WHERE person = $1", person)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNone
		}
		if err := f.deps.Safe.Drop(tx, purpose, person); err != nil {
			return err
		}
		return f.note(tx, by, "factor.forgotten", person, "ok")
	})
	if err != nil {
		return fmt.Errorf("factor: forget: %w", err)
	}
	return nil
}

// Check takes a code of person's, or says why not. Where no code is given it only looks whether there is a factor: nil means that a code is wanted.
func (f *Factors) Check(ctx context.Context, by, person, given string) error {
	if given == "" {
		err := f.deps.Store.Read(ctx, func(tx *store.Tx) error {
			r, err := read(tx, person)
			if err != nil {
				return err
			}
			return r.locked(f.deps.Clock())
		})
		if err != nil {
			return fmt.Errorf("factor: check: %w", err)
		}
		return nil
	}
	var verdict error // one that is written, too: a wrong code counts
	err := f.deps.Store.Write(ctx, func(tx *store.Tx) error {
		r, err := read(tx, person)
		if err != nil {
			return err
		}
		if verdict = r.locked(f.deps.Clock()); verdict != nil {
			return r.write(tx) // it may have begun anew; who was turned away is the admin socket's to note
		}
		verdict, err = f.judge(tx, &r, given)
		if err != nil {
			return err
		}
		action, result := "factor.accepted", "ok"
		if verdict != nil {
			action, result = "factor.refused", verdict.Error()
		}
		if err := r.write(tx); err != nil {
			return err
		}
		return f.note(tx, by, action, person, result)
	})
	if err = errors.Join(err, verdict); err != nil {
		return fmt.Errorf("factor: check: %w", err)
	}
	return nil
}

// judge looks at a code, and changes r by what it was.
func (f *Factors) judge(tx *store.Tx, r *row, given string) (verdict, err error) {
	secret, err := locked.Bytes(secretSize)
	if err != nil {
		return nil, err
	}
	defer locked.Free(secret)
	if err := f.deps.Safe.Recall(tx, purpose, r.person, secret[:secretSize]); err != nil {
		return nil, err
	}
	now := step(time.Now())
	for s := now - drift; s <= now+drift; s++ {
		if subtle.ConstantTimeCompare([]byte(code(secret[:secretSize], s, digits)), []byte(given)) == 0 {
			continue
		}
		if s <= r.used {
			return ErrUsed, nil // tells nothing to somebody who guesses, and is no guess
		}
		r.used, r.account = s, lockout.Account{}
		return nil, nil
	}
	if locked := r.account.Wrong(f.deps.Clock(), maxWrong); locked != nil {
		return locked, nil
	}
	return ErrWrong, nil
}

func (f *Factors) note(tx *store.Tx, by, action, person, result string) error {
	return f.deps.Audit.Append(tx, audit.Event{Actor: by, Action: action, Object: "person " + person, Result: result, Origin: "admin socket", Time: time.Now()})
}
