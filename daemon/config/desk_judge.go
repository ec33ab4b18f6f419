package config

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/flattone/flattone/daemon/private"
)

// leastContrast is what WCAG 2.2 asks of text of ordinary size (1.4.3, level AA).
const leastContrast = 4.5

// longestShort bounds what is a name, in characters.
const longestShort = 64

// short reads a name that people or machines gave something.
func (t *table) short(key string, to *string) {
	s, ok := value[string](t, key, aText)
	switch {
	case !ok:
	case s == "" || len([]rune(s)) > longestShort || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.fault(key, "is no name", fmt.Sprintf("write 1 to %d characters that can be printed", longestShort))
	default:
		*to = s
	}
}

// address reads where to listen.
func (t *table) address(key string, to *string) {
	s, ok := value[string](t, key, aText)
	if !ok {
		return
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || port == "" || !isPort(port) || strings.ContainsAny(host, "/ ") {
		t.fault(key, "is no address to listen at", `write ":8443", or an address of this machine before the colon`)
		return
	}
	*to = s
}

// origin reads one of https, as browsers write it.
func (t *table) origin(key string, to *string) {
	if s, ok := value[string](t, key, aText); ok {
		if flaw, bad := originFlaw(s); bad {
			t.fault(key, flaw.Reason, flaw.Remedy)
			return
		}
		*to = s
	}
}

// origins reads a list of them, which may be empty.
func (t *table) origins(key string, to *[]string) {
	list, ok := value[[]any](t, key, aList)
	if !ok {
		return
	}
	var all []string
	for _, v := range list {
		s, isText := v.(string)
		flaw, bad := originFlaw(s)
		switch {
		case !isText:
			t.fault(key, "has "+typeName(v)+" in it", aList.remedy)
			return
		case bad:
			t.fault(key, "has "+show(s)+", which "+flaw.Reason, flaw.Remedy)
			return
		case slices.Contains(all, s):
			t.fault(key, "has "+show(s)+" twice", "write it once")
			return
		}
		all = append(all, s)
	}
	*to = all
}

// originFlaw says why text is no origin as RFC 6454 has it, section 6.2: that is what browsers send, and what it is compared with byte for byte.
func originFlaw(text string) (flaw private.Flaw, bad bool) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || !isPort(u.Port()):
		return private.Flaw{Reason: "is not where a browser could come from", Remedy: `write https, a host, and the port unless it is 443: "https://desk.example.com:8443"`}, true
	case text != u.Scheme+"://"+u.Host || strings.ToLower(text) != text || u.Port() == "443" || strings.HasSuffix(u.Host, ":") || strings.ContainsAny(u.Host, "*'; ,"):
		return private.Flaw{Reason: "is not written as browsers write it", Remedy: "write it in small letters, without a path, a slash at the end, a * or the port 443"}, true
	}
	return private.Flaw{}, false
}

// issuer reads a provider's address. It may be http to this machine itself, as a webhook's may.
func (t *table) issuer(key string, to *string) {
	s, ok := value[string](t, key, aText)
	if !ok {
		return
	}
	if err := CheckURL(s); err != nil {
		flaw := err.(private.Flaw)
		t.fault(key, flaw.Reason, flaw.Remedy)
		return
	}
	*to = s
}

// colour reads one, and reports whether there is one.
func (t *table) colour(key string, to *string) bool {
	s, ok := value[string](t, key, aText)
	if !ok {
		return !t.has(key)
	}
	if _, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32); err != nil || len(s) != 7 || s[0] != '#' {
		t.fault(key, "is no colour", `write # and six hexadecimal digits, two each for red, green and blue: "#1f4f99"`)
		return false
	}
	*to = strings.ToLower(s)
	return true
}

// readable reports text that can't be read on its colour by everybody.
func (t *table) readable(b DeskBrand) {
	key := "colour"
	if !t.has(key) {
		key = "text_colour"
	}
	if c := contrast(b.Colour, b.TextColour); c < leastContrast {
		t.fault(key, fmt.Sprintf("makes a contrast of %.2f:1 between text (%s) and what it is written on (%s), and people need %g:1", math.Floor(c*100)/100, b.TextColour, b.Colour, leastContrast),
			fmt.Sprintf("write a darker or lighter colour, or text_colour: %s would make %.2f:1", better(b.Colour), contrast(b.Colour, better(b.Colour))))
	}
}

// better is black or white, whichever can be read better. One of the two makes 4.58:1 at the least on any colour.
func better(colour string) string {
	if contrast(colour, "#000000") > contrast(colour, "#ffffff") {
		return "#000000"
	}
	return "#ffffff"
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(colour string) float64 {
	rgb, _ := strconv.ParseUint(colour[1:], 16, 32)
	part := func(shift int) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}
