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
	delay int
	json  bool
}

// judgeCommand sets the attacker on what an agent heard. It prints how much can be read, and never a digit.
func judgeCommand() *cobra.Command {
	var r judgeRun
	c := &cobra.Command{
		Use:   "judge IN.wav OUT.wav --truth FILE",
		Short: "attack a masked recording: can its keys be read? (lab builds only)",
		Long: `Try to read the keys of a recorded call out of what the agent heard.

IN.wav is what the caller sent, OUT.wav what the agent heard, at the same rate.
FILE names the keys truly pressed, in frames of IN.wav:
{"keys": [{"digit": "5", "start": 800, "end": 1600}]}. The delay of OUT.wav is
found by itself where the caller talks, unless --delay gives it.

Prints a table, or one JSON object with --json, and no digit in either. A key is
readable when its reading is likelier than a complete mask makes any for more
than one key in ten thousand.

Exit codes: 0 when no key is readable, 1 when one is, 2 when the input is no
good.`,
		Args: twoRecordings,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.OutOrStdout(), args[0], args[1]) },
	}
	f := c.Flags()
	f.StringVar(&r.truth, "truth", "", "read the keys truly pressed from this `FILE`")
	f.IntVar(&r.delay, "delay", adversary.FindDelay, "by how many `SAMPLES` OUT.wav lags; -1 to find it")
	f.BoolVar(&r.json, "json", false, "print one JSON object")
	return c
}

func (r *judgeRun) run(stdout io.Writer, inName, outName string) error {
	keys, err := readTruth(r.truth)
	if err != nil {
		return err
	}
	in, rate, err := readRecording(inName)
	if err != nil {
		return err
	}
	out, outRate, err := readRecording(outName)
	if err != nil {
		return err
	}
	if rate != outRate {
		return badInput(fmt.Sprintf("resample one: sox %s -r %d resampled.wav", outName, int(rate)),
			"%s is at %v, %s at %v", inName, rate, outName, outRate)
	}
	report, err := adversary.Judge(adversary.Case{
		Rate: rate, In: in, Out: out, DelayFrames: r.delay, Keys: keys, FlatTone: adversary.OurFlatTone(),
	})
	if err != nil {
		return badInput("", "%w", err)
	}
	if r.json {
		err = json.NewEncoder(stdout).Encode(report)
	} else {
		err = printVerdict(stdout, rate, report)
	}
	switch {
	case err != nil:
		return err
	case report.Readable > 0:
		return fail(exitFailed, "", "%d of %d keys can be read in %s", report.Readable, report.Keys, outName)
	case report.Leaks():
		return fail(exitFailed, "", "no key can be read for sure in %s, but %d of %d guesses are right: by chance that has a probability of %.1g",
			outName, report.Correct, report.Keys, report.ByChance)
	}
	return nil
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
	_, err := fmt.Fprintf(w, `keys readable  %d of %d (log ratio above %g: one masked key in 10,000)
accuracy       %s
leaked         %d ms
delay          %d samples, %.1f ms
`,
		r.Readable, r.Keys, float64(adversary.Threshold), accuracy, r.LeakedMS, r.DelayFrames, 1000*seconds(int64(r.DelayFrames)))
	return err
}
