package panel

import "strings"

// cardLike reports whether somebody has typed what looks like a card's number: 12 to 19 digits in a row, whatever stands between them that people put
// there, whose check digit fits (ISO/IEC 7812-1, annex B).
func cardLike(text string) bool {
	var run []byte
	for _, c := range text + "." {
		switch {
		case c >= '0' && c <= '9':
			run = append(run, byte(c-'0'))
		case c >= '０' && c <= '９': // of a Japanese keyboard
			run = append(run, byte(c-'０'))
		case strings.ContainsRune(" -\u00a0\u3000", c):
		default:
			if hasNumber(run) {
				return true
			}
			run = run[:0]
		}
	}
	return false
}

// hasNumber reports whether a run of digits is as long as a card's number and has its check digit.
func hasNumber(run []byte) bool {
	if len(run) < 12 || len(run) > 19 {
		return false
	}
	sum := 0
	for i, d := range run {
		v := int(d)
		if (len(run)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}
