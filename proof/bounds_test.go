package main

import (
	"flag"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/proof/channels"
	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/score"
)

// The short form runs with every test, the long one in `make campaign`.
var (
	firstSeed = flag.Uint64("seed", 1, "what the first material is made from")
	seeds     = flag.Int("seeds", 1, "how many seeds to measure")
	cards     = flag.Int("cards", 12, "card numbers sent through each channel")
	coreKeys  = flag.Int("core-keys", 3000, "core keys from which the bound on their leaks is computed")
)

const (
	long  = 30 * time.Millisecond // the default look-ahead
	short = 10 * time.Millisecond // the shortest
)

var measuredAt = stand{lookAheads: []time.Duration{short, long}, shield: mask.Keys, grade: mask.Armed}

// Channels of the short form: one of each kind that leaves tones whole, and the worst.
var (
	better = []channels.Channel{"gsm", "amr12.2", "amrwb12.65", "g726-16", "opus8", "denoise"}
	poor   = []channels.Channel{"amr4.75", "amr5.9+amr5.9"}
	lossy  = []channels.Channel{"amr12.2-loss3"}
)

// everything but speech at other speeds, which the campaign measures.
var everything = []string{"mitel", "q24", "line", "codec", "bg", "loss", "agc", "clipped", "human", "soundcard", "reject", "sub", "talkoff_speech", "talkoff_music"}

// bound is what a figure must not pass. Where a goal isn't reached yet, the bound is today's value with a margin for the luck of a
// seed, and the reason names the goal: tighten it as the detector improves, never loosen it.
type bound struct {
	name        string
	figure      func(r *report) float64
	least, most float64 // most counts unless least is set
	reason      string
}

var bounds = []bound{
	{name: "recognised, all", figure: hits(notHidden), least: 99.5, reason: "99.5 % of all; today 99.6 to 99.9 by seed"},
	{name: "recognised, bg_music", figure: hits(among("bg_music")), least: 97, reason: "97 % of any category; today 97.6 to 99.8 by seed, 98.8 in the mean: what is missing is music as loud as the keys"},
	{name: "recognised, the worst of the others", figure: worstHits, least: 97, reason: "no category under 97 %"},
	{name: "mistaken keys", figure: count(notHidden, func(t *score.Tally) int { return t.Wrong }), reason: "a wrong digit voids a card"},
	{name: "false keys in speech and music", figure: count(isSpeech, func(t *score.Tally) int { return t.False }), reason: "spandsp has none in 16 h"},
	{name: "taken for keys, bandwidth", figure: rejected("mitel3_bandwidth"), most: 6. / 256, reason: rival},
	{name: "taken for keys, level", figure: rejected("mitel5_level"), reason: rival},
	{name: "taken for keys, guard time", figure: rejected("mitel6_guard"), most: 3. / 296, reason: rival},
	{name: "taken for keys, corners", figure: rejected("q24_freq_corner"), reason: rival},
	{name: "taken for keys, short", figure: rejected("reject_short"), most: 17. / 432, reason: rival},
	{name: "taken for keys, off frequency", figure: rejected("reject_offfreq"), most: 32. / 576, reason: rival},
	{name: "taken for keys, twisted", figure: rejected("reject_twist"), reason: rival},
	{name: "taken for keys, single tones", figure: rejected("reject_single"), reason: rival},
	{name: "taken for keys, other signals", figure: rejected("reject_signals"), most: 8. / 329, reason: rival},
	{name: "split at holes up to 10 ms", figure: splits("q24_interrupt"), most: 1. / 720, reason: "spandsp splits 26 of 360"},
	{name: "split by lost packets up to 30 ms", figure: splits("loss_"), most: 2. / 1600, reason: "a longer hole and a pause of 40 ms differ in phase alone"},
	{name: "delay, median", figure: delay(.5), most: 28, reason: "spandsp 30.4 ms"},
	{name: "delay, p95", figure: delay(.95), most: 34, reason: "spandsp 36.5 ms"},
	{name: "delay, longest", figure: delay(1), most: 50, reason: "spandsp 58.6 ms"},
	{name: "starts, median", figure: errorOf(starts, .5), most: 2, reason: timing},
	{name: "starts, p95", figure: errorOf(starts, .95), most: 5, reason: timing},
	{name: "ends, median", figure: errorOf(ends, .5), most: 2, reason: timing},
	{name: "ends, p95", figure: errorOf(ends, .95), most: 5, reason: timing},

	{name: "leaks, core, 30 ms", figure: leaks(long, among(corpus.Core...)), reason: "ordinary keys don't leak"},
	{name: "leaks, core, 10 ms", figure: leaks(short, among(corpus.Core...)), reason: "nor at the least look-ahead"},
	{name: "leaks, standards' tests", figure: leaks(long, among("mitel", "q24", "line_echo")), most: 0.1, reason: thousand},
	{name: "leaks, gain, dial tone, clipping", figure: leaks(long, among("agc", "bg_dialtone", "clipped")), most: 0.1, reason: thousand},
	{name: "leaks, clipping, 10 ms", figure: leaks(short, among("clipped")), most: 0.6, reason: thousand + "; today none"},
	{name: "leaks, loss", figure: leaks(long, among("loss_plc")), most: 0.2, reason: thousand + "; today none"},
	{name: "leaks, loss, keys apart", figure: leaks(long, among("loss_apart")), most: 0.2, reason: thousand},
	{name: "leaks, speech beneath", figure: leaks(long, among("bg_speech")), most: 0.6, reason: thousand + "; today 0.2 %"},
	{name: "leaks, music beneath", figure: leaks(long, among("bg_music")), most: 0.8, reason: thousand + "; today 0.25 %, none to 0.6 by seed"},
	{name: "leaks, speaking while keying", figure: leaks(long, among("sub_speaking")), most: 6, reason: thousand + "; today 2.7 %, with other voices up to 9"},
	{name: "leaks, short tones", figure: leaks(long, among("sub_short")), most: 0.6, reason: thousand + "; today 0.3 %: those of 3 and 4 ms"},
	{name: "leaks, faint tones", figure: leaks(long, among("sub_level")), most: 0.4, reason: thousand + "; today 0.09 %"},
	{name: "leaks, twist", figure: leaks(long, among("sub_twist")), most: 0.2, reason: thousand + "; today none"},
	{name: "leaks, off frequency", figure: leaks(long, among("sub_offfreq")), most: 1.5, reason: thousand + "; today 0.6 %"},
	{name: "leaks, two fingers", figure: leaks(long, among("sub_fingers")), most: 0.5, reason: thousand + "; today none of 640, with four seeds"},
	{name: "leaks, held keys, tails", figure: leaks(long, among("sub_held", "sub_tail")), reason: "level never ends a mask"},
	{name: "leaks, late echo", figure: leaks(long, among("sub_echo")), most: 0.2, reason: thousand + "; today none"},

	{name: "speech masked, idle", figure: masked(mask.Idle, "talkoff_speech"), most: 0.02, reason: "an idle line loses next to nothing"},
	{name: "speech masked, armed", figure: masked(mask.Armed, "talkoff_speech"), most: 1, reason: "an armed line stays a conversation"},
	{name: "edges in speech that click, armed", figure: clicks(mask.Armed, "talkoff_speech"), most: 3, reason: unfaded + "; today 1.6 %: one in two and a half minutes"},
	{name: "edges in speech that click, idle", figure: clicks(mask.Idle, "talkoff_speech"), most: 10, reason: unfaded + "; today 2 %: one in three hours"},
	{name: "music masked, idle", figure: masked(mask.Idle, "talkoff_music"), most: 0.1, reason: "goal 0.02 %; today 0.07, with one burst each two minutes"},
	{name: "music masked, armed", figure: masked(mask.Armed, "talkoff_music"), most: 3, reason: "no speech, so that the 1 % isn't meant for it; today 2.2: music holds its notes as keys do"},
}

