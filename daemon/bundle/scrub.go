package bundle

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What stands in the place of what was taken out.
const (
	cardHere   = "[card?]"
	phoneHere  = "[phone]"
	secretHere = "[secret]"
)

// Lengths of card numbers, from the shortest Maestro to the longest of ISO/IEC 7812.
const (
	shortestPAN = 12
	longestPAN  = 19
)

// apart is how many characters may stand between two digits of one number, as people and logs write them.
const apart = 3

// Scrub takes out of a text whatever could be a card number, a telephone number or a secret, shortens tokens, and says how much it was. A number is
// taken for a card's if any 12 to 19 of its digits in a row have a check digit that fits, however they are set apart: that is true of one in ten numbers of that
// length that are none, and those are lost.
func Scrub(text []byte) (clean []byte, taken int) {
	for _, r := range []struct {
		what *regexp.Regexp
		put  string
	}{{pem, secretHere}, {signing, secretHere}, {ageKey, secretHere}, {login, "://" + secretHere + "@"}, {token, "${1}[shortened]"}} {
		text = r.what.ReplaceAllFunc(text, func(found []byte) []byte {
			taken++
			return r.what.ReplaceAll(found, []byte(r.put))
		})
	}
	text, cards := cards(text)
	text = phone.ReplaceAllFunc(text, func(found []byte) []byte {
		taken++
		return append(leading(found), phoneHere...)
	})
	return text, taken + cards
}

var (
	pem     = regexp.MustCompile(`(?s)-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\z)`)
	signing = regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]+`)
	ageKey  = regexp.MustCompile(`(?i)AGE-SECRET-KEY-[A-Z0-9-]+`) // in the place of a recipient's public one
	login   = regexp.MustCompile(`://[^/\s"'@]*@`)
	token   = regexp.MustCompile(`(tok_[a-z0-9]{4})[a-z0-9]+`)
	// A telephone number begins with + or 0, at no digit's or word's end.
	phone = regexp.MustCompile(`(^|[^0-9A-Za-z_.:+-])(\+[1-9]|0[1-9])([ ()/-]?[0-9]){5,13}`)
)

// leading is what a number was found behind: the one character that is none of its own, if there is one.
func leading(found []byte) []byte {
	if i := bytes.IndexAny(found, "+0"); i > 0 {
		return bytes.Clone(found[:i])
	}
	return nil
}

// cards takes numbers out that could be a card's.
func cards(text []byte) (clean []byte, taken int) {
	var out bytes.Buffer
	for len(text) > 0 {
		run, digits := number(text)
		switch {
		case run == 0:
			_, size := utf8.DecodeRune(text)
			out.Write(text[:size])
			text = text[size:]
		case mayBeCard(digits):
			out.WriteString(cardHere)
			taken++
			text = text[run:]
		default:
			out.Write(text[:run])
			text = text[run:]
		}
	}
	return out.Bytes(), taken
}

// number is the length of the number that text begins with, and its digits; 0 if it begins with none.
func number(text []byte) (length int, digits []byte) {
	gap := 0
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		at += size
		switch d := digit(r); {
		case d >= 0:
			digits = append(digits, byte(d))
			length, gap = at, 0
		case length == 0 || gap == apart || !separates(r):
			return length, digits
		default:
			gap++
		}
	}
	return length, digits
}

// digit is a digit's value in whatever script, or -1.
func digit(r rune) int {
	if r >= '0' && r <= '9' {
		return int(r - '0')
	}
	if !unicode.IsDigit(r) {
		return -1
	}
	zero := r // digits of a script are ten in a row, from zero on
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return int(r-zero) % 10
}

// separates reports whether a character may set digits of one number apart. A colon may not: times of day would be numbers.
func separates(r rune) bool {
	return r != '\n' && unicode.IsSpace(r) || strings.ContainsRune("-\u2010\u2011\u2012\u2013\u2014\u2212._/,*|'\"", r)
}

// mayBeCard reports whether any 12 to 19 digits in a row pass the check of ISO/IEC 7812-1 (Luhn).
func mayBeCard(digits []byte) bool {
	for from := range digits {
		for length := shortestPAN; length <= longestPAN && from+length <= len(digits); length++ {
			if luhn(digits[from : from+length]) {
				return true
			}
		}
	}
	return false
}

func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
