package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/leak"
	"github.com/flattone/flattone/proof/score"
)

// print writes all tables that have rows.
func (r *report) print(w io.Writer, series bool) {
	r.printScores(w, series)
	r.printOnsets(w)
	r.printLeaks(w, series)
	r.printCosts(w)
	r.printCurve(w)
}

func isSpeech(category string) bool { return strings.HasPrefix(category, "talkoff_") }

func isKeys(category string) bool { return !isSpeech(category) }

// isHuman are keys as people press them, for which delays are bounded.
func isHuman(category string) bool { return category == "human_pan" }

func isCore(category string) bool { return corpus.Matches(category, corpus.Core) }

// isHard are ordinary keys on lines that aren't.
func isHard(category string) bool {
	return corpus.Matches(category, []string{"agc_ramp", "line_echo", "loss", "clipped", "bg_"})
}

// isHidden are keys that no detector has to take, and no agent may hear.
func isHidden(category string) bool { return corpus.Matches(category, []string{"sub_"}) }

func isTalk(category string) bool {
	return corpus.Matches(category, []string{"talkoff_speech", "talkoff_speed", "talkoff_sent"})
}

func (r *report) printScores(w io.Writer, series bool) {
	fmt.Fprintf(w, "Recognition. Delays from onset to report, starts and ends (sizes of the errors) in ms.\n")
	fmt.Fprintf(w, "%-28s %6s %7s %5s %5s %5s %9s %5s %9s %9s | %5s %5s %5s | %5s %5s | %5s %5s\n", "category", "accept", "hit %", "wrong", "false", "split",
		"bridged", "merge", "may", "reject", "med", "p95", "max", "s.med", "s.p95", "e.med", "e.p95")
	row := func(name string, t *score.Tally) {
		q := func(v []float64, p float64) string { return figure(score.Quantile(v, p), "%.1f") }
		starts, ends := score.Sizes(t.Starts), score.Sizes(t.Ends)
		fmt.Fprintf(w, "%-28s %6d %7s %5d %5d %5d %9s %5d %9s %9s | %5s %5s %5s | %5s %5s | %5s %5s\n", name, t.Accept, figure(t.HitRate(), "%.2f"), t.Wrong, t.False,
			t.Split, of(t.BridgeSplit, t.Bridge), t.Merged, of(t.MayHit, t.May), of(t.Rejected, t.Reject), q(t.Delays, .5), q(t.Delays, .95), q(t.Delays, 1),
			q(starts, .5), q(starts, .95), q(ends, .5), q(ends, .95))
	}
	for _, c := range r.scores.categories() {
		if isSpeech(c) {
			t := r.scores[c][""]
			fmt.Fprintf(w, "%-28s %.2f h, %d false keys, %.2f an hour\n", c, t.Hours, t.False, float64(t.False)/t.Hours)
			continue
		}
		row(c, r.scores[c][""])
		if series {
			for _, s := range slices.Sorted(maps.Keys(r.scores[c])) {
				if s != "" {
					row("  "+s, r.scores[c][s])
				}
			}
		}
	}
	row("all", r.scores.sum(isKeys))
}

func (r *report) printOnsets(w io.Writer) {
	if len(r.onsets) == 0 {
		return
	}
	fmt.Fprintf(w, "\nSuspicion: from onset to the first suspect tick, in ms, and keys suspected later than so many ms, or never; grade %v\n", r.stand.grade)
	limits := []float64{9, 19, 29, 39, 59}
	fmt.Fprintf(w, "%-28s %7s | %5s %5s %5s %5s", "category", "keys", "med", "p95", "p99", "max")
	for _, ms := range limits {
		fmt.Fprintf(w, " %6s", fmt.Sprintf(">%v", ms))
	}
	fmt.Fprintf(w, " %6s\n", "never")
	for _, c := range r.onsets.categories() {
		t := r.onsets[c][""]
		fmt.Fprintf(w, "%-28s %7d |", c, len(t.MS))
		for _, p := range []float64{.5, .95, .99, 1} {
			fmt.Fprintf(w, " %5.1f", score.Quantile(t.MS, p))
		}
		for _, ms := range limits {
			fmt.Fprintf(w, " %6d", t.Over(ms))
		}
		fmt.Fprintf(w, " %6d\n", t.Over(math.MaxFloat64))
	}
}

