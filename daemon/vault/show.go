package vault

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// Destination is somebody upstream who is told of cards, and what he knows them by.
type Destination struct {
	Name string
	// Own: its tokens are its own. Two destinations that put together what they know can't tell that they have the same card.
	Own bool
	// Number: each token has a second form, of digits alone, for systems that take nothing else. It can't pass for a card: see digitToken.
	Number bool
	// Fingerprint: it is told a keyed hash of the PAN, the same for each capture of the same card, and of no use to anybody else (PCI DSS 3.5.1.1).
	Fingerprint bool
}

// shown is what a destination knows a card by.
type shown struct {
	to          string
	token       string
	number      string
	fingerprint string
}

// show makes up what each destination is told.
func (v *Vault) show(r *record, pan *secret.Text) (all []shown, err error) {
	for _, d := range v.cfg.Destinations {
		s := shown{to: d.Name, token: r.token}
		if d.Own {
			s.token = id.Random(tokens)
		}
		if d.Number {
			s.number = digitToken(r.Last4, pan.Len())
		}
		if d.Fingerprint {
			if s.fingerprint, err = v.fingerprint(d.Name, r.Tenant, pan); err != nil {
				return nil, err
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// digitToken is a token of digits: as long as the PAN, at least 16, with its last four, a 9 in front, which no scheme's cards have (ISO/IEC 7812-1: for national
// use), and a digit that keeps it from ever passing Luhn's test, so that nobody can charge it and no scanner takes it for a card.
func digitToken(last4 string, digits int) string {
	middle := make([]byte, max(16, digits)-5)
	for i := 0; i < len(middle); {
		if rand.Read(middle[i : i+1]); middle[i] < 250 {
			middle[i] = '0' + middle[i]%10
			i++
		}
	}
	n := "9" + string(middle) + last4
	if luhn(n) {
		middle[0] = '0' + (middle[0]-'0'+1)%10 // that changes the sum, and never by ten
		n = "9" + string(middle) + last4
	}
	return n
}

// luhn is ISO/IEC 7812-1, annex B.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// announcement is the data of [EventCaptured].
type announcement struct {
	Capture     string `json:"capture"`
	Token       string `json:"token"`
	Number      string `json:"number,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Kind        Kind   `json:"kind"`
	Brand       string `json:"brand"`
	Last4       string `json:"last4"`
	ExpiryMonth int    `json:"exp_month,omitzero"`
	ExpiryYear  int    `json:"exp_year,omitzero"`
	Line        string `json:"line"`
	Place       string `json:"place"`
}

// announce stores what a destination knows the card by, and has it told.
func (v *Vault) announce(tx *store.Tx, r *record, s shown, now time.Time) error {
	for _, alias := range []string{s.token, s.number} {
		if alias == "" || alias == r.token {
			continue
		}
		if _, err := tx.Exec("INSERT INTO alias (alias, token, destination) VALUES ($1, $2, $3)", alias, r.token, s.to); err != nil {
			return err
		}
	}
	data, err := json.Marshal(announcement{Capture: r.ID, Token: s.token, Number: s.number, Fingerprint: s.fingerprint, Kind: r.Kind, Brand: r.Brand, Last4: r.Last4,
		ExpiryMonth: r.ExpiryMonth, ExpiryYear: r.ExpiryYear, Line: r.Line, Place: r.Place})
	if err != nil {
		return err
	}
	return v.outbox.Enqueue(tx, Event{ID: id.New("evt_", now), To: s.to, Type: EventCaptured, Key: r.ID, Time: now, Data: data})
}
