package api

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// What is kept of requests that bear an Idempotency-Key: for so long, so many for each client. Beyond that the oldest answers are forgotten.
const (
	onceFor  = 24 * time.Hour
	onceMost = 10_000
	// mostKey is how long a key may be.
	mostKey = 64
)

// once has a request that is sent again under its key answered as it was the first time, and done no second time.
//
//	no key ──▶ done each time
//	a key: new ──▶ under way ──▶ answered ──24 h──▶ forgotten
//	                 │              ├─ the same request ──▶ the same answer
//	                 │              └─ another request  ──▶ 422
//	                 └─ again ──▶ 409: ask again later
//
// An answer that says that nothing was done (5xx) is not kept: then the request may be sent again under the same key. It lives in memory: what is sent again after a restart of the
// desk meets flattoned's own rules, by which a line takes one card at a time, and the same card isn't charged the same amount twice.
type once struct {
	mu    sync.Mutex
	known map[onceKey]*answered
	order []onceKey // as they came
}

type onceKey struct{ client, key string }

type answered struct {
	request [sha256.Size]byte
	at      time.Time
	over    bool
	status  int
	kind    string // Content-Type
	body    []byte
}

func newOnce() *once { return &once{known: map[onceKey]*answered{}} }

// begin is what was answered to the request before; or a place for its answer, which end takes; or a problem.
func (o *once) begin(k onceKey, request [sha256.Size]byte, now time.Time) (before, place *answered, p *problem) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget(now)
	if a := o.known[k]; a != nil {
		switch {
		case a.request != request:
			return nil, nil, problemOf(http.StatusUnprocessableEntity, "key_reused", "another request was sent under this Idempotency-Key", "send each request under a key of its own")
		case !a.over:
			return nil, nil, problemOf(http.StatusConflict, "under_way", "the request is under way", "send it again, under the same key, in a second")
		}
		return a, nil, nil
	}
	place = &answered{request: request, at: now}
	o.known[k], o.order = place, append(o.order, k)
	return nil, place, nil
}

// end keeps the answer.
func (o *once) end(k onceKey, place *answered, status int, kind string, body []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if status >= http.StatusInternalServerError {
		delete(o.known, k)
		return
	}
	place.over, place.status, place.kind, place.body = true, status, kind, bytes.Clone(body)
}

// forget drops what is too old, or too much.
func (o *once) forget(now time.Time) {
	for len(o.order) > 0 {
		k := o.order[0]
		if a := o.known[k]; a != nil && now.Sub(a.at) < onceFor && len(o.order) <= onceMost {
			return
		}
		delete(o.known, k)
		o.order = o.order[1:]
	}
}
