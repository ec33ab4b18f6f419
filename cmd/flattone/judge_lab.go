//go:build lab

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/wav"
)

// judgeRun is one run of the verb judge.
type judgeRun struct {
	truth string
	blind string
	delay int
	json  bool
}

// judgeCommand sets the attacker on what an agent heard. It prints how much can be read, and never a digit.
func judgeCommand() *cobra.Command {
	var r judgeRun
	c := &cobra.Command{
		Use:   "judge {IN.wav OUT.wav | --blind REC.wav} --truth FILE",
		Short: "attack a masked recording: can its keys be read? (lab builds)",
		Long: `Try to read the keys of a recorded call out of what the agent heard.

IN.wav is what the caller sent, OUT.wav what the agent heard, at the same rate.
FILE names the keys truly pressed, in frames of IN.wav:
{"keys": [{"digit": "5", "start": 800, "end": 1600}]}. The delay of OUT.wav is
found by itself where the caller talks, unless --delay gives it.

With --blind there is only a recording, say of a call recorder. By how much it
lags the clock of FILE is found by what it does in the keys' rhythm, unless
--delay gives it; it must not begin later than that clock. How many milliseconds
leaked can't be known then. Masks of other makes are judged, too: a steady tone
of any frequency is found by itself.

Three attackers try. Templates fit the keys' tones and learn nothing. Trained
learns from the sound of the keys, edges from where masking begins and ends and
from nothing else; both guess each key by what other keys of the call taught
them, and few keys teach little: up to its resolution a figure is 0.

Prints a table, or one JSON object with --json, and no digit in either. A key is
readable when its reading is likelier than a complete mask makes any for more
than one key in ten thousand. Readings that have nothing to do with what was
pressed, as of a mask that is made of keys' tones, are decoys.

Exit codes: 0 when no key is readable and no attacker does better than chance, 1
when one is or does, 2 when the input is no good.`,
		Args: func(c *cobra.Command, args []string) error {
			if r.blind == "" {
				return twoRecordings(c, args)
			}
			if len(args) > 0 {
				return badInput(hintVerbUsage(c.CommandPath()), "%s --blind takes no recording but its own, not %d more", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.OutOrStdout(), args) },
	}
	f := c.Flags()
	f.StringVar(&r.truth, "truth", "", "read the keys truly pressed from this `FILE`")
	f.StringVar(&r.blind, "blind", "", "judge this recording `REC.wav` alone, without the input")
	f.IntVar(&r.delay, "delay", adversary.FindDelay, "by how many `SAMPLES` OUT.wav or REC.wav lags; -1 to find it")
	f.BoolVar(&r.json, "json", false, "print one JSON object")
	return c
}

func (r *judgeRun) run(stdout io.Writer, names []string) error {
	c, err := r.read(names)
	if err != nil {
		return err
	}
	report, err := adversary.Judge(c)
	if err != nil {
		return badInput("", "%w", err)
	}
	c.DelayFrames = report.DelayFrames
	learnt, err := adversary.Learn(c)
	if err != nil {
		return badInput("", "%w", err)
	}
	report.Attackers = append(report.Attackers, learnt...)
	if r.json {
		err = json.NewEncoder(stdout).Encode(findingsOf(c.Rate, report))
	} else {
		err = printVerdict(stdout, c.Rate, report)
	}
	out := r.blind
	if out == "" {
		out = names[1]
	}
	switch {
	case err != nil:
		return err
	case report.Readable > 0:
		return fail(exitFailed, "", "%d of %d keys can be read in %s", report.Readable, report.Keys, out)
	case report.Guessed():
		return fail(exitFailed, "", "no key can be read for sure in %s, but %d of %d guesses are right: by chance that has a probability of %.1g",
			out, report.Correct, report.Keys, report.ByChance)
	case report.Leaks():
		return fail(exitFailed, "", "no key can be read for sure in %s, but guesses follow the keys: see bits a key", out)
	}
	return nil
}

// read is the case to judge, from the files.
func (r *judgeRun) read(names []string) (c adversary.Case, err error) {
	c.DelayFrames, c.FlatTone = r.delay, adversary.OurFlatTone()
	if c.Keys, err = readTruth(r.truth); err != nil {
		return c, err
	}
	if r.blind != "" {
		c.Out, c.Rate, err = readRecording(r.blind)
		return c, err
	}
	if c.In, c.Rate, err = readRecording(names[0]); err != nil {
		return c, err
	}
	var rate audio.Rate
	if c.Out, rate, err = readRecording(names[1]); err != nil {
		return c, err
	}
	if rate != c.Rate {
		return c, badInput(fmt.Sprintf("resample one: sox %s -r %d resampled.wav", names[1], int(c.Rate)),
			"%s is at %v, %s at %v", names[0], c.Rate, names[1], rate)
	}
	return c, nil
}

// findings are the report as JSON: what a blind attacker can't know is null.
type findings struct {
	adversary.Report
	LeakedMS *int `json:"leaked_ms"`
	// AddedLatencyMS is what the mask costs: all of the delay, for a mask without one adds none.
	AddedLatencyMS *float64 `json:"added_latency_ms"`
}

func findingsOf(rate audio.Rate, r adversary.Report) findings {
	v := findings{Report: r}
	if !r.Blind {
		latency := 1000 * rate.Duration(int64(r.DelayFrames)).Seconds()
		v.LeakedMS, v.AddedLatencyMS = &r.LeakedMS, &latency
	}
	return v
}

// readTruth reads the keys of a call.
func readTruth(name string) ([]adversary.Key, error) {
	if name == "" {
		return nil, badInput("give the keys truly pressed with --truth FILE", "judge has no truth to compare with")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, badInput("", "read the truth: %w", err)
	}
	return parseTruth(name, b)
}

// parseTruth finds the keys in a truth file's content. Its errors name none of them.
func parseTruth(name string, b []byte) ([]adversary.Key, error) {
	const hint = `a truth is a JSON object with a list: {"keys": [{"digit": "5", "start": 800, "end": 1600}]}`
	var truth struct {
		Keys []struct {
			Digit      string
			Start, End int64
		}
	}
	if json.Unmarshal(b, &truth) != nil { // the error might quote what it stumbled over
		return nil, badInput(hint, "%s is no truth file", name)
	}
	if truth.Keys == nil {
		return nil, badInput(hint, "%s has no list of keys", name)
	}
	keys := make([]adversary.Key, len(truth.Keys))
	for i, k := range truth.Keys {
		keys[i] = adversary.Key{Start: audio.Position(k.Start), End: audio.Position(k.End)}
		ok := len(k.Digit) == 1
		if ok {
			keys[i].Symbol, ok = audio.NewDigit(k.Digit[0])
		}
		if !ok {
			return nil, badInput(hint, "%s: the digit of key %d is none of 0-9 * # A-D", name, i+1)
		}
	}
	return keys, nil
}

func readRecording(name string) ([]int16, audio.Rate, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, badInput("", "read the recording: %w", err)
	}
	defer f.Close()
	samples, rate, err := wav.ReadAll(f)
	if err != nil {
		return nil, 0, badInput("", "read %s: %w", name, err)
	}
	return samples, rate, nil
}

