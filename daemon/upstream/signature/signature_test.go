package signature

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func secret(first byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(append([]byte{first}, make([]byte, 31)...))
}

func made(t *testing.T, secrets ...string) Secrets {
	t.Helper()
	s, err := New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewRefuses(t *testing.T) {
	for _, bad := range [][]string{nil, {""}, {"hunter2hunter2hunter2"}, {secret(1), "whsec_c2hvcnQ="}, {strings.TrimPrefix(secret(1), "whsec_")}} {
		_, err := New(bad...)
		if err == nil {
			t.Errorf("%d secrets are taken, and not all are any", len(bad))
		}
		for _, text := range bad {
			if err != nil && text != "" && strings.Contains(err.Error(), text) {
				t.Errorf("%v quotes a secret", err)
			}
		}
	}
}

// TestVerify: who is believed while secrets change, and what isn't.
func TestVerify(t *testing.T) {
	const body = `{"n":1}`
	old, both, next, other := made(t, secret(1)), made(t, secret(2), secret(1)), made(t, secret(2)), made(t, secret(3))
	for name, c := range map[string]struct {
		by, to Secrets
		change func(http.Header)
		body   string
		want   error
	}{
		"the same":              {by: old, to: old},
		"both to the old one":   {by: both, to: old},
		"both to the new one":   {by: both, to: next},
		"the old one to both":   {by: old, to: both},
		"somebody else":         {by: other, to: both, want: ErrForged},
		"another body":          {by: old, to: old, body: `{"n":2}`, want: ErrForged},
		"another id":            {by: old, to: old, change: func(h http.Header) { h.Set(HeaderID, "b") }, want: ErrForged},
		"another time":          {by: old, to: old, change: func(h http.Header) { h.Set(HeaderTime, strconv.FormatInt(time.Now().Unix()+1, 10)) }, want: ErrForged},
		"another version":       {by: old, to: old, change: func(h http.Header) { h.Set(HeaderSignature, "v2"+h.Get(HeaderSignature)[2:]) }, want: ErrForged},
		"no signature":          {by: old, to: old, change: func(h http.Header) { h.Del(HeaderSignature) }, want: ErrUnsigned},
		"no id":                 {by: old, to: old, change: func(h http.Header) { h.Del(HeaderID) }, want: ErrUnsigned},
		"no time":               {by: old, to: old, change: func(h http.Header) { h.Set(HeaderTime, "now") }, want: ErrUnsigned},
		"a time after the last": {by: old, to: old, change: func(h http.Header) { h.Set(HeaderTime, "9223372036854775807") }, want: ErrStale},
	} {
		h := http.Header{}
		if err := c.by.Sign(h, "a", time.Now(), []byte(body)); err != nil {
			t.Fatal(err)
		}
		if c.change != nil {
			c.change(h)
		}
		if c.body == "" {
			c.body = body
		}
		if err := c.to.Verify(h, []byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestFiveMinutes is how far away a time may be, either way.
func TestFiveMinutes(t *testing.T) {
	s := made(t, secret(1))
	synctest.Test(t, func(t *testing.T) {
		for away, want := range map[time.Duration]error{0: nil, 5 * time.Minute: nil, -5 * time.Minute: nil, 5*time.Minute + time.Second: ErrStale, -5*time.Minute - time.Second: ErrStale} {
			h := http.Header{}
			if err := s.Sign(h, "a", time.Now().Add(away), nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(h, nil); !errors.Is(err, want) {
				t.Errorf("%v away: %v, want %v", away, err, want)
			}
		}
	})
}
