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
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/export/recipient"
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

	mu  sync.Mutex
	all []*export // since the start, oldest first
}

// Export is one that custodians agreed to.
type Export struct {
	ID        string
	By        string // who asked for it
	Recipient string
	Key       string // the recipient's fingerprint
	Tenant    string // empty: all
	Asked     time.Time
	Began     time.Time
	Of        int64 // how many cards there were when it was asked for
	Cards     int64 // how many are in the file by now
	// Ended is zero while it runs. Then there are File and SHA256, or Failed.
	Ended  time.Time
	File   string
	SHA256 string
	Failed error
}

// export is the same, as it is worked on.
type export struct {
	Export
	to    recipient.Recipient
	cards atomic.Int64
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
	e := &export{Export: Export{ID: newID(), By: by, Recipient: to, Key: r.Fingerprint(), Tenant: tenant, Asked: time.Now()}, to: r}
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

// List is all exports that custodians agreed to since the start, newest first.
func (x *Exporter) List() []Export {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []Export
	for _, e := range slices.Backward(x.all) {
		one := e.Export
		one.Cards = e.cards.Load()
		list = append(list, one)
	}
	return list
}

func (x *Exporter) busy() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.running() != nil
}

// running is the one that isn't over. mu is held.
func (x *Exporter) running() *export {
	if i := len(x.all) - 1; i >= 0 && x.all[i].Ended.IsZero() {
		return x.all[i]
	}
	return nil
}

// begin has [Exporter.Run] take an export up.
func (x *Exporter) begin(e *export) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.running() != nil {
		return ErrBusy
	}
	e.Began = time.Now()
	x.all = append(x.all, e)
	x.work <- e // there is room: nobody else is under way
	return nil
}

// end has an export be over.
func (x *Exporter) end(e *export, done Export) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.File, e.SHA256, e.Failed, e.Ended = done.File, done.SHA256, done.Failed, time.Now()
}

// which are the cards of an export.
func (e *export) which() vault.Export {
	return vault.Export{Name: "export " + e.ID, By: e.By, Tenant: e.Tenant, Until: e.Asked}
}

// about is what custodians are asked to agree to.
func (e *Export) about() string {
	whose := "all tenants"
	if e.Tenant != "" {
		whose = "tenant " + e.Tenant
	}
	cards := fmt.Sprintf("%d cards", e.Of)
	if e.Of == 1 {
		cards = "1 card"
	}
	return strings.Join([]string{cards, "of " + whose, "for " + e.Recipient, "whose key is " + e.Key}, " ")
}
