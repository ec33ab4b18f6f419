// Package words has what the desk says to agents, in every language it speaks: one file a language, of the same keys. It exists so that a page never says a
// thing in the wrong language or not at all, and so that whoever adds a code finds out where words for it are missing.
//
// It promises that every language has every key, with the same places to fill in. Nothing is ever counted in a sentence: figures stand beside words, so that
// no plural can be wrong. What it answers with is plain text, and who shows it escapes it.
package words

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/flattone/flattone/daemon/config"
)

//go:embed *.json
var files embed.FS

// Catalogue is every language's words.
type Catalogue struct {
	all map[config.Language]Words
}

// Words are one language's. They may be read by many goroutines at once.
type Words struct {
	Language config.Language
	words    map[string]string
}

// New reads the catalogue.
func New() (*Catalogue, error) {
	c := &Catalogue{all: map[config.Language]Words{}}
	for _, l := range config.Languages() {
		text, err := files.ReadFile(string(l) + ".json")
		if err != nil {
			return nil, err
		}
		w := Words{Language: l}
		if err := json.Unmarshal(text, &w.words); err != nil {
			return nil, fmt.Errorf("words in %s: %w", l, err)
		}
		c.all[l] = w
	}
	return c, nil
}

// For is the first language of accept, an Accept-Language header (RFC 9110, 12.5.4), that there are words in; or else the one given. Weights are left aside:
// browsers send what they like most first.
func (c *Catalogue) For(accept string, otherwise config.Language) Words {
	for _, part := range strings.Split(accept, ",") {
		tag, _, _ := strings.Cut(part, ";")
		language, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		if w, ok := c.all[config.Language(strings.ToLower(language))]; ok {
			return w
		}
	}
	return c.all[otherwise]
}

// Say is what there is under a key, with pairs of a place's name and what stands there filled in.
func (w Words) Say(key string, pairs ...string) string {
	text, ok := w.words[key]
	if !ok {
		return key // which no test lets be
	}
	fill := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(fill...).Replace(text)
}

// Code is a code in words: of a field, a line, a payment, an answer. One that there are no words for is still readable.
func (w Words) Code(code string) string {
	if text, ok := w.words["code."+code]; ok {
		return text
	}
	return strings.ReplaceAll(code, "_", " ")
}
