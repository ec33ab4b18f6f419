package export

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/export/recipient"
	"github.com/flattone/flattone/daemon/vault"
)

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
	switch {
	case x.stopped:
		return ErrStopped
	case x.running() != nil:
		return ErrBusy
	}
	e.Began = time.Now()
	x.all = append(x.all, e)
	x.work <- e // there is room: nobody else is under way
	return nil
}

// stop has [Exporter.begin] refuse, and answers with what nobody has taken up; nil if there is nothing.
func (x *Exporter) stop() (left *export) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stopped = true
	select {
	case left = <-x.work:
	default:
	}
	return left
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
	return fmt.Sprintf("%s of %s for %s whose key is %s", cards, whose, e.Recipient, e.Key)
}