func (r *report) printLeaks(w io.Writer, series bool) {
	longest := r.leaks[slices.Max(r.stand.lookAheads)]
	if len(longest) == 0 {
		return
	}
	fmt.Fprintf(w, "\nLeaks: keys of which more than 0.5 ms came through, grade %v, shield %v; by look-ahead. med and max in ms, of those.\n", r.stand.grade, r.stand.shield)
	fmt.Fprintf(w, "%-28s %7s", "category", "keys")
	for _, l := range r.stand.lookAheads {
		fmt.Fprintf(w, " | %6v %8s %5s %5s", l, "%", "med", "max")
	}
	fmt.Fprintln(w)
	row := func(name string, keys int, get func(ledger[leak.Tally, *leak.Tally]) *leak.Tally) {
		if keys == 0 {
			return
		}
		fmt.Fprintf(w, "%-28s %7d", name, keys)
		for _, l := range r.stand.lookAheads {
			t := get(r.leaks[l])
			fmt.Fprintf(w, " | %6d %8s %5s %5s", t.Leaked, figure(t.Share(), "%.3f"), figure(score.Quantile(t.MS, .5), "%.1f"), figure(score.Quantile(t.MS, 1), "%.1f"))
		}
		fmt.Fprintln(w)
	}
	for _, c := range longest.categories() {
		for _, s := range slices.Sorted(maps.Keys(longest[c])) {
			name := "  " + s
			if s == "" {
				name = c
			} else if !series {
				continue
			}
			row(name, longest[c][s].Keys, func(l ledger[leak.Tally, *leak.Tally]) *leak.Tally { return l.at(c, s) })
		}
	}
	row("core", longest.sum(isCore).Keys, func(l ledger[leak.Tally, *leak.Tally]) *leak.Tally { return l.sum(isCore) })
	for _, l := range r.stand.lookAheads {
		if t := r.leaks[l].sum(isCore); t.Keys > 0 {
			fmt.Fprintf(w, "core at %v: %d of %d keys leaked; with 95 %% confidence at most %.4f %% do\n", l, t.Leaked, t.Keys, t.Bound())
		}
	}
}

func (r *report) printCosts(w io.Writer) {
	if len(r.costs[states[0]]) == 0 {
		return
	}
	fmt.Fprintf(w, "\nCost to speech without keys: share of the time masked in %%, bursts a minute, and the share of their edges that click in %%\n%-28s %6s", "category", "hours")
	for _, st := range states {
		fmt.Fprintf(w, " | %20s", fmt.Sprintf("%v, %v", st.grade, st.shield))
	}
	fmt.Fprintln(w)
	for _, c := range r.costs[states[0]].categories() {
		fmt.Fprintf(w, "%-28s %6.2f", c, r.scores[c][""].Hours)
		for _, st := range states {
			t := r.costs[st][c][""]
			fmt.Fprintf(w, " | %8.4f %5.2f %5s", t.Share(), t.PerMinute(), figure(t.ClickShare(), "%.1f"))
		}
		fmt.Fprintln(w)
	}
}

// printCurve sets what leaks against what it costs.
func (r *report) printCurve(w io.Writer) {
	fmt.Fprintf(w, "\nLeaks against cost, armed, shield %v: keys of which more than 0.5 ms came through, and speech masked, in %%\n", r.stand.shield)
	fmt.Fprintf(w, "%-10s | %8s %8s %8s | %8s\n", "look-ahead", "ordinary", "hard", "hidden", "speech")
	for _, l := range r.stand.lookAheads {
		fmt.Fprintf(w, "%-10v |", l)
		for _, is := range []func(string) bool{isCore, isHard, isHidden} {
			fmt.Fprintf(w, " %8s", figure(r.leaks[l].sum(is).Share(), "%.3f"))
		}
		fmt.Fprintf(w, " | %8s\n", figure(r.costs[dear(l)].sum(isTalk).Share(), "%.3f"))
	}
}

// figure formats v, or nothing if it isn't a number.
func figure(v float64, format string) string {
	if v != v {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func of(n, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", n, all)
}
