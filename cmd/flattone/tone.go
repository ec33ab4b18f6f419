package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) toneCommand() *cobra.Command {
	test := control.Test{What: control.TestTone}
	c := t.testCommand(&test, 10*time.Second, &cobra.Command{Use: "tone LINE SIDE", Short: "play a test tone on one side of a line", Long: wordsToneLong})
	c.Flags().IntVar(&test.Hz, "hz", 1020, "how high, in Hz")
	c.Flags().Float64Var(&test.DBm0, "dbm0", -10, "how loud, in dBm0")
	return c
}

func (t *tool) loopbackCommand() *cobra.Command {
	test := control.Test{What: control.TestLoopback}
	return t.testCommand(&test, 30*time.Second, &cobra.Command{Use: "loopback LINE SIDE", Short: "give one side of a line its own sound back", Long: wordsLoopbackLong})
}

// tested is what --json prints: what was tested, Seconds as far as it came; and what came in on the two sides in the last second, 0 if there was none.
type tested struct {
	Line string `json:"line"`
	control.Test
	CallerDBm0 float64 `json:"caller_dbm0,omitempty"`
	AgentDBm0  float64 `json:"agent_dbm0,omitempty"`
	control.Return
	step string
}

// testCommand is a verb that tests a side of a line, for a while unless it is said for how long.
func (t *tool) testCommand(test *control.Test, while time.Duration, c *cobra.Command) *cobra.Command {
	c.Args = two("the name of a line, and caller or agent")
	c.Flags().DurationVar(&while, "for", while, "for how long, in whole seconds")
	c.RunE = func(c *cobra.Command, args []string) error {
		test.Leg, test.Seconds = args[1], int(while/time.Second)
		if while%time.Second != 0 {
			return fail(exitUsage, hintVerbUsage(c.CommandPath()), "--for takes whole seconds, and %v is not", while)
		}
		return t.ask(func(box *control.Client) error {
			over, err := t.test(c.Context(), box, args[0], *test)
			if err != nil {
				return err
			}
			return show(t, over, printTested)
		})
	}
	return t.withJSON(c)
}

// test has a side of a line tested, and tells whoever is there what to do and what comes in. To leave is a good end of it.
func (t *tool) test(ctx context.Context, box *control.Client, line string, test control.Test) (tested, error) {
	over := tested{Line: line, Test: test}
	begin := func(ctx context.Context, line string) error { return box.Test(ctx, line, test) }
	err := follow(ctx, box, line, begin, func(e control.Event) error {
		if e.Kind != control.KindLegTest {
			return nil
		}
		if e.Step != over.step {
			if over.step = e.Step; e.Step == control.TestLoopback {
				fmt.Fprintf(t.guide(), "  %s\n", comesBack(e.Return))
			}
			paragraph(t.guide(), guideHang, ">", testStep(e.Step, test))
		}
		over.Seconds, over.CallerDBm0, over.AgentDBm0, over.Return = e.Done, e.CallerDBm0, e.AgentDBm0, e.Return
		switch {
		case e.Code == control.CodeOK:
			return errOver
		case e.Code != "":
			return fail(exitNotYet, testRemedy(e.Code, line), "the test of line %s is over: %s", line, reason(e.Code))
		case e.Done > 0:
			fmt.Fprintf(t.guide(), "  %s\n", comesIn(e))
		}
		return nil
	})
	if errors.Is(err, errLeft) {
		err = leave(ctx, line, box.EndTest)
		if e, ok := errors.AsType[*control.Error](err); ok && e.Code == control.CodeWrongState { // it is over already
			err = nil
		}
	}
	return over, err
}

// printTested prints how a test ended.
func printTested(w io.Writer, over tested) {
	switch {
	case over.step == control.TestReturn:
		fmt.Fprintf(w, "  %s\n", comesBack(over.Return))
		fmt.Fprintf(w, wordsHowls+"\n", clean(over.Line))
	case over.step != "":
		fmt.Fprintf(w, wordsTested+"\n", clean(over.Line), over.Seconds)
	default:
		fmt.Fprintf(w, wordsUntested+"\n", clean(over.Line))
	}
}

// comesIn says what came in on the two sides over the last second.
func comesIn(e control.Event) string {
	return fmt.Sprintf("%2d of %d s, in: caller %.1f dBm0, agent %.1f dBm0", e.Done, e.Of, e.CallerDBm0, e.AgentDBm0)
}

// comesBack says what came back of a loopback's noise.
func comesBack(r control.Return) string {
	if r.ReturnMS == 0 {
		return "nothing of it comes back"
	}
	return fmt.Sprintf("it comes back at %.1f dB, %.1f ms late", r.ReturnDB, r.ReturnMS)
}

// testStep says what is to be heard in a step, and done.
func testStep(step string, t control.Test) string {
	switch step {
	case control.TestTone:
		return fmt.Sprintf("%d Hz at %g dBm0 go out on the %s's side for %d s; Ctrl-C ends it. Nobody hears the other side meanwhile.", t.Hz, t.DBm0, clean(t.Leg), t.Seconds)
	case control.TestReturn:
		return fmt.Sprintf("Nobody speaks: a hiss goes out on the %s's side, and what comes back of it is measured. Nobody hears the other side meanwhile.", clean(t.Leg))
	case control.TestLoopback:
		return fmt.Sprintf("Speak on the %s's side: what comes in there goes out there again, half a second later, for %d s. Ctrl-C ends it.", clean(t.Leg), t.Seconds)
	}
	return clean(step)
}

// testRemedy is what helps a test that ended before its time.
func testRemedy(code, line string) string {
	if code == control.TestNoSound {
		return "its device gives no sound: flattoned's log says which"
	}
	return "flattone watch " + line + " shows how it is"
}
