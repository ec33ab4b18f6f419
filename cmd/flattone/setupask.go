package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

// question is one that a person answers. Enter alone is its preset, where it has one.
type question struct {
	why, ask, preset string
	// choices are what may be answered, by word or by number; with none, anything.
	choices []choice
}

type choice struct{ word, means string }

// errAnother has the question asked anew, as it stands then.
var errAnother = errors.New("another look")

// ask asks until take takes the answer. An answer that is refused is told why, and what to answer instead.
func (s *setup) ask(ctx context.Context, q question, take func(answer string) error) error {
	out := s.t.out
	fmt.Fprintln(out)
	paragraph(out, 0, "", q.why)
	preset := ""
	for i, c := range q.choices {
		paragraph(out, choiceHang, fmt.Sprintf("  %d  %s", i+1, c.word), c.means)
		if c.word == q.preset {
			preset = strconv.Itoa(i + 1)
		}
	}
	if q.choices == nil {
		preset = q.preset
	}
	if preset != "" {
		preset = " [" + preset + "]"
	}
	for {
		fmt.Fprintf(out, "%s%s: ", q.ask, clean(preset))
		answer, err := s.t.typed(ctx)
		if err != nil {
			return err
		}
		if answer == "" {
			answer = q.preset
		}
		if err = q.among(&answer); err == nil {
			err = take(answer)
		}
		if !s.refused(err) {
			return err
		}
	}
}

// choiceHang is how far what a choice means hangs in.
const choiceHang = 19

// among makes a choice's word of its number.
func (q question) among(answer *string) error {
	if *answer == "" {
		return private.Flaw{Reason: "nothing was typed", Remedy: "there is no answer that would do for everybody: type one"}
	}
	if q.choices == nil {
		return nil
	}
	if n, err := strconv.Atoi(*answer); err == nil && n >= 1 && n <= len(q.choices) {
		*answer = q.choices[n-1].word
	}
	if !slices.ContainsFunc(q.choices, func(c choice) bool { return c.word == *answer }) {
		return private.Flaw{Reason: fmt.Sprintf("%q is none of these", *answer), Remedy: fmt.Sprintf("type a number from 1 to %d", len(q.choices))}
	}
	return nil
}

// refused says what is wrong with an answer, if it is that.
func (s *setup) refused(err error) bool {
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, f := range faults {
			remedy := f.Remedy
			f.File, f.Line, f.Remedy = "", 0, ""
			refuse(s.t.out, strings.TrimPrefix(f.Error(), ": "), remedy)
		}
		return true
	}
	if flaw, ok := errors.AsType[private.Flaw](err); ok {
		refuse(s.t.out, flaw.Reason, flaw.Remedy)
		return true
	}
	if said, ok := errors.AsType[*control.Error](err); ok && said.Code != control.CodeUnreachable && said.Code != control.CodeLost {
		refuse(s.t.out, said.Text, said.Remedy)
		return true
	}
	return false
}