// throughChannels are bounds on what comes out of the channels tested.
var throughChannels = []bound{
	{name: "recognised, better codecs", figure: hits(through("keys", better)), least: 99, reason: "today 99.8 %"},
	{name: "recognised, poor codecs", figure: hits(through("keys", poor)), least: 65, reason: "today 71 %"},
	{name: "mistaken keys", figure: count(isKeys, func(t *score.Tally) int { return t.Wrong }), reason: "a wrong digit voids a card"},
	{name: "false keys in speech", figure: count(isSpeech, func(t *score.Tally) int { return t.False }), reason: "codecs make no keys of speech"},
	{name: "leaks, better codecs", figure: leaks(long, through("keys", better)), most: 0.1, reason: thousand},
	{name: "leaks, better codecs, 10 ms", figure: leaks(short, through("keys", better)), most: 4, reason: "why 30 ms are the default; today 2.1 %"},
	{name: "leaks, poor codecs", figure: leaks(long, through("keys", poor)), most: 2, reason: thousand + "; today 0.5 %"},
	{name: "leaks, lost frames", figure: leaks(long, through("keys", lossy)), most: 8, reason: thousand + "; today 3.6 %"},
	{name: "leaks, speech beneath, better codecs", figure: leaks(long, through("keys_speech", better)), most: 1.5, reason: thousand + "; today 0.5 %"},
	{name: "leaks, speech beneath, poor codecs", figure: leaks(long, through("keys_speech", poor)), most: 17, reason: thousand + "; today 9.6 %"},
	{name: "leaks, speech beneath, lost frames", figure: leaks(long, through("keys_speech", lossy)), most: 5, reason: thousand + "; today 1.6 %"},
	{name: "speech masked, idle", figure: masked(mask.Idle, "talkoff_sent"), most: 0.02, reason: "an idle line loses next to nothing"},
	{name: "speech masked, armed", figure: masked(mask.Armed, "talkoff_sent"), most: 1, reason: "an armed line stays a conversation"},
}

const (
	rival    = "no row worse than spandsp's"
	timing   = "within 2 ms in the median and 5 ms at p95"
	thousand = "goal 1 key in 1000"
	unfaded  = "a fade would tell what is masked, or change what isn't"
)

