package gateway

import (
	"regexp"
	"strings"
)

// IsCurrency reports whether s is of the form of an ISO 4217 code.
func IsCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

var (
	references = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)
	manyDigits = regexp.MustCompile(`[0-9]{12}`) // the shortest PAN
)

// IsReference reports whether s may be an owner's word for a payment: letters, digits, dots, hyphens and underscores, 64 at the most, and none or more, but no number
// that is long enough to be a card's.
func IsReference(s string) bool {
	return references.MatchString(s) && !manyDigits.MatchString(strings.NewReplacer(".", "", "-", "", "_", "").Replace(s))
}
