// Command proof measures flattone on material that anyone can make again: which keys are recognised, what of each key can be heard
// by the agent, and what masking takes from speech. It prints tables by category.
//
//	go run ./proof                                  # everything: some minutes
//	go run ./proof -only human,loss -lookahead 10,30
//	make codecs && go run ./proof -channel amr -lookahead 10,20,30,40,60
//
// Every unit is made, sent through audio/path in this process, judged and dropped. Same flags, same tables. It needs the
// recordings of [corpus.Packages] for the categories with speech or music. Bounds on the same figures are this package's tests.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/proof/channels"
	"github.com/flattone/flattone/proof/corpus"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		os.Exit(1)
	}
}

func run() error {
	seed := flag.Uint64("seed", 1, "what the material is made from")
	only := flag.String("only", "", "categories to measure, by comma-separated `PREFIXES`")
	lookAheads := flag.String("lookahead", "10,20,30", "look-aheads in `MS` to measure leaks with")
	shield := flag.String("shield", mask.Keys.String(), "how much of the rhythm is hidden: keys, run or field")
	grade := flag.String("grade", mask.Armed.String(), "how the line stands while keys are pressed: idle or armed")
	series := flag.Bool("series", false, "also print each series of a category")
	channel := flag.String("channel", "", "measure what comes out of these channels instead, by comma-separated `PREFIXES`, or all")
	cards := flag.Int("cards", 20, "card numbers of 16 keys that are sent through each channel, for each kind of background")
	folder := flag.String("recordings", corpus.Folder, "`FOLDER` of the recordings")
	flag.Parse()

	var s stand
	var err error
	if s.shield, err = mask.ParseShield(*shield); err != nil {
		return err
	}
	if s.grade, err = parseGrade(*grade); err != nil {
		return err
	}
	if s.lookAheads, err = parseLookAheads(*lookAheads); err != nil {
		return err
	}
	var todo []corpus.Recipe
	if *channel == "" {
		todo, err = recipes(*seed, split(*only), *folder)
	} else if chosen, unknown := choose(*channel); unknown != nil {
		return unknown
	} else {
		todo, err = sent(*seed, split(*only), *folder, channels.Program, chosen, *cards)
	}
	if err != nil {
		return err
	}
	r, err := s.measure(todo)
	if err != nil {
		return err
	}
	r.print(os.Stdout, *series)
	return nil
}

func split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func parseGrade(s string) (mask.Grade, error) {
	for _, g := range []mask.Grade{mask.Idle, mask.Armed} {
		if s == g.String() {
			return g, nil
		}
	}
	return 0, fmt.Errorf("grade %q is unknown: use idle or armed", s)
}

func parseLookAheads(s string) (all []time.Duration, err error) {
	for _, f := range split(s) {
		ms, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fmt.Errorf("look-ahead %q is no number of milliseconds", f)
		}
		all = append(all, time.Duration(ms*float64(time.Millisecond)))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no look-ahead to measure with: use -lookahead 10,20,30")
	}
	return all, nil
}

// recipes of all categories that begin with one of the prefixes.
func recipes(seed uint64, only []string, folder string) ([]corpus.Recipe, error) {
	all := corpus.Synthetic(seed)
	if corpus.NeedsLibrary(only) {
		l, err := corpus.OpenLibrary(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, corpus.Recorded(seed, l)...)
	}
	return pick(all, only)
}

// choose the channels that begin with one of the names, or all.
func choose(names string) (chosen []channels.Channel, err error) {
	for _, c := range channels.All {
		if names == "all" || corpus.Matches(string(c), split(names)) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no channel begins with any of %q: there are %v", names, channels.All)
	}
	return chosen, nil
}

// sent are the recipes of what comes out of channels, of all categories that begin with one of the prefixes.
func sent(seed uint64, only []string, folder, program string, chosen []channels.Channel, cards int) ([]corpus.Recipe, error) {
	coder, err := channels.Open(program, chosen)
	if err != nil {
		return nil, err
	}
	l, err := corpus.OpenLibrary(folder)
	if err != nil {
		return nil, err
	}
	var all []corpus.Recipe
	for _, c := range chosen {
		for _, r := range corpus.Sent(seed, l, cards) {
			if !isSpeech(r.Category) || slices.Contains(channels.Mobile, c) {
				all = append(all, coder.Through(c, r))
			}
		}
	}
	return pick(all, only)
}

func pick(all []corpus.Recipe, only []string) ([]corpus.Recipe, error) {
	picked := corpus.Pick(all, only)
	if len(picked) == 0 {
		return nil, fmt.Errorf("no category begins with any of %v", only)
	}
	return picked, nil
}
