package custody

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
)

// A share on paper is 64 characters of Crockford's base32, which has no letters that are taken for digits, in sixteen groups of four:
//
//	5 bytes   the set
//	1 byte    the custodian's position in it, from 0
//	32 bytes  the share
//	2 bytes   CRC-16/GENIBUS of all that: any one wrong character, and any two neighbours that changed places, are found
const (
	alphabet  = "0123456789abcdefghjkmnpqrstvwxyz"
	setSize   = 5
	packed    = setSize + 1 + keys.Size + 2
	paperSize = packed * 8 / 5
	// PaperSize is the room that a share takes as text: its groups, four to a line, and what separates them.
	PaperSize = paperSize + paperSize/4
)

// ErrUnreadable: the text is no share, mostly because of a slip of the pen.
var ErrUnreadable = errors.New("that can't be read as a share: look for a wrong, missing or doubled character")

// paper writes a custodian's share into dst, which has room for [PaperSize] bytes and is locked.
func paper(dst []byte, set string, position int, share *keys.Key) error {
	raw, err := locked.Bytes(packed)
	if err != nil {
		return err
	}
	defer locked.Free(raw)
	if err := unpack(raw[:setSize], []byte(set)); err != nil {
		return err
	}
	raw[setSize] = byte(position)
	err = share.Use(func(key []byte) error {
		locked.Copy(raw[setSize+1:], key)
		return nil
	})
	if err != nil {
		return err
	}
	sum := crc(raw[:packed-2])
	raw[packed-2], raw[packed-1] = byte(sum>>8), byte(sum)
	for i := range paperSize {
		at := i + i/4
		dst[at] = alphabet[five(raw, i)]
		if dst[at+1] = ' '; i%16 == 15 {
			dst[at+1] = '\n'
		}
	}
	return nil
}

// five is the i-th group of five bits.
func five(raw []byte, i int) byte {
	n := uint16(raw[i*5/8]) << 8
	if i*5/8+1 < packed {
		n |= uint16(raw[i*5/8+1])
	}
	return byte(n>>(11-i*5%8)) & 31
}

// read takes a share from text, which stays the caller's to wipe. Case, spaces and dashes don't matter, and a letter that looks like a digit is that.
func read(text []byte) (set string, position int, share *keys.Key, err error) {
	raw, err := locked.Bytes(packed)
	if err != nil {
		return "", 0, nil, err
	}
	defer locked.Free(raw)
	if err := unpack(raw[:packed], text); err != nil {
		return "", 0, nil, err
	}
	if sum := crc(raw[:packed-2]); raw[packed-2] != byte(sum>>8) || raw[packed-1] != byte(sum) {
		return "", 0, nil, ErrUnreadable
	}
	share, err = keys.NewKey(func(dst []byte) error {
		locked.Copy(dst, raw[setSize+1:packed-2])
		return nil
	})
	return setName(raw[:setSize]), int(raw[setSize]), share, err
}

// unpack fills dst from text. It is not the standard library's, which copies what it reads to the heap.
func unpack(dst, text []byte) error {
	bits, have, n := uint(0), 0, 0
	for _, c := range text {
		v := value(c)
		switch {
		case v == space:
			continue
		case v == unknown, n == len(dst):
			return ErrUnreadable
		}
		if bits, have = bits<<5|uint(v), have+5; have >= 8 {
			have -= 8
			dst[n] = byte(bits >> have)
			bits &= 1<<have - 1
			n++
		}
	}
	if n != len(dst) || have != 0 {
		return ErrUnreadable
	}
	return nil
}

// What value answers with for what is no character of the alphabet.
const (
	space   = 254
	unknown = 255
)

func value(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	switch c {
	case ' ', '-', '\n', '\r', '\t':
		return space
	case 'o':
		c = '0'
	case 'i', 'l':
		c = '1'
	}
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return byte(i)
		}
	}
	return unknown
}

// setName is how a set is called: 8 characters.
func setName(raw []byte) string {
	var name []byte
	for i := range setSize * 8 / 5 {
		name = append(name, alphabet[five(append(raw[:setSize:setSize], 0), i)])
	}
	return string(name)
}

// crc goes bit by bit: table and vector versions leave bytes of what they sum in registers that the kernel stores.
func crc(b []byte) uint16 {
	sum := uint16(0xffff)
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			carry := sum & 0x8000
			if sum <<= 1; carry != 0 {
				sum ^= 0x1021
			}
		}
	}
	return ^sum
}

// Plan is who is to be a custodian, and how many of them it takes.
type Plan struct {
	Need   int
	People []string
}

// MaxPeople is the most custodians there may be: a wrap for every subset of them stays little, and a meeting of them possible.
const MaxPeople = 7

// check says what is wrong with a plan.
func (p Plan) check() error {
	switch n := len(p.People); {
	case n > MaxPeople || n < 2:
		return fmt.Errorf("%d custodians are named: it takes from 2 to %d", n, MaxPeople)
	case p.Need < 2 || p.Need > n:
		return fmt.Errorf("%d of %d custodians can't be: from 2 to all of them are needed", p.Need, n)
	}
	seen := map[string]bool{}
	for _, person := range p.People {
		if person == "" || len(person) > 32 || seen[person] {
			return fmt.Errorf("%q is no name, or is there twice: each custodian is named once, as he logs in", person)
		}
		seen[person] = true
	}
	return nil
}
