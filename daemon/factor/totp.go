package factor

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// What an authenticator takes for granted (RFC 6238): SHA-1, six digits, a new code every half minute. SHA-1's collisions are no weakness of HMAC.
const (
	secretSize = 20 // bytes, as long as the hash: RFC 4226, 4
	digits     = 6
	period     = 30 * time.Second
)

// step is the number of the period that t lies in.
func step(t time.Time) int64 { return t.Unix() / int64(period/time.Second) }

// code is the code of a step: HOTP (RFC 4226, 5.3) over its number.
func code(secret []byte, step int64, digits int) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	modulus := uint32(1)
	for range digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%modulus)
}

// address is what an authenticator reads, by hand or as a picture (the "otpauth" scheme, which has no RFC). What isn't said is as above.
func address(secret []byte, person, box string) string {
	const issuer = "flattone"
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + person + "@" + box,
		RawQuery: "secret=" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret) + "&issuer=" + issuer}).String()
}
