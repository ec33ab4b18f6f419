package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/control"
)

// shareSize is how many characters a share has on paper, without what separates them; a page has room for it and for that.
const (
	shareSize = 64
	pageSize  = 256
)

// custodyCommand has what is about custodians.
func (t *tool) custodyCommand() *cobra.Command {
	parent := &cobra.Command{Use: "custody", Short: "custodians of the vault, and what they agree to", Long: wordsCustodyLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	verb := func(use, short string, do func(context.Context, *control.Client) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Long: wordsCustodyLong, Args: none, RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error { return do(c.Context(), box) })
		}}
	}
	parent.AddCommand(t.custodyEnrolCommand(),
		verb("take", "take your share, and type it back", t.takeShare),
		verb("unlock", "unlock the vault, with others", t.unlockVault),
		verb("approve", "agree to what custodians are asked", t.approve),
		t.withJSON(verb("status", "say who is custodian, and what is under way", func(ctx context.Context, box *control.Client) error {
			s, err := box.Custody(ctx)
			if err != nil {
				return err
			}
			return show(t, s, printCustody)
		})),
		verb("abort", "end the ceremony that is under way", func(ctx context.Context, box *control.Client) error {
			if err := box.AbortCeremony(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintln(t.out, wordsAborted)
			return err
		}))
	return parent
}

func (t *tool) custodyEnrolCommand() *cobra.Command {
	var p control.CustodyPlan
	c := &cobra.Command{
		Use: "enrol --need K --of NAME,NAME,...", Short: "begin to enrol custodians", Long: wordsCustodyLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				if err := box.EnrolCustodians(c.Context(), p); err != nil {
					return err
				}
				if p.Need == len(p.People) {
					fmt.Fprintln(t.errs, wordsNoneSpare)
				}
				s, err := box.Custody(c.Context())
				if err == nil {
					printCustody(t.out, s)
				}
				return err
			})
		},
	}
	c.Flags().IntVar(&p.Need, "need", 2, "how many of them it takes")
	c.Flags().StringSliceVar(&p.People, "of", nil, "who they are to be, as they log in: 7 at most")
	return c
}

// takeShare shows a share once its custodian has acknowledged what it obliges him to, and has it typed back.
func (t *tool) takeShare(ctx context.Context, box *control.Client) error {
	fmt.Fprintln(t.errs, wordsDuty)
	agreed, err := t.agrees(ctx, wordsAcknowledge, false)
	if err != nil {
		return err
	}
	if !agreed {
		return fail(exitRefused, "the enrolment waits for 15 minutes", "you take no share")
	}
	return withPage(func(page []byte) error {
		n, err := box.TakeShare(ctx, page)
		if err != nil {
			return err
		}
		fmt.Fprintln(t.errs, wordsShare)
		if _, err := t.out.Write(page[:n]); err != nil { // as it is, from the page
			return err
		}
		clear(page)
		return t.withShare(ctx, wordsTypeBack, func(text []byte) error {
			missing, err := box.ConfirmShare(ctx, text)
			if err != nil {
				return err
			}
			said := wordsEnrolledAll
			if missing > 0 {
				said = fmt.Sprintf(wordsConfirmed, missing)
			}
			_, err = fmt.Fprintln(t.out, said)
			return err
		})
	})
}

func (t *tool) unlockVault(ctx context.Context, box *control.Client) error {
	id, err := box.UnlockVault(ctx)
	if err != nil {
		return err
	}
	return t.give(ctx, box, id, wordsUnlocked)
}

// approve says what there is to agree to, before it asks for a share.
func (t *tool) approve(ctx context.Context, box *control.Client) error {
	s, err := box.Custody(ctx)
	if err != nil {
		return err
	}
	if s.Ceremony == nil || s.Ceremony.Enrolment {
		return fail(exitRefused, "flattone custody status says what is under way", "there is nothing to agree to")
	}
	fmt.Fprintf(t.errs, wordsAgreeTo+"\n", clean(s.Ceremony.Purpose), clean(s.Ceremony.About))
	said := wordsAgreed
	if s.Ceremony.Purpose == control.PurposeExport {
		said = wordsExporting
	}
	return t.give(ctx, box, s.Ceremony.ID, said)
}

// give has a share typed and given; said is what is said where it was the last one.
func (t *tool) give(ctx context.Context, box *control.Client, ceremony, said string) error {
	return t.withShare(ctx, wordsTypeShare, func(text []byte) error {
		missing, err := box.GiveShare(ctx, ceremony, text)
		if err != nil {
			return err
		}
		if missing > 0 {
			said = fmt.Sprintf(wordsMissing, missing)
		}
		_, err = fmt.Fprintln(t.out, said)
		return err
	})
}

// withShare lends a share that somebody types, unseen, line by line as it stands on paper, or that comes on standard input.
func (t *tool) withShare(ctx context.Context, question string, use func(text []byte) error) error {
	return withPage(func(page []byte) error {
		fmt.Fprintln(t.errs, question)
		n, have := 0, 0
		for have < shareSize {
			line, err := t.shareLine(ctx, have*4/shareSize+1)
			n += locked.Copy(page[n:], []byte(line+"\n"))
			for _, c := range line {
				if !strings.ContainsRune(" -\t", c) {
					have++
				}
			}
			if err != nil || n == len(page) {
				break
			}
		}
		if have == 0 {
			return errLeft
		}
		return use(page[:n])
	})
}

func (t *tool) shareLine(ctx context.Context, number int) (string, error) {
	if _, terminal := t.asks(); !terminal {
		return t.typed(ctx)
	}
	fmt.Fprintf(t.errs, wordsShareLine, number)
	return t.typedUnseen(ctx)
}

func withPage(use func(page []byte) error) error {
	page, err := locked.Bytes(pageSize)
	if err != nil {
		return err
	}
	defer locked.Free(page)
	return use(page[:pageSize:pageSize])
}

func printCustody(w io.Writer, s control.Custody) {
	switch {
	case s.Set == "":
		fmt.Fprintln(w, "no custodians")
	default:
		fmt.Fprintf(w, "custodians  %d of %d, set %s\n", s.Need, len(s.Custodians), clean(s.Set))
		for _, c := range s.Custodians {
			state := ""
			if c.Wrong > 0 {
				state = fmt.Sprintf("  %d wrong attempts", c.Wrong)
			}
			if c.LockedS > 0 {
				state = fmt.Sprintf("  ! locked for %s", (time.Duration(c.LockedS) * time.Second))
			}
			fmt.Fprintf(w, "  %s%s\n", clean(c.Person), state)
		}
	}
	if s.Locked {
		fmt.Fprintln(w, "! the vault is locked")
	}
	n := s.Ceremony
	if n == nil {
		return
	}
	done := "nobody yet"
	if len(n.Done) > 0 {
		done = clean(strings.Join(n.Done, ", "))
	}
	fmt.Fprintf(w, "under way   %s: %s\n  until %s; done: %s; missing: %d\n", clean(n.Purpose), clean(n.About), n.Ends.Local().Format("15:04:05"), done, n.Missing)
	next := "flattone custody approve, each custodian as himself"
	if n.Enrolment {
		next = "flattone custody take, each of them as himself"
	}
	fmt.Fprintf(w, "> %s\n", next)
}
