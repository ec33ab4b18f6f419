package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// cardCommand has what is about one card of the vault.
func (t *tool) cardCommand() *cobra.Command {
	parent := &cobra.Command{Use: "card", Short: "see, hold, release and shred one card", Long: wordsCardLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(t.withJSON(&cobra.Command{
		Use: "show TOKEN", Short: "say what may be known of a card", Long: wordsCardLong, Args: one("a token"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				k, err := box.Card(c.Context(), args[0])
				if err != nil {
					return err
				}
				return show(t, k, printCard)
			})
		},
	}), &cobra.Command{
		Use: "hold TOKEN REASON", Short: "keep a card from being shredded", Long: wordsCardLong, Args: two("a token and a reason"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.onCard(args[0], wordsHeld, func(box *control.Client) error { return box.HoldCard(c.Context(), args[0], args[1]) })
		},
	}, &cobra.Command{
		Use: "release TOKEN", Short: "end a card's hold", Long: wordsCardLong, Args: one("a token"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.onCard(args[0], wordsReleased, func(box *control.Client) error { return box.ReleaseCard(c.Context(), args[0]) })
		},
	}, list(t, "holds", "the cards that are on hold, and why", wordsHoldsLong, (*control.Client).Holds, printHolds), t.shredCommand())
	return parent
}

func (t *tool) shredCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "shred TOKEN", Short: "delete a card for good", Long: wordsCardLong, Args: one("a token"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.onCard(args[0], wordsShredded, func(box *control.Client) error {
				if !yes {
					if err := t.reallyShred(c.Context(), box, args[0]); err != nil {
						return err
					}
				}
				return box.ShredCard(c.Context(), args[0])
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return c
}

// reallyShred shows what would be shredded, and asks.
func (t *tool) reallyShred(ctx context.Context, box *control.Client, token string) error {
	k, err := box.Card(ctx, token)
	if err != nil {
		return err
	}
	printCard(t.guide(), k)
	if _, ok := t.asks(); !ok {
		return fail(exitUsage, "look at the card, and say --yes", "nothing was done: there is nobody to ask")
	}
	yes, err := t.agrees(ctx, wordsReallyShred, false)
	if err == nil && !yes {
		err = errLeft
	}
	if err != nil {
		return fail(exitNotYet, "", "nothing was done: %w", err)
	}
	return nil
}

// onCard does something to a card, and says so.
func (t *tool) onCard(token, said string, do func(*control.Client) error) error {
	return t.ask(func(box *control.Client) error {
		if err := do(box); err != nil {
			return err
		}
		_, err := fmt.Fprintf(t.out, said+"\n", clean(token))
		return err
	})
}

func printCard(w io.Writer, k control.Token) {
	fmt.Fprintf(w, "%s\n", clean(k.Token))
	if !k.Shredded.IsZero() {
		fmt.Fprintf(w, "  shredded %s: %s (%s)\n", moment(k.Shredded), whyShredded(k.Why), clean(k.Kind))
		return
	}
	fmt.Fprintf(w, "  %s", card(k.Brand, k.Last4))
	if k.ExpiryMonth != 0 {
		fmt.Fprintf(w, ", expires %02d/%04d", k.ExpiryMonth, k.ExpiryYear)
	}
	fmt.Fprintf(w, "\n  from line %s, %s\n  %s\n", clean(k.Line), moment(k.Created), fate(k))
}

// fate is what becomes of a card.
func fate(k control.Token) string {
	if h := k.Hold; h != nil {
		return fmt.Sprintf("%s, on hold since %s by %s: %s", clean(k.Kind), moment(h.Since), clean(h.By), clean(h.Reason))
	}
	return clean(k.Kind) + ", until " + moment(k.Expires)
}

// whyShredded is a reason's word as a sentence.
func whyShredded(why string) string {
	switch why {
	case "used":
		return "it was for one use"
	case "resolved":
		return "what it was for has come out"
	case "expired":
		return "its time was over"
	case "unresolved":
		return "its day was over, and nothing was heard of it"
	case "asked":
		return "somebody had it deleted"
	}
	return clean(why)
}
