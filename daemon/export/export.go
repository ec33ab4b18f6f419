// Package export has cards leave the vault for another provider: as a file that one recipient opens, once enough custodians have agreed to that.
//
// It exists because whoever keeps cards must be able to part from whom he pays by, and because that moment is the one in which all cards are at stake. So it takes several people
// (PCI DSS 3.7.6), for a recipient whom the reviewed configuration names, and nobody sees a number on the way: no call, log or answer has one.
//
// It promises that custodians are told for whom, by which key and how many cards; that no card is in the file that was sealed after they were asked, or is over; that each that is in it
// was in the audit log before; that the file has its name only once it is whole, on the disk and in that log with its SHA-256. What ends too soon leaves no file. It must never write a
// digit that isn't sealed, nor take the room on the disk that captures need.
//
// The file is age's format (age-encryption.org/v1), with a JSON object a line. age seals by ChaCha20-Poly1305, so it is not for FIPS 140.
package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/export/recipient"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Purpose is what custodians agree to.
const Purpose custody.Purpose = "export cards"

// Errors of [Exporter.Ask], beside those of custody and the vault.
var (
	// ErrNoRecipients: the configuration names nobody.
	ErrNoRecipients = errors.New("no recipient of cards is in the configuration")
	// ErrUnknownRecipient: it names others.
	ErrUnknownRecipient = errors.New("there is no such recipient")
	// ErrNoCards: nothing would leave.
	ErrNoCards = errors.New("there is no card to export")
	// ErrBusy: one export at a time.
	ErrBusy = errors.New("another export is under way")
)

// Errors that an export ends with, beside those of the vault and the store.
var (
	// ErrRoom: the disk is needed for what the box is there for.
	ErrRoom = errors.New("too little room on the disk: free some, and have the custodians agree anew")
	// ErrStopped: flattoned ended in it.
	ErrStopped = errors.New("flattoned stopped: have the custodians agree anew")
)

// Config of an [Exporter].
type Config struct {
	// Folder is where files go, 0700. It is made when the first one does.
	Folder string
	// Recipients are who may be sealed for, by name.
	Recipients map[string]recipient.Recipient
	// LeastRoom is how much of the disk an export leaves, in bytes.
	LeastRoom int64
}

// Deps of an [Exporter].
type Deps struct {
	Store   *store.DB
	Audit   *audit.Log
	Vault   *vault.Vault
	Custody *custody.Custody
	Log     *slog.Logger
}

// Exporter asks custodians, and carries out what they agree to, one export at a time. Safe for concurrent use.
//
//	Ask ─▶ (a ceremony) ──k custodians agree──▶ running ──▶ done: the file has its name
//	             │                                 │
//	             └─ aborted, 15 minutes            └──▶ failed: there is no file
type Exporter struct {
	cfg    Config
	deps   Deps
	create func(path string) (file, error)
	room   func() (int64, error)
	work   chan *export

	mu      sync.Mutex
	all     []*export // since the start, oldest first
	stopped bool      // nobody carries out any more
}

// New needs all of deps.
func New(cfg Config, deps Deps) *Exporter {
	return &Exporter{cfg: cfg, deps: deps, create: createFile, room: deps.Store.Room, work: make(chan *export, 1)}
}

// Ask begins the ceremony in which custodians agree to an export of a tenant's cards, or of all if that is empty, and answers with its name.
func (x *Exporter) Ask(ctx context.Context, by, to, tenant string) (ceremony string, err error) {
	ceremony, err = x.ask(ctx, by, to, tenant)
	if err != nil {
		return "", fmt.Errorf("export: %w", err)
	}
	return ceremony, nil
}

func (x *Exporter) ask(ctx context.Context, by, to, tenant string) (ceremony string, err error) {
	r, known := x.cfg.Recipients[to]
	switch {
	case len(x.cfg.Recipients) == 0:
		return "", ErrNoRecipients
	case !known:
		return "", ErrUnknownRecipient
	case x.busy():
		return "", ErrBusy
	}
	e := &export{Export: Export{ID: id.New("exp_", time.Now()), By: by, Recipient: to, Key: r.Fingerprint(), Tenant: tenant, Asked: time.Now()}, to: r}
	if e.Of, err = x.deps.Vault.Exportable(ctx, e.which()); err != nil {
		return "", err
	}
	if e.Of == 0 { // nothing is said of what was given as a tenant: it may be anything
		return "", ErrNoCards
	}
	return x.deps.Custody.Approve(ctx, by, Purpose, e.about(), func(_ context.Context, root keys.Root) error {
		return errors.Join(root.Close(), x.begin(e)) // that there are enough of them is all that the key is for: the vault is open
	})
}

// Recipients are the names of whom cards may leave for.
func (x *Exporter) Recipients() []string { return slices.Sorted(maps.Keys(x.cfg.Recipients)) }
