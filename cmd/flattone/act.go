package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// actCommands have something done with an approved payment.
func (t *tool) actCommands() (all []*cobra.Command) {
	for _, act := range []struct {
		kind, short string
		some        bool // it may be about some of the money
	}{
		{"capture", "take the money of a payment that is only authorised", true},
		{"void", "undo a payment whose money hasn't moved", false},
		{"refund", "give back money that was taken", true},
	} {
		var amount string
		var wait bool
		c := t.withJSON(&cobra.Command{
			Use: act.kind + " PAYMENT", Short: act.short, Long: wordsActLong, Args: one("a payment"),
			RunE: func(c *cobra.Command, args []string) error {
				return t.ask(func(box *control.Client) error {
					begun, err := box.Act(c.Context(), args[0], act.kind, amount)
					if err == nil && wait {
						begun, err = awaitAct(c.Context(), box, begun)
					}
					if err != nil {
						return err
					}
					if err := show(t, begun, printAct); err != nil || begun.State == control.ActDone || !wait {
						return err
					}
					return fail(exitNotPaid, "", "the %s is %s", act.kind, acted(begun.State, begun.Reason))
				})
			},
		})
		if act.some {
			c.Flags().StringVar(&amount, "amount", "", "how much; all that there is without it")
		}
		c.Flags().BoolVar(&wait, "wait", false, "wait until it is known what became of it")
		all = append(all, c)
	}
	return all
}

// awaitAct waits until it is known what became of an act.
func awaitAct(ctx context.Context, box *control.Client, begun control.Act) (act control.Act, err error) {
	act = begun
	err = awaitOver(ctx, box, "flattone payment show "+begun.Payment+" says how it stands", func(e control.Event) bool {
		return e.Kind == control.KindAct && e.Act == begun.ID && e.State != control.ActOpen
	}, func(ctx context.Context) bool {
		p, err := box.Payment(ctx, begun.Payment)
		if err != nil {
			return false
		}
		for _, a := range p.Acts {
			if a.ID == begun.ID {
				act = a
			}
		}
		return act.State != control.ActOpen
	})
	return act, err
}

func printAct(w io.Writer, a control.Act) {
	fmt.Fprintf(w, "%s: %s %s\n", clean(a.ID), ofHowMuch(a), acted(a.State, a.Reason))
}

// ofHowMuch says what an act is, and of how much.
func ofHowMuch(a control.Act) string {
	if a.Amount == "" {
		return clean(a.Kind)
	}
	return clean(a.Kind) + " of " + clean(a.Amount) + " " + clean(a.Currency)
}

// acted says how an act stands.
func acted(state, why string) string {
	says, known := map[string]string{control.ActOpen: "under way", control.ActDone: "done", control.ActDeclined: "declined", control.ActFailed: "not done"}[state]
	if !known {
		says = clean(state)
	}
	return withReason(says, why)
}
