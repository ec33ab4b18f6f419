package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) armCommand() *cobra.Command {
	return t.arming("arm", "ready a line for a card", wordsArmLong, "wait until the card is in the vault, and print its token", (*control.Client).Arm)
}

func (t *tool) rehearseCommand() *cobra.Command {
	return t.arming("rehearse", "ready a line for a test card, of which nothing is kept", wordsRehearseLong, "wait until the test card is complete", (*control.Client).Rehearse)
}

// arming is a verb that begins a capture, and can wait for its end.
func (t *tool) arming(verb, short, long, waits string, begin func(*control.Client, context.Context, string, string) (string, error)) *cobra.Command {
	var profile string
	var wait bool
	c := t.withJSON(&cobra.Command{
		Use: verb + " LINE", Short: short, Long: long, Args: one("the name of a line"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				capture, err := begin(box, c.Context(), args[0], profile)
				if err != nil {
					return err
				}
				return t.armed(c.Context(), box, armed{Line: args[0], Capture: capture, Test: verb == "rehearse"}, wait)
			})
		},
	})
	c.Flags().StringVar(&profile, "profile", "", "what the caller is asked for, if not the line's own profile")
	c.Flags().BoolVar(&wait, "wait", false, waits)
	return c
}

// armed tells of a capture that has begun, and if that is wanted of its end, for which it waits.
func (t *tool) armed(ctx context.Context, box *control.Client, out armed, wait bool) error {
	if !wait {
		return show(t, out, printArmed)
	}
	if !t.json {
		printArmed(t.out, out)
	}
	end, err := awaitCard(ctx, box, out.Line, out.Capture)
	if err != nil {
		return err
	}
	out.Token, out.Brand, out.Last4 = end.Token, end.Brand, end.Last4
	return show(t, out, printCaptured)
}

// armed is what arm --json prints; the last three only with --wait.
type armed struct {
	Line    string `json:"line"`
	Capture string `json:"capture"`
	// Test says that it is a rehearsal, which has no token.
	Test  bool   `json:"test,omitempty"`
	Token string `json:"token,omitempty"`
	Brand string `json:"brand,omitempty"`
	Last4 string `json:"last4,omitempty"`
}

// awaitCard follows one capture to its token, or a rehearsal to its end. Arming came first, so the news may be in what a new watcher is
// told again: those count too, except for a state from before the arming, which bears another capture or none.
func awaitCard(ctx context.Context, box *control.Client, line, capture string) (control.Event, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var token control.Event
	ours := false
	over := errors.New("over")
	err := box.Watch(ctx, func(e control.Event) {
		if e.Line != line {
			return
		}
		ours = ours || e.Capture == capture
		switch {
		case e.Kind == control.KindVerdict && e.Capture == capture && e.Field == "pan":
			token.Brand, token.Last4 = e.Brand, e.Last4
		case e.Kind == control.KindState && e.Capture == capture && e.State == control.StateDone && e.Test:
			stop(over)
		case e.Kind == control.KindToken && e.Capture == capture:
			token = e
			stop(over)
		case e.Kind == control.KindState && e.Capture == capture &&
			(e.State == control.StateVoid || e.State == control.StateHeld):
			stop(fail(exitNoCard, "", "no card from line %s: %s", line, outcome(e)))
		case e.Kind == control.KindState && e.Capture != capture && ours && !e.Replay:
			stop(fail(exitNoCard, "", "no card from line %s: its capture is over", line))
		}
	})
	switch cause := context.Cause(ctx); {
	case err != nil:
		return token, err
	case errors.Is(cause, over):
		return token, nil
	case errors.Is(cause, context.Canceled):
		return token, fail(exitNotYet, "line "+line+" is still armed; flattone disarm "+line+" ends that", "stopped waiting")
	default:
		return token, cause
	}
}

