package at

import "strings"

// A line is made of fields, between colons, equals signs and commas. Blanks around a field don't count, nor do quotes, between which a separator is none.
// A pattern is the fields that a line begins with:
//
//	RING                the line RING
//	VOICE CALL: END     VOICE CALL: END: 000003
//	CONNECT             CONNECT 9600: of the last field, whole words that it begins with will do
//	^DSCI: *,*,3        ^DSCI: 1,0,3,0,5551234,129: a star is any field
//	+CLIP: {number}     +CLIP: "5551234",129: the field is captured
//	NMBR = {number}     NMBR = 5551234
//
// Comparing how lines begin would be simpler, but for modules that write the same with other blanks and quotes from one firmware to the next.

// Match reports whether a line is one of a pattern.
func Match(line []byte, pattern string) bool {
	_, ok := match(line, pattern)
	return ok
}

// Capture answers the field in the pattern's braces, as part of the line. It is empty where the modem left it so, as of a caller who isn't to be known.
func Capture(line []byte, pattern string) (field []byte, ok bool) {
	field, ok = match(line, pattern)
	return field, ok && field != nil
}

// match answers what braces capture, nil without any.
func match(line []byte, pattern string) (captured []byte, ok bool) {
	for {
		want, wants, more := cut(pattern)
		field, fields, there := cut(line)
		switch {
		case want == "*":
		case strings.HasPrefix(want, "{"):
			captured = field
		case more && string(field) != want, !more && !begins(field, want):
			return nil, false
		}
		if !more {
			return captured, true
		}
		if !there {
			return nil, false
		}
		pattern, line = wants, fields
	}
}

// begins reports whether a field is some words, or begins with them.
func begins(field []byte, words string) bool {
	n := len(words)
	return len(field) >= n && string(field[:n]) == words && (len(field) == n || field[n] == ' ')
}

// cut takes the first field off a line or a pattern.
func cut[T string | []byte](s T) (field, rest T, more bool) {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ':', '=', ',':
			if !quoted {
				return bare(s[:i]), s[i+1:], true
			}
		}
	}
	return bare(s), s[len(s):], false
}

// bare is a field without the blanks around it, and the quotes.
func bare[T string | []byte](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '"') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '"') {
		s = s[:len(s)-1]
	}
	return s
}

// Flaw says what is wrong with a pattern, and what to do about it; nothing of one that is in order.
func Flaw(pattern string) (reason, remedy string) {
	if len(pattern) > MaxLine {
		return "is longer than a line can be", "shorten it to what tells the line from others"
	}
	if strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "isn't all printable ASCII, as lines are", "leave out the rest"
	}
	if strings.Count(pattern, `"`)%2 != 0 {
		return "leaves a quote open", "close it, or leave quotes out, which don't count"
	}
	captures := 0
	for i, rest, more := 0, pattern, true; more; i++ {
		var field string
		field, rest, more = cut(rest)
		name, braced := strings.CutPrefix(field, "{")
		switch {
		case i == 0 && (field == "" || field == "*" || braced):
			return "begins with no word", "write first what the line begins with"
		case !more && field == "":
			return "ends in an empty field, which few lines have", "write a star, or leave out the last separator"
		case field == "*":
		case braced:
			captures++
			if name, closed := strings.CutSuffix(name, "}"); !closed || name == "" || strings.ContainsAny(name, "{}* ") {
				return "has braces around no name", "write {number}"
			}
		case strings.ContainsAny(field, "{}*"):
			return "has a star or braces that are part of a field", "let them stand for all of it"
		}
	}
	if captures > 1 {
		return "captures two fields", "put a star for one of them"
	}
	return "", ""
}
