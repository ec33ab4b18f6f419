package dialect

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// text is what was written, in its parts.
type text []part

// part is a run of what was written, or a placeholder; and, within a section, whether that is there.
type part struct {
	literal string
	word    string // "": the literal
	when    string // of the section that it is in; "": none
	not     bool   // it is there where when isn't
}

// longest bounds a text, in bytes: what is put in must find room in the courier's page, too.
const longest = 3 << 10

// parse reads a text:
//
//	text        = { literal | placeholder | section }
//	placeholder = "{{" word "}}"
//	section     = ( "{{#" | "{{^" ) word "}}" { literal | placeholder } "{{/" word "}}"
//
// Only "{{" is more than itself.
func (r *reader) parse(key, raw string, verb Verb, in place) text {
	if len(raw) > longest || !utf8.ValidString(raw) {
		r.fault(key, "is no text of at most %d bytes", "write less", longest)
		return nil
	}
	var out text
	when, not := "", false
	for raw != "" {
		literal, rest, open := strings.Cut(raw, "{{")
		if literal != "" {
			out = append(out, part{literal: literal, when: when, not: not})
		}
		if raw = rest; !open {
			break
		}
		name, rest, closed := strings.Cut(rest, "}}")
		if !closed {
			r.fault(key, "has a {{ that isn't closed", "write }} behind the word")
			return nil
		}
		raw = rest
		sign, plain := "", name
		if name != "" && strings.ContainsRune("#^/", rune(name[0])) {
			sign, plain = name[:1], name[1:]
		}
		w, known := words[plain]
		reason, remedy := "", ""
		switch {
		case !known:
			// It isn't repeated: nobody knows what it is.
			reason, remedy = "has a word in {{ }} that there isn't", "docs/gateways.md has those that there are"
		case sign == "" && w.flag:
			reason, remedy = fmt.Sprintf("has {{%s}}, which is no value", plain), fmt.Sprintf("write {{#%s}}, what is to be there then, and {{/%s}}", plain, plain)
		case sign == "":
			reason, remedy = w.judge(plain, verb, in)
			out = append(out, part{word: plain, when: when, not: not})
		case in != inBody || !w.section:
			reason, remedy = fmt.Sprintf("has {{%s%s}}, which may not stand here", sign, plain), "write sections into bodies alone, of cvv, reference, address_line, postcode, network_id, take, stored and deferred"
		case w.only != nil && verb != Authorise:
			reason, remedy = fmt.Sprintf("has {{%s%s}}, which there isn't in this request", sign, plain), "take it out"
		case sign == "/" && when != plain:
			reason, remedy = fmt.Sprintf("closes {{/%s}}, which isn't open", plain), "open and close each section once"
		case sign == "/":
			when, not = "", false
		case when != "":
			reason, remedy = fmt.Sprintf("opens {{%s%s}} within another section", sign, plain), "close the other one first"
		default:
			when, not = plain, sign == "^"
		}
		if reason != "" {
			r.fault(key, "%s", remedy, reason)
			return nil
		}
	}
	if when != "" {
		r.fault(key, "has a section that isn't closed", "write {{/"+when+"}} behind it")
		return nil
	}
	return out
}

// there reports whether a part is, where has tells what there is.
func (p part) there(has func(word string) bool) bool { return p.when == "" || has(p.when) != p.not }
