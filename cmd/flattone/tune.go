package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) tuneCommand() *cobra.Command {
	last := false
	c := t.withJSON(&cobra.Command{
		Use: "tune LINE", Short: "measure a line that is being installed, and accept or refuse it", Long: wordsTuneLong, Args: one("the name of a line"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if !last {
					if err := t.tune(c.Context(), box, args[0]); err != nil {
						return err
					}
				}
				return t.tuned(c.Context(), box, args[0])
			})
		},
	})
	c.Flags().BoolVar(&last, "last", false, "measure nothing: print the last report again")
	return c
}

// tuned shows the report of a line's last tuning, which is an error if the line was refused.
func (t *tool) tuned(ctx context.Context, box *control.Client, line string) error {
	r, err := box.Acceptance(ctx, line)
	if err != nil {
		return err
	}
	if err := show(t, r, printAcceptance); err != nil {
		return err
	}
	if !r.Good() {
		return fail(exitRefusedLine, "put right what is marked !, and tune it again", "line %s takes no card as it is", line)
	}
	return nil
}

// guideHang is how far what is to be done hangs in.
const guideHang = 2

// tune has a line tuned, and tells the persons at its telephones what to do. It answers with nil once there is a report.
func (t *tool) tune(ctx context.Context, box *control.Client, line string) error {
	step := ""
	err := follow(ctx, box, line, box.Tune, func(e control.Event) error {
		switch {
		case e.Kind == control.KindTune && (e.Code == control.CodeOK || e.Code == control.TuneRefused):
			return errOver
		case e.Kind == control.KindTune && e.Code != "":
			return fail(exitNotYet, tuneRemedy(e.Code, e.Step), "line %s was not tuned: %s", line, reason(e.Code))
		case e.Kind == control.KindTune:
			if e.Step != step {
				step = e.Step
				paragraph(t.guide(), guideHang, ">", tuneStep(e.Step))
			}
			if e.Done > 0 {
				fmt.Fprintf(t.guide(), "  %d of %d\n", e.Done, e.Of)
			}
		}
		return nil
	})
	if errors.Is(err, errLeft) {
		return errors.Join(fail(exitNotYet, "what was known of it still holds", "line %s was not tuned: you left", line), leave(ctx, line, box.Disarm))
	}
	return err
}

// guide is where persons are told what to do: standard output is the report's alone, where that is JSON.
func (t *tool) guide() io.Writer {
	if t.json {
		return t.errs
	}
	return t.out
}

// printAcceptance prints the report of a tuning.
func printAcceptance(w io.Writer, r acceptance.Report) {
	verdict := "ACCEPTED"
	if !r.Good() {
		verdict = "REFUSED"
	}
	fmt.Fprintf(w, "\n%s: %s, %s, flattone %s\n", clean(r.Line), verdict, moment(r.Time), clean(r.Version))
	paragraph(w, hang, "devices", r.Devices)
	paragraph(w, hang, "settings", r.Settings)
	fmt.Fprintf(w, "holds for %s, and for no other devices or settings\n\n", clean(r.Fingerprint))
	for _, f := range r.Figures {
		mark := " "
		if f = acceptance.Measured(f.Name, f.Value); !f.Good {
			mark = "!"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s %-52s %11s  %s", mark, clean(f.What), figure(f.Value, f.Unit), must(f)), " "))
	}
	for _, way := range r.Mixers {
		caution(w, way)
	}
	fmt.Fprintln(w)
	recorder := r.Recorder
	if recorder == (acceptance.Recorder{}) {
		paragraph(w, hang, "recorder", wordsRecorder)
		return
	}
	paragraph(w, hang, "recorder", fmt.Sprintf("%s, judged by %s: %s", recorder.File, recorder.JudgedBy, recorder.Verdict))
}

func figure(v float64, unit string) string {
	if unit == "" || unit == "frames" {
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", v, unit))
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// must is what a figure has to be.
func must(f acceptance.Figure) string {
	switch {
	case f.Least != nil && f.Most != nil && *f.Least == *f.Most:
		return "must be " + figure(*f.Least, "")
	case f.Least != nil && f.Most != nil:
		return fmt.Sprintf("%.0f to %.0f", *f.Least, *f.Most)
	case f.Least != nil:
		return fmt.Sprintf("at least %.0f", *f.Least)
	case f.Most != nil:
		return fmt.Sprintf("at most %.0f", *f.Most)
	}
	return ""
}

// tuneStep is what a step asks of the persons at the telephones.
func tuneStep(step string) string {
	switch step {
	case "quiet":
		return "Both telephones off hook, in a call, and nobody speaks for three seconds. From now on the agent hears nothing of the caller."
	case "caller_keys":
		return "Press eight keys on the caller's telephone, one after another."
	case "agent_keys":
		return "Press three keys on the agent's telephone, or hold a tone dialler to the headset."
	case "echo":
		return "Nobody speaks: a hiss is heard at the caller's, then at the agent's."
	case "loop":
		return "Take off the agent's telephone or headset, and join the output to the agent with the input from him by a cable."
	case "leak":
		return "Press 1, 5, 9 and 0 on the caller's telephone over and over, each for about a second, until this is done. The cable stays in."
	}
	return clean(step)
}

// tuneRemedy is what helps a tuning that came to nothing.
func tuneRemedy(code, step string) string {
	switch {
	case code == "tune_timeout" && step == "caller_keys":
		return "no keys came from the caller's side: look at its plug, its channel and its level (flattone watch)"
	case code == "tune_timeout" && step == "agent_keys":
		return "no keys came from the agent's side: look at its plug, its channel and its level (flattone watch)"
	case code == "tune_timeout" && step == "loop":
		return "the cable's sound did not come back: is it in the agent's output and input, and both at line level?"
	case code == "tune_timeout" && step == "leak":
		return "too few keys came: key 1, 5, 9 and 0 over and over, each for about a second"
	case code == "tune_no_sound":
		return "its device gives no sound: flattoned's log says which"
	case code == control.TuneNotKept:
		return "flattoned's log says why: is the disk full?"
	}
	return ""
}