// printVerdict prints a line for each key and the sum of it.
func printVerdict(w io.Writer, rate audio.Rate, r adversary.Report) error {
	seconds := func(frames int64) float64 { return rate.Duration(frames).Seconds() }
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if r.Keys > 0 {
		fmt.Fprintln(t, "key\tat s\tlength ms\tleaked ms\tbest window ms\tlog ratio\treadable\t")
	}
	for i, k := range r.Rows {
		readable := "no"
		if k.Readable {
			readable = "YES"
		}
		fmt.Fprintf(t, "%d\t%.3f\t%.0f\t%d\t%g\t%.1f\t%s\t\n",
			i+1, seconds(int64(k.Start)), 1000*seconds(int64(k.Frames)), k.LeakedMS, k.WindowMS, k.LogRatio, readable)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	accuracy := "none: no key was pressed"
	if r.Keys > 0 {
		accuracy = fmt.Sprintf("%.1f %%, chance %.1f %%, 95 %% interval %.1f to %.1f %%",
			100*r.Accuracy, 100*r.Chance, 100*r.Interval[0], 100*r.Interval[1])
	}
	delay := 1000 * seconds(int64(r.DelayFrames))
	leaked, latency := fmt.Sprintf("%d ms", r.LeakedMS), fmt.Sprintf("%.1f ms", delay)
	if r.Blind {
		leaked, latency = "not known without the input", "not known without the input"
	}
	readable := fmt.Sprintf("%d of %d (log ratio above %g: one masked key in 10,000)", r.Readable, r.Keys, float64(adversary.Threshold))
	if r.Decoys > 0 {
		readable += fmt.Sprintf("; %d decoys", r.Decoys)
	}
	maskTone := "none"
	if r.MaskToneHz > 0 {
		maskTone = fmt.Sprintf("%.0f Hz", r.MaskToneHz)
	}
	if _, err := fmt.Fprintf(w, `keys readable  %s
accuracy       %s
leaked         %s
delay          %d samples, %.1f ms
added latency  %s
mask's tone    %s
`, readable, accuracy, leaked, r.DelayFrames, delay, latency, maskTone); err != nil {
		return err
	}
	if r.Keys == 0 {
		return nil
	}
	fmt.Fprintln(w)
	fmt.Fprintln(t, "attacker\tright %\tinterval\tchance %\tbits a key\tresolution\tby chance\t")
	for _, a := range r.Attackers {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f to %.1f\t%.1f\t%.3f\t%.3f\t%.2f\t\n",
			a.Name, 100*a.Accuracy, 100*a.Interval[0], 100*a.Interval[1], 100*a.Chance, a.Bits, a.Resolution, a.ByChance)
	}
	return t.Flush()
}