func TestBounds(t *testing.T) {
	check(t, bounds, measured(t, func(seed uint64) ([]corpus.Recipe, error) { return recipes(seed, everything, corpus.Folder) }))
}

func TestBoundsThroughChannels(t *testing.T) {
	check(t, throughChannels, measured(t, func(seed uint64) ([]corpus.Recipe, error) {
		return sent(seed, nil, corpus.Folder, filepath.Join("..", channels.Program), slices.Concat(better, poor, lossy), *cards)
	}))
}

// TestCoreKeysDoNotLeak makes new core keys until there are enough, and says what that proves.
func TestCoreKeysDoNotLeak(t *testing.T) {
	r := newReport(measuredAt)
	for seed := *firstSeed; ; seed++ {
		todo, err := recipes(seed, corpus.Core, corpus.Folder)
		r.addMeasured(t, todo, err)
		if r.leaks[long].sum(isCore).Keys >= *coreKeys {
			break
		}
	}
	for l, ledger := range r.leaks {
		c := ledger.sum(isCore)
		t.Logf("at %v %d of %d core keys leaked: with 95 %% confidence at most %.4f %% do", l, c.Leaked, c.Keys, c.Bound())
		if c.Leaked > 0 {
			t.Errorf("%d of %d core keys leaked at %v", c.Leaked, c.Keys, l)
		}
	}
}

// measured is the sum over the seeds.
func measured(t *testing.T, recipes func(seed uint64) ([]corpus.Recipe, error)) *report {
	t.Helper()
	r := newReport(measuredAt)
	for i := range *seeds {
		todo, err := recipes(*firstSeed + uint64(i))
		r.addMeasured(t, todo, err)
	}
	if testing.Verbose() {
		var all strings.Builder
		r.print(&all, false)
		t.Log("\n" + all.String())
	}
	return r
}

// addMeasured adds what recipes, made without an error, give.
func (r *report) addMeasured(t *testing.T, todo []corpus.Recipe, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	one, err := r.stand.measure(todo)
	if err != nil {
		t.Fatal(err)
	}
	r.add(one)
}

func check(t *testing.T, bounds []bound, r *report) {
	t.Helper()
	for _, b := range bounds {
		v := b.figure(r)
		switch {
		case math.IsNaN(v):
			t.Errorf("%s: nothing was measured", b.name)
		case b.least > 0 && v < b.least:
			t.Errorf("%s: %.4g is below %.4g (%s)", b.name, v, b.least, b.reason)
		case b.least == 0 && v > b.most:
			t.Errorf("%s: %.4g is above %.4g (%s)", b.name, v, b.most, b.reason)
		}
	}
}

func notHidden(category string) bool {
	return isKeys(category) && !isHidden(category)
}

func among(prefixes ...string) func(string) bool {
	return func(category string) bool { return corpus.Matches(category, prefixes) }
}

// through is one category of keys as it came out of some channels.
func through(category string, all []channels.Channel) func(string) bool {
	return func(c string) bool {
		return slices.ContainsFunc(all, func(ch channels.Channel) bool { return c == category+" "+string(ch) })
	}
}

func hits(keep func(string) bool) func(*report) float64 {
	return func(r *report) float64 { return r.scores.sum(keep).HitRate() }
}

// worstHits leaves out what has bounds of its own.
func worstHits(r *report) float64 {
	worst := math.NaN()
	for c, series := range r.scores {
		if v := series[""].HitRate(); c != "bg_music" && !(v >= worst) && !math.IsNaN(v) {
			worst = v
		}
	}
	return worst
}

func count(keep func(string) bool, get func(*score.Tally) int) func(*report) float64 {
	return func(r *report) float64 {
		t := r.scores.sum(keep)
		if t.Hours == 0 {
			return math.NaN()
		}
		return float64(get(t))
	}
}

func rejected(category string) func(*report) float64 {
	return func(r *report) float64 {
		t := r.scores.sum(among(category))
		return float64(t.Rejected) / float64(t.Reject)
	}
}

func splits(category string) func(*report) float64 {
	return func(r *report) float64 {
		t := r.scores.sum(among(category))
		return float64(t.BridgeSplit) / float64(t.Bridge)
	}
}

func delay(p float64) func(*report) float64 {
	return func(r *report) float64 { return score.Quantile(r.scores.sum(isHuman).Delays, p) }
}

func starts(t *score.Tally) []float64 { return t.Starts }
func ends(t *score.Tally) []float64   { return t.Ends }

func errorOf(which func(*score.Tally) []float64, p float64) func(*report) float64 {
	return func(r *report) float64 { return score.Quantile(score.Sizes(which(r.scores.sum(isHuman))), p) }
}

func leaks(l time.Duration, keep func(string) bool) func(*report) float64 {
	return func(r *report) float64 { return r.leaks[l].sum(keep).Share() }
}

func masked(g mask.Grade, category string) func(*report) float64 {
	return func(r *report) float64 { return r.costs[state{long, g, mask.Keys}].sum(among(category)).Share() }
}

func clicks(g mask.Grade, category string) func(*report) float64 {
	return func(r *report) float64 { return r.costs[state{long, g, mask.Keys}].sum(among(category)).ClickShare() }
}
