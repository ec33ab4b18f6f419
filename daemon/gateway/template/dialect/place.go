package dialect

import "strings"

// A walker goes along a body's literals and knows, at each placeholder, whether a value can stand there.
type walker interface {
	walk(literal string) (flaw string)
	holds(w word) bool
	state() any // to compare
	remedy() string
}

// placed judges where the placeholders of a body stand. A section begins and ends in the same place, so that it may be in or out.
func (r *reader) placed(key string, t text) {
	var w walker
	switch r.encoding {
	case JSON:
		w = &inJSON{}
	case XML:
		w = &inXML{}
	default:
		w = &inForm{}
	}
	when, not, before := "", false, w.state()
	for _, p := range append(t[:len(t):len(t)], part{}) {
		if p.when != when || p.not != not {
			if when != "" && w.state() != before {
				r.fault(key, "has a section {{#%s}} that ends elsewhere than it begins: within a string or a tag, or without it", "let each section be whole", when)
				return
			}
			when, not, before = p.when, p.not, w.state()
		}
		if p.word != "" && !w.holds(words[p.word]) {
			r.fault(key, "has {{%s}} where a value could be taken for something else", w.remedy(), p.word)
			return
		}
		if flaw := w.walk(p.literal); flaw != "" {
			r.fault(key, "has %s", "take it out", flaw)
			return
		}
	}
}

// amounts judges what stands beside an amount: a digit there makes another amount of it.
func (r *reader) amounts(key string, t text) {
	digit := func(s string, at int) bool { return s != "" && strings.ContainsRune("0123456789.", rune(s[at])) }
	for i, p := range t {
		if !words[p.word].number {
			continue
		}
		before, after := "", ""
		if i > 0 {
			before = t[i-1].literal
		}
		if i+1 < len(t) {
			after = t[i+1].literal
		}
		if digit(before, max(0, len(before)-1)) || digit(after, 0) || i > 0 && words[t[i-1].word].number {
			r.fault(key, "has {{%s}} beside another digit, which makes another amount of it", "let it stand by itself: amount is in the minor unit, amount_decimal in the currency's own", p.word)
			return
		}
	}
}

// inJSON tells strings from what is between them, and what an escape takes up of them (RFC 8259, 7).
type inJSON struct {
	text, slash bool
	skip        int
}

func (j *inJSON) walk(s string) string {
	for _, c := range s {
		switch {
		case j.skip > 0:
			if j.skip--; j.slash && c == 'u' {
				j.skip = 4
			}
			j.slash = false
		case j.text && c == '\\':
			j.skip, j.slash = 1, true
		case c == '"':
			j.text = !j.text
		}
	}
	return ""
}
func (j *inJSON) holds(w word) bool { return j.skip == 0 && (j.text || w.number) }
func (j *inJSON) state() any        { return *j }
func (j *inJSON) remedy() string {
	return `put it between quotes: "{{...}}"; amounts alone may stand without`
}

// inXML tells text, tags and attributes.
type inXML struct{ at byte } // 0: text; '<': a tag; a quote: an attribute's value

func (x *inXML) walk(s string) string {
	for i := range len(s) {
		c := s[i]
		switch {
		case x.at == 0 && strings.HasPrefix(s[i:], "<!"):
			return "a comment, CDATA or a document type"
		case x.at == 0 && c == '<':
			x.at = '<'
		case x.at == '<' && (c == '"' || c == '\''):
			x.at = c
		case x.at == '<' && c == '>', x.at == '"' && c == '"', x.at == '\'' && c == '\'':
			x.at = map[byte]byte{'>': 0, '"': '<', '\'': '<'}[c]
		}
	}
	return ""
}
func (x *inXML) holds(word) bool { return x.at != '<' }
func (x *inXML) state() any      { return *x }
func (x *inXML) remedy() string {
	return "write it as an element's text, or as an attribute between quotes"
}

// inForm tells what follows a percent sign.
type inForm struct{ percent int }

func (f *inForm) walk(s string) string {
	for _, c := range s {
		switch {
		case c <= ' ' || c >= 0x7f:
			return "what must be percent-encoded"
		case c == '%':
			f.percent = 2
		case f.percent > 0:
			f.percent--
		}
	}
	return ""
}
func (f *inForm) holds(word) bool { return f.percent == 0 }
func (f *inForm) state() any      { return *f }
func (f *inForm) remedy() string  { return "write it behind a = sign" }
