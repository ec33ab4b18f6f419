package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Vault is how the vault is at a scrape, and what vouches for it.
type Vault struct {
	Locked bool
	// Cards are how many there are of each kind, Held how many of all are on hold, as they were at Counted. Flight is since when the oldest in flight waits.
	Cards           map[string]int64
	Held            int64
	Flight, Counted time.Time
	// Shredded are how many were, by why, and Rewrapped how many record keys were sealed anew, since flattoned began. Purged is when nothing was last overdue.
	Shredded  map[string]int64
	Rewrapped int64
	Purged    time.Time
	// Key is the newest version of the key, KeySince when it was made, KeySealed how many cards were sealed under it; KeyCards and Remaining how many lie
	// under it and under older ones.
	Key                            int64
	KeySince                       time.Time
	KeySealed, KeyCards, Remaining int64
	// Custodians are how many are enrolled, CustodiansLocked how many of them are locked out.
	Custodians, CustodiansLocked int
	// Checkpoint is when every place last had the audit log's newest checkpoint.
	Checkpoint time.Time
}

var (
	vaultLocked      = describe("vault_locked", "Whether the vault waits for its custodians.")
	cards            = describe("vault_cards", "Cards in the vault by kind, when they were last counted.", "kind")
	held             = describe("vault_cards_held", "Those of them that are on hold.")
	flight           = describe("vault_flight_oldest_seconds", "How long the oldest card in flight has waited for what becomes of it; at a day it is shredded, unresolved.")
	counted          = describe("vault_counted_timestamp_seconds", "When cards were last counted.")
	shredded         = describe("vault_cards_shredded_total", "Cards that were shredded, by why.", "why")
	purged           = describe("vault_purge_timestamp_seconds", "When every card whose time is over was last known to be shredded.")
	key              = describe("vault_key_version", "The version of the vault's key that seals.")
	keySince         = describe("vault_key_created_timestamp_seconds", "When that version was made.")
	keySealed        = describe("vault_key_sealed_cards", "Cards that were sealed under that version.")
	keyCards         = describe("vault_key_cards", "Cards that lie under that version.")
	remaining        = describe("vault_rewrap_remaining_cards", "Cards that still lie under older versions, and are being sealed anew.")
	rewrapped        = describe("vault_rewrapped_cards_total", "Cards whose keys were sealed anew under a newer version.")
	custodians       = describe("custodians", "Custodians that are enrolled.")
	custodiansLocked = describe("custodians_locked", "Those of them that are locked out after wrong attempts.")
	checkpoint       = describe("audit_checkpoint_timestamp_seconds", "When every place off the box last had the audit log's newest checkpoint.")
)

var vaultDescs = []*prometheus.Desc{vaultLocked, cards, held, flight, counted, shredded, purged, key, keySince, keySealed, keyCards, remaining, rewrapped,
	custodians, custodiansLocked, checkpoint}

func (v *Vault) collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	at := func(d *prometheus.Desc, when time.Time) {
		if !when.IsZero() { // it hasn't been yet
			gauge(d, float64(when.UnixMilli())/1000)
		}
	}
	gauge(vaultLocked, truth(v.Locked))
	for kind, n := range v.Cards {
		gauge(cards, float64(n), kind)
	}
	gauge(held, float64(v.Held))
	gauge(flight, age(v.Flight))
	at(counted, v.Counted)
	for why, n := range v.Shredded {
		counter(shredded, n, why)
	}
	at(purged, v.Purged)
	if v.Key > 0 {
		gauge(key, float64(v.Key))
		at(keySince, v.KeySince)
		gauge(keySealed, float64(v.KeySealed))
		gauge(keyCards, float64(v.KeyCards))
	}
	gauge(remaining, float64(v.Remaining))
	counter(rewrapped, v.Rewrapped)
	gauge(custodians, float64(v.Custodians))
	gauge(custodiansLocked, float64(v.CustodiansLocked))
	at(checkpoint, v.Checkpoint)
}

// age is how long ago something began; 0 if it hasn't.
func age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, time.Since(since).Seconds())
}