func (t *tool) disarmCommand() *cobra.Command {
	return t.lineCommand("disarm", "give up a line's capture", wordsDisarmLong, (*control.Client).Disarm, wordsDisarmed)
}

func (t *tool) moreTimeCommand() *cobra.Command {
	return t.lineCommand("more-time", "start a line's time-outs again", "", (*control.Client).MoreTime, wordsMoreTime)
}

func (t *tool) againCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "again LINE [FIELD]", Short: "have the caller key a field anew", Long: wordsAgainLong, Args: oneOrTwo("the name of a line, perhaps with pan, expiry or cvv"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if err := box.Again(c.Context(), args[0], strings.Join(args[1:], "")); err != nil {
					return err
				}
				return t.told(args[0], "again", wordsAgain)
			})
		},
	})
}

func (t *tool) coverCommand() *cobra.Command {
	return t.lineCommand("cover", "give the agent noise in the caller's place", wordsCoverLong, func(box *control.Client, ctx context.Context, line string) error {
		return box.Cover(ctx, line, true)
	}, wordsCovered)
}

func (t *tool) uncoverCommand() *cobra.Command {
	return t.lineCommand("uncover", "let the agent hear the caller again", wordsCoverLong, func(box *control.Client, ctx context.Context, line string) error {
		return box.Cover(ctx, line, false)
	}, wordsUncovered)
}

func (t *tool) ackCommand() *cobra.Command {
	return t.lineCommand("ack", "release a line that is held", wordsAckLong, (*control.Client).Acknowledge, wordsAcknowledged)
}

// callCommand has what is about a line's calls: those on its modem, and those it is told of.
func (t *tool) callCommand() *cobra.Command {
	const short = "answer, dial and hang up, or tell a line of its calls"
	parent := &cobra.Command{Use: "call", Short: short, Long: wordsCallLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(
		t.lineCommand("answer", "answer the call that rings on a line", wordsPhoneLong, (*control.Client).Answer, wordsAnswered),
		t.dialCommand(),
		t.lineCommand("hangup", "end a line's call, or refuse it", wordsPhoneLong, (*control.Client).HangUp, wordsHungUp),
		t.lineCommand("began", "tell a line that a call began on it", wordsCallLong, (*control.Client).CallBegan, wordsCallBegan),
		t.lineCommand("ended", "tell a line that its call has ended", wordsCallLong, (*control.Client).CallEnded, wordsCallEnded))
	return parent
}

func (t *tool) dialCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "dial LINE NUMBER", Short: "call a number on a line", Long: wordsPhoneLong, Args: two("the name of a line and a number"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if err := box.Dial(c.Context(), args[0], args[1]); err != nil {
					return err
				}
				return t.told(args[0], "dial", wordsDialled)
			})
		},
	})
}

// restartCommand stops and starts a line's process.
func (t *tool) restartCommand() *cobra.Command {
	force := false
	c := t.lineCommand("restart", "stop a line's process, and start it again", wordsRestartLong,
		func(box *control.Client, ctx context.Context, line string) error {
			return box.Restart(ctx, line, force)
		}, wordsRestarted)
	c.Flags().BoolVar(&force, "force", false, "even while a card is being taken")
	return c
}

// done is what --json prints of a verb that a line was told.
type done struct {
	Line string `json:"line"`
	Done string `json:"done"`
}

// told says that a line was told what a verb tells.
func (t *tool) told(line, verb, said string) error {
	return show(t, done{line, verb}, func(w io.Writer, d done) { fmt.Fprintf(w, said+"\n", clean(d.Line)) })
}

// lineCommand is a verb that tells a line something and has nothing to show but success.
func (t *tool) lineCommand(use, short, long string, do func(*control.Client, context.Context, string) error, said string) *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: use + " LINE", Short: short, Long: long, Args: one("the name of a line"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if err := do(box, c.Context(), args[0]); err != nil {
					return err
				}
				return t.told(args[0], use, said)
			})
		},
	})
}
