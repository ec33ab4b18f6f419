package corpus

// book collects recipes.
type book struct {
	seed    uint64
	recipes []Recipe
}

// add enters a unit: what is drawn depends on the seed, its category and its name.
func (b *book) add(category, name string, fill func(t *track)) {
	b.recipes = append(b.recipes, Recipe{category, func() (*Unit, error) {
		t := start(b.seed, category+"/"+name)
		fill(t)
		return t.unit(category), nil
	}})
}

// Synthetic are the recipes of every category that needs no recordings.
func Synthetic(seed uint64) []Recipe {
	b := &book{seed: seed}
	b.mitel()
	b.q24()
	b.codecs()
	b.dialTone()
	b.loss()
	b.gain()
	b.clipped()
	b.people()
	b.soundCard()
	b.rejects()
	b.hidden()
	return b.recipes
}

// Core are the categories of ordinary keys on ordinary lines, those for which no leak at all is claimed.
var Core = []string{"human_pan", "soundcard", "q24_timing", "codec_g711"}
