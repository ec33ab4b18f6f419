// Package id makes the names of what a box keeps: captures, tokens, payments, events, backups.
//
// It exists so that they all have one form, by which what comes in the place of one is told from it: a prefix that says what it is, and 26 characters of base32. They
// promise to differ, and to sort as they were made, but for those that must not tell when that was.
package id

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

// New is prefix, and in base32 the time in microseconds, 56 bits, and 72 random bits. What was made together lies together in the store: a capture changes the last
// page of each index, however many cards there are, where random ids would have it read a page of each off the disk.
func New(prefix string, now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMicro())<<8)
	rand.Read(b[7:]) // it can't fail: the process ends rather
	return prefix + coding.EncodeToString(b[:])
}

// Random is of 128 random bits, and doesn't tell when it was made.
func Random(prefix string) string {
	var b [16]byte
	rand.Read(b[:])
	return prefix + coding.EncodeToString(b[:])
}

// Is reports whether s has the form of an id with that prefix. Only what has it may be stored, logged or told: what comes in its place may be a card number.
func Is(s, prefix string) bool {
	id, found := strings.CutPrefix(s, prefix)
	return found && len(id) == 26 && strings.Trim(id, alphabet) == ""
}
