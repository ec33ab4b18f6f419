package iso8583

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"regexp"
	"strings"
	"time"
)

// ref is how an acquirer knows a payment: all that undoing it takes, so that a box that was killed can.
type ref struct {
	mti string // 0100 or 0200
	trace
	number string // the retrieval reference number, field 37
	auth   string // the authorisation code, field 38, once there is one
}

// String is type:stan:time:number, and :code where there is one.
func (r ref) String() string {
	s := strings.Join([]string{r.mti, r.stan, r.time, r.number}, ":")
	if r.auth != "" {
		s += ":" + r.auth
	}
	return s
}

var refForm = regexp.MustCompile(`^(0100|0200):([0-9]{6}):([0-9]{10}):([0-9A-Za-z]{1,12})(?::([0-9A-Za-z]{1,6}))?$`)

func parseRef(s string) (ref, error) {
	m := refForm.FindStringSubmatch(s)
	if m == nil {
		return ref{}, notSent(errors.New("the reference isn't one of an ISO 8583 payment"))
	}
	return ref{m[1], trace{m[2], m[3]}, m[4], m[5]}, nil
}

// original is field 90: what a reversal or a completion is of. The institutions are as they were in the original: right-justified, zeros where there was none.
func (r ref) original(institution string) string {
	none := strings.Repeat("0", 11)
	return r.mti + r.stan + r.time + (none + institution)[len(institution):] + none
}

// age is how long ago it was sent. The time has no year: it was the last such day.
func (r ref) age(now time.Time) time.Duration {
	sent, err := time.Parse("2006"+transmitted, now.UTC().Format("2006")+r.time)
	if err != nil {
		return 0 // no day of this year: it says nothing
	}
	if sent.After(now.Add(24 * time.Hour)) { // clocks differ, but not by that
		sent = sent.AddDate(-1, 0, 0)
	}
	return now.Sub(sent)
}

// numberOf makes the reference number of a payment or refund from its key: 60 bits of its hash, in the twelve letters and digits that there is room for. So
// whoever is asked for it again sees the same number.
func numberOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base32.StdEncoding.EncodeToString(sum[:])[:12]
}
