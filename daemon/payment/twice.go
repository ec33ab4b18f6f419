package payment

import (
	"bytes"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
)

const (
	lately         = 10 * time.Minute // how long a card that was charged is remembered
	mostRemembered = 1024             // a box of sixteen lines charges 160 cards in that time; beyond this the oldest is forgotten
)

// twice remembers which cards this process has charged lately, for how much, to tell when one comes again. It keeps no digit of them but their HMAC under a key that
// nobody else has, which is in locked memory for as long as payments run. Nothing of it is on a disk: a restart forgets it.
type twice struct {
	key     *keys.Key
	mu      sync.Mutex
	charged map[string]mark // by payment
}

// mark is a card and an amount.
type mark struct {
	sum []byte
	at  time.Time // when there was last news of its payment
}

func newTwice() (*twice, error) {
	key, err := keys.Random()
	if err != nil {
		return nil, err
	}
	return &twice{key: key, charged: map[string]mark{}}, nil
}

// forget is the end.
func (t *twice) forget() {
	t.key.Destroy()
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.charged)
}

// sees remembers a payment by its card, and answers with another one of the same card, amount and currency that was approved lately or isn't over; "" if there is none.
func (t *twice) sees(pay Payment, pan *secret.Text) (before string, err error) {
	var sum []byte
	err = t.key.Use(func(key []byte) error {
		sum = keys.MAC(key, keys.Bind("flattone charged twice").Number(pay.Minor).Text(pay.Currency), pan.Reveal())
		return nil
	})
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	oldest := ""
	for id, m := range t.charged {
		switch {
		case time.Since(m.at) >= lately:
			delete(t.charged, id)
			continue
		case id != pay.ID && bytes.Equal(m.sum, sum):
			before = id
		}
		if oldest == "" || m.at.Before(t.charged[oldest].at) {
			oldest = id
		}
	}
	if len(t.charged) >= mostRemembered {
		delete(t.charged, oldest)
	}
	t.charged[pay.ID] = mark{sum, time.Now()}
	return before, nil
}

// saw learns what became of a payment: one by which nothing was taken is no reason to warn of another.
func (t *twice) saw(pay Payment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m, known := t.charged[pay.ID]
	switch {
	case !known:
	case pay.State.Over() && pay.State != Approved:
		delete(t.charged, pay.ID)
	default:
		m.at = time.Now()
		t.charged[pay.ID] = m
	}
}
