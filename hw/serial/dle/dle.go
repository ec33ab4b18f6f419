// Package dle is how sound and events share the one port of a voice modem (ITU-T V.253, TIA IS-101): DLE before a byte makes that a code, and is
// doubled where it is meant itself; and in which formats the sound may be.
//
// A modem in its voice mode gives codes between lines too, while there is no sound. So whatever comes from it goes through a [Decoder], and what that
// leaves is either sound or lines of package at.
//
// It promises that no byte is lost or made up however the bytes are cut, that nothing is allocated, and that which key a modem heard stays here: every key
// is the same [Code].
package dle

import "bytes"

const (
	etx = 0x03
	dle = 0x10
	sub = 0x1a
)

// Decoder takes codes out of what comes from a modem. Its zero value is ready.
//
//	       DLE            another DLE: one of data
//	data ──────▶ behind ────────────────────────────▶ data
//	               │      SUB: two of data; one may be owed until there is room
//	               ├────────────────────────────────▶ data
//	               │      any other: a code
//	               └────────────────────────────────▶ data
type Decoder struct {
	behind bool
	owed   bool
}

// Decode puts data into dst until src is used up, dst is full or a code came; for the rest it is called again. It answers how much it put, how much it
// took, and the code, 0 if there was none. A dst longer than src, be it by one, is never full before src is used up.
func (d *Decoder) Decode(dst, src []byte) (n, used int, code Code) {
	for n < len(dst) {
		if d.owed {
			dst[n], d.owed = dle, false
			n++
			continue
		}
		if used == len(src) {
			break
		}
		if d.behind {
			b := src[used]
			used++
			d.behind = false
			switch b {
			case dle, sub:
				dst[n] = dle
				n++
				d.owed = b == sub
			default:
				if code = codeOf(b); code != 0 {
					return n, used, code
				}
			}
			continue
		}
		run := src[used:min(len(src), used+len(dst)-n)]
		if i := bytes.IndexByte(run, dle); i >= 0 {
			run, d.behind = run[:i], true
			used++
		}
		n += copy(dst[n:], run)
		used += len(run)
	}
	return n, used, 0
}

// Encode puts data into dst, shielded, until src is used up or dst has no room for the next byte. Twice the length of src is always enough.
func Encode(dst, src []byte) (n, used int) {
	for used < len(src) {
		run := src[used:min(len(src), used+len(dst)-n)]
		i := bytes.IndexByte(run, dle)
		if i >= 0 {
			run = run[:i]
		}
		n += copy(dst[n:], run)
		used += len(run)
		if i < 0 || n+2 > len(dst) {
			break
		}
		dst[n], dst[n+1] = dle, dle
		n += 2
		used++
	}
	return n, used
}
