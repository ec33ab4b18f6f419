// Package pairing keeps the codes by which technicians make agents known to the desk: a code names a person, is good once, and soon no more.
//
// It exists so that a site without an identity provider knows who commanded what. A technician makes a code for somebody whom he knows, and that person types
// it where he sits. Codes are in memory, by their hashes: a restart of flattoned forgets those that nobody has typed yet, and new ones are made in a moment.
//
// It promises that a code is 40 bits of chance, good for ten minutes and once, that ten wrong ones in a row lock all of them for half an hour, as daemon/lockout
// has it, and that each step is in the audit log before anybody is told. It never tells whether a code was wrong, old or used.
package pairing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/flattone/flattone/daemon/lockout"
)

const (
	// Lasts is how long a code is good.
	Lasts = 10 * time.Minute
	// mostWrong locks: PCI DSS 8.3.4.
	mostWrong = 10
	// mostWaiting bounds the codes that nobody has typed yet.
	mostWaiting = 64

	codeBytes = 5
)

// letters are Crockford's base 32, which has none that is easily taken for another.
var letters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// What is wrong with a code; besides, a [*lockout.Error].
var (
	ErrWrong = errors.New("that is no code that is good now")
	ErrFull  = errors.New("too many codes wait to be typed")
)

// Agent is whom a code names.
type Agent struct {
	Name string
	// Supervisor may see more.
	Supervisor bool
}

// Deps are what a Pairings works with.
type Deps struct {
	Clock lockout.Clock
	// Note writes to the audit log.
	Note func(ctx context.Context, by, action, object, result string) error
}

// Pairings are the codes of a box. Its methods may be called by many goroutines at once.
//
//	none ──Pair──▶ waiting ──Redeem──▶ none
//	                  └── ten minutes, or another code for the same name ──▶ none
type Pairings struct {
	Deps

	mu      sync.Mutex // held while the audit log is written: what it says is in the order of what happened
	account lockout.Account
	waiting map[[sha256.Size]byte]waiting
}

type waiting struct {
	agent Agent
	since lockout.Moment
}

// New is a box at which nobody waits to be paired.
func New(d Deps) *Pairings { return &Pairings{Deps: d, waiting: map[[sha256.Size]byte]waiting{}} }

// Pair makes a code for a, which takes the place of one made for that name before, and says when it ends.
func (p *Pairings) Pair(ctx context.Context, by string, a Agent) (code string, ends time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock()
	maps.DeleteFunc(p.waiting, func(_ [sha256.Size]byte, w waiting) bool { return w.agent.Name == a.Name || old(w, now) })
	if len(p.waiting) >= mostWaiting {
		return "", time.Time{}, ErrFull
	}
	as := "agent"
	if a.Supervisor {
		as = "supervisor"
	}
	if err := p.Note(ctx, by, "agent.pairing", a.Name, as); err != nil {
		return "", time.Time{}, err
	}
	random := make([]byte, codeBytes)
	rand.Read(random) // never fails
	code = letters.EncodeToString(random)
	p.waiting[sha256.Sum256([]byte(code))] = waiting{a, now}
	return code[:4] + "-" + code[4:], now.Wall.Add(Lasts), nil
}

// Redeem says whom a code names, once. Small letters, hyphens and blanks don't matter, nor that I, L and O were typed for 1 and 0.
func (p *Pairings) Redeem(ctx context.Context, by, code string) (Agent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock()
	if left := p.account.Left(now); left > 0 {
		return Agent{}, &lockout.Error{Left: left} // not noted: whoever goes on would fill the log
	}
	key := sha256.Sum256([]byte(plain(code)))
	w, found := p.waiting[key]
	if !found || old(w, now) {
		locked := p.account.Wrong(now, mostWrong)
		if err := p.Note(ctx, by, "agent.refused", "desk", result(locked)); err != nil {
			return Agent{}, err
		}
		if locked != nil {
			return Agent{}, locked
		}
		return Agent{}, ErrWrong
	}
	delete(p.waiting, key)
	if err := p.Note(ctx, by, "agent.paired", w.agent.Name, "ok"); err != nil {
		return Agent{}, err
	}
	p.account = lockout.Account{}
	return w.agent, nil
}

func result(locked error) string {
	if locked != nil {
		return locked.Error()
	}
	return ErrWrong.Error()
}

// old goes by the clock that shows more: a code ends early rather than late.
func old(w waiting, now lockout.Moment) bool {
	return max(now.Up-w.since.Up, now.Wall.Round(0).Sub(w.since.Wall.Round(0))) >= Lasts || now.Up < w.since.Up
}

// plain is a code as it was made.
func plain(code string) string {
	return strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(r); r {
		case '-', ' ':
			return -1
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, code)
}
