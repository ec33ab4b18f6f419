// Package words is what a line can say to the agent's side: sixteen words in each of five languages, recorded.
//
// It exists so that an agent can prove that the call in his ear is the one on a line: two of them are spoken there, and he picks them. They are short nouns that
// nobody takes for each other, nor for a number: what is spoken while cards are about must not sound like one.
//
// It promises that each word of [In] can be had with [Frames]. It must never hold a digit, nor anybody's voice: how the recordings are made, and under which licence
// they are, is in recorded/README.md.
package words

import (
	"maps"
	"slices"
)

// names are what the recordings are called; the words of each language are in their order.
var names = []string{"moon", "tiger", "apple", "river", "candle", "bottle", "garden", "window", "frog", "eagle", "umbrella", "elephant", "cloud", "piano", "lemon", "mountain"}

// languages are by ISO 639-1.
var languages = map[string][]string{
	"en": names,
	"es": {"luna", "tigre", "manzana", "río", "vela", "botella", "jardín", "ventana", "rana", "águila", "paraguas", "elefante", "nube", "piano", "limón", "volcán"},
	"de": {"Mond", "Tiger", "Apfel", "Fluss", "Kerze", "Flasche", "Garten", "Fenster", "Frosch", "Adler", "Schirm", "Elefant", "Wolke", "Klavier", "Zitrone", "Berg"},
	"fr": {"lune", "tigre", "pomme", "rivière", "bougie", "bouteille", "jardin", "fenêtre", "grenouille", "aigle", "parapluie", "éléphant", "nuage", "piano", "citron", "montagne"},
	"ja": {"月", "虎", "りんご", "川", "ろうそく", "びん", "庭", "窓", "かえる", "鷲", "傘", "象", "雲", "ピアノ", "レモン", "山"},
}

// Languages are those that there are, in order.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }

// In are the words of a language; none if there is no such language.
func In(language string) []string { return slices.Clone(languages[language]) }
