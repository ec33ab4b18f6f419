package iso8583

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/secret"
)

// question is a frame in a locked page, and what its answer is known by.
type question struct {
	trace
	answer  string // its type
	page    []byte
	frame   []byte
	secrets [][2]int // where in it
}

// question writes one, with its fields in any order and without the empty ones. Wipe it.
func (c *Connector) question(t trace, mti string, fields ...message.Field) (*question, error) {
	fields = slices.DeleteFunc(slices.Clone(fields), func(f message.Field) bool { return f.Text == "" && len(f.Secret) == 0 })
	slices.SortFunc(fields, func(x, y message.Field) int { return cmp.Compare(x.Number, y.Number) })
	page, err := locked.Bytes(message.MostBytes)
	if err != nil {
		return nil, notSent(err)
	}
	n, secrets, err := message.Encode(page, c.cfg.Form, mti, fields...)
	if err != nil {
		locked.Free(page)
		return nil, notSent(err)
	}
	// An answer is one type on, to a question and to its repeat.
	return &question{trace: t, answer: mti[:2] + string(mti[2]+1) + "0", page: page, frame: page[:n], secrets: secrets}, nil
}

// wipe gives the page back. Wiping it again does nothing.
func (q *question) wipe() {
	locked.Free(q.page)
	q.page, q.frame = nil, nil
}

// Codes of what is asked.
const (
	goods        = "000000" // field 3: a purchase
	giveBack     = "200000" // field 3: a refund
	keyed        = "012"    // field 22: the PAN was keyed, and the terminal takes no PIN
	onFile       = "102"    // field 22: it comes from where its holder let it be kept
	mailOrPhone  = "08"     // field 25
	compareAddrs = "52"     // sub-element 82: compare the address
)

// Sub-elements of field 48, and of field 120: two digits which, two how long. The numbers are Mastercard's (Customer Interface Specification).
const (
	subNetworkID = "63" // the network's id of the payment that this one goes back to, and in an answer that of this one
	subCompare   = "82"
	subAddresses = "83" // in answers: how the address compared
	subCVVResult = "87" // in answers: how the CVV compared
	subCVV       = "92"

	subPostcode = "01" // of field 120
	subStreet   = "02"
)

// common are the fields of every message about money.
func (c *Connector) common(t trace, processing string, minor int64, o gateway.Order, number string) ([]message.Field, error) {
	if minor <= 0 || minor > 999_999_999_999 {
		return nil, notSent(errors.New("the amount isn't one of 1 to 12 digits"))
	}
	currency, known := currencies[o.Currency]
	if !known {
		return nil, notSent(errors.New("the currency isn't one of ISO 4217"))
	}
	entry := keyed
	if o.Stored != nil {
		entry = onFile
	}
	now := time.Now()
	return []message.Field{
		{Number: 3, Text: processing}, {Number: 4, Text: strconv.FormatInt(minor, 10)}, {Number: 7, Text: t.time}, {Number: 11, Text: t.stan},
		{Number: 12, Text: now.Format("150405")}, {Number: 13, Text: now.Format("0102")}, {Number: 18, Text: c.cfg.Category}, {Number: 22, Text: entry},
		{Number: 25, Text: mailOrPhone}, {Number: 32, Text: c.cfg.Institution}, {Number: 37, Text: number}, {Number: 41, Text: c.cfg.Terminal},
		{Number: 42, Text: c.cfg.Acceptor}, {Number: 49, Text: currency},
	}, nil
}

// private writes field 48 to a locked page: the CVV, what to compare, and whose use of a stored card this is.
func private(page []byte, o gateway.Order, cvv *secret.Text) ([]byte, error) {
	n := 0
	add := func(id string, value []byte) {
		n += locked.Copy(page[n:], fmt.Appendf(nil, "%s%02d", id, len(value)))
		n += locked.Copy(page[n:], value)
	}
	if o.Stored != nil && o.Stored.NetworkID != "" {
		if !networkForm.MatchString(o.Stored.NetworkID) {
			return nil, notSent(errors.New("the network id of the stored card has another form"))
		}
		add(subNetworkID, []byte(o.Stored.NetworkID))
	}
	if o.Address != (gateway.Address{}) {
		add(subCompare, []byte(compareAddrs))
	}
	if cvv.Len() > 0 {
		add(subCVV, cvv.Reveal())
	}
	return page[:n], nil
}

// address is field 120, of characters that it may have and as long as a service compares it; "" without one.
func address(a gateway.Address) (s string) {
	for _, sub := range []struct {
		id, value string
		most      int
	}{{subPostcode, a.Postcode, 10}, {subStreet, a.Line, 40}} {
		var value []byte
		for _, r := range sub.value {
			if len(value) < sub.most && r >= ' ' && r <= '~' {
				value = append(value, byte(r))
			}
		}
		if len(value) > 0 {
			s += fmt.Sprintf("%s%02d%s", sub.id, len(value), value)
		}
	}
	return s
}

// expiry writes field 14 to a locked page: YYMM, of a card's MMYY.
func expiry(page []byte, mmyy *secret.Text) ([]byte, error) {
	d := mmyy.Reveal()
	if len(d) == 0 {
		return nil, nil
	}
	if len(d) != 4 {
		return nil, notSent(errors.New("the card's expiry isn't MMYY"))
	}
	page[0], page[1], page[2], page[3] = d[2], d[3], d[0], d[1]
	return page[:4], nil
}
