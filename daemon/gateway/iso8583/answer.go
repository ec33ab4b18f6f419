package iso8583

import (
	"fmt"
	"iter"
	"regexp"
	"strconv"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// answer is what is taken of one: nothing that a card has a place in. What isn't of its form is empty.
type answer struct {
	code     string // field 39
	auth     string // field 38
	number   string // field 37
	amount   string // field 4
	currency string // field 49
	network  string
	cvv      gateway.Check
	postcode gateway.Check
	line     gateway.Check
}

var (
	codeForm    = regexp.MustCompile(`^[0-9A-Za-z]{2}$`)
	authForm    = regexp.MustCompile(`^[0-9A-Za-z]{1,6}$`)
	numberForm  = regexp.MustCompile(`^[0-9A-Za-z]{1,12}$`)
	networkForm = regexp.MustCompile(`^[0-9A-Za-z]{1,22}$`)
)

// only is s if it has the form.
func only(form *regexp.Regexp, s string) string {
	if form.MatchString(s) {
		return s
	}
	return ""
}

// read takes out of an answer what is for anybody. Field 48, where a CVV has its place, is looked at in the locked page aside.
func read(m message.Message, aside []byte) answer {
	a := answer{code: only(codeForm, m.Text(39)), auth: only(authForm, m.Text(38)), number: only(numberForm, m.Text(37)), amount: m.Text(4), currency: m.Text(49)}
	for id, value := range subElements(aside[:m.CopySecret(aside, 48)]) {
		switch id {
		case subNetworkID:
			a.network = only(networkForm, string(value))
		case subAddresses:
			a.postcode, a.line = addressChecks(value)
		case subCVVResult:
			a.cvv = cvvCheck(value)
		}
	}
	return a
}

// subElements are those of field 48, up to where it is none. A value is a view.
func subElements(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(b) >= 4 {
			n, err := strconv.Atoi(string(b[2:4]))
			if err != nil || n < 0 || 4+n > len(b) || !yield(string(b[:2]), b[4:4+n]) {
				return
			}
			b = b[4+n:]
		}
	}
}

// addressChecks reads a result of the address verification service, as the networks give it.
func addressChecks(result []byte) (postcode, line gateway.Check) {
	if len(result) != 1 {
		return gateway.Unknown, gateway.Unknown
	}
	switch result[0] {
	case 'X', 'Y':
		return gateway.Match, gateway.Match
	case 'A':
		return gateway.Mismatch, gateway.Match
	case 'W', 'Z':
		return gateway.Match, gateway.Mismatch
	case 'N':
		return gateway.Mismatch, gateway.Mismatch
	default:
		return gateway.Unknown, gateway.Unknown
	}
}

func cvvCheck(result []byte) gateway.Check {
	if len(result) != 1 {
		return gateway.Unknown
	}
	switch result[0] {
	case 'M':
		return gateway.Match
	case 'N':
		return gateway.Mismatch
	default:
		return gateway.Unknown
	}
}

// says is the answer in words of ours. One for another amount, or without a code, or with a code that leaves open what was done, leaves it open here.
func (a answer) says(amount int64, currency string) (gateway.Answer, error) {
	if a.code == "" {
		return gateway.Answer{}, fmt.Errorf("%w: it has no response code", gateway.ErrGarbled)
	}
	if n, err := strconv.ParseInt(a.amount, 10, 64); a.amount != "" && (err != nil || n != amount) || a.currency != "" && a.currency != currency {
		return gateway.Answer{}, fmt.Errorf("%w: it is for another amount", gateway.ErrGarbled)
	}
	g := gateway.Answer{Outcome: gateway.Approved, Code: a.code, Auth: a.auth, NetworkID: a.network, CVV: a.cvv, Postcode: a.postcode, Line: a.line}
	switch codes[a.code] {
	case approves:
		return g, nil
	case leavesOpen:
		return gateway.Answer{}, fmt.Errorf("%w: its code is %s, which doesn't say what was done", gateway.ErrGarbled, a.code)
	case "":
		g.Class = gateway.Refusal
	default:
		g.Class = codes[a.code]
	}
	g.Outcome = gateway.Declined
	return g, nil
}
