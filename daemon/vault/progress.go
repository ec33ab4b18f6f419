package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Progress is how far a rotation is.
type Progress struct {
	Newest
	Records   int64 // how many record keys lie under the newest version, as [Vault.Stock] counts
	Remaining int64 // how many lie under older ones
}

// Progress counts no more than what it takes: what is left to seal anew is counted once a rotation, and then known.
func (v *Vault) Progress(ctx context.Context) (p Progress, err error) {
	if p.Newest, err = v.Newest(ctx); err != nil || p.Version == 0 {
		return p, err
	}
	retired, err := v.retired(ctx)
	if err == nil && len(retired) > 0 {
		p.Remaining, err = v.left.behind(ctx, v, p.Version)
	}
	if err != nil {
		return p, fmt.Errorf("vault: look how far a rotation is: %w", err)
	}
	s, err := v.Stock(ctx)
	p.Records = max(0, s.Kept()-p.Remaining)
	return p, err
}

// Newest is the version of the key-encryption key that seals.
type Newest struct {
	Version int64     // 0: there is none, as nobody has unlocked the vault yet
	Since   time.Time // when it was made
	Sealed  int64     // how many cards were sealed under it
}

// Newest reads it.
func (v *Vault) Newest(ctx context.Context) (n Newest, err error) {
	var created int64
	err = v.store.One(ctx, []any{&n.Version, &created, &n.Sealed}, "SELECT version, created, sealed FROM kek WHERE retired = 0 ORDER BY version DESC LIMIT 1")
	if errors.Is(err, store.ErrNoRow) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("vault: look for the newest key: %w", err)
	}
	n.Since, n.Sealed = time.UnixMicro(created).UTC(), n.Sealed+v.sealed.Load()
	return n, nil
}

// leftover is how many record keys lie under older versions than the newest, since they were counted, which takes a second for ten million. What another box on
// the same store seals anew is still counted here, until the last of it is done. Safe for concurrent use.
type leftover struct {
	mu      sync.Mutex
	version int64 // the newest at the count
	keys    int64
	done    int64 // how many were sealed anew in all
}

// behind is how many there are, counted if nobody has yet.
func (l *leftover) behind(ctx context.Context, v *Vault, newest int64) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.version == newest {
		return l.keys, nil
	}
	err := v.store.One(ctx, []any{&l.keys}, "SELECT COUNT(*) FROM card_key WHERE kek < $1", newest)
	if err == nil {
		l.version = newest
	}
	return l.keys, err
}

// moved says that so many lie under the newest version now.
func (l *leftover) moved(newest, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += n
	if l.version == newest {
		l.keys = max(0, l.keys-n)
	}
}
