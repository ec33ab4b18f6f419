package vault

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// alphabet is that of base32 (RFC 4648, section 6), sorted, so that ids sort as their bits do.
const alphabet = "234567abcdefghijklmnopqrstuvwxyz"

var coding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// newID is prefix and 26 characters: the time in microseconds, 56 bits, and 72 random bits, by which no two are the same. What was made together lies together in
// the store: a capture changes the last page of each index, however many cards there are, where random ids would have it read a page of each off the disk.
func newID(prefix string, now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMicro())<<8)
	rand.Read(b[7:]) // it can't fail: the process ends rather
	return prefix + coding.EncodeToString(b[:])
}

// randomID is of 128 random bits, and doesn't tell when it was made.
func randomID(prefix string) string {
	var b [16]byte
	rand.Read(b[:])
	return prefix + coding.EncodeToString(b[:])
}

// NewCaptureID makes a capture's id, by which a hand-over that is sent twice is one card.
func NewCaptureID(now time.Time) string { return newID("cap_", now) }

// IsCaptureID reports whether s has the form of a capture's id. Only what has it may be stored, logged or told: what comes in its place may be a card number.
func IsCaptureID(s string) bool { return isID(s, "cap_") }

// IsToken reports the same of a token.
func IsToken(s string) bool { return isID(s, "tok_") }

func isID(s, prefix string) bool {
	id, found := strings.CutPrefix(s, prefix)
	return found && len(id) == 26 && strings.Trim(id, alphabet) == ""
}
