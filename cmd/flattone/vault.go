package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// vaultCommand has what is about the vault's keys.
func (t *tool) vaultCommand() *cobra.Command {
	parent := &cobra.Command{Use: "vault", Short: "the vault's keys, and what it holds", Long: wordsVaultLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(t.withJSON(&cobra.Command{
		Use: "status", Short: "say how the vault is", Long: wordsVaultLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				v, err := box.Vault(c.Context())
				if err != nil {
					return err
				}
				return show(t, v, printVault)
			})
		},
	}), t.rotateCommand(), t.vaultRootCommand(), t.certificatesCommand(), t.exportCommand(), t.exportsCommand())
	return parent
}

func (t *tool) rotateCommand() *cobra.Command {
	var detach bool
	c := t.withJSON(&cobra.Command{
		Use: "rotate", Short: "make a new version of the vault's key", Long: wordsRotateLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				version, err := box.RotateKey(c.Context())
				if err != nil {
					return err
				}
				fmt.Fprintf(t.guide(), wordsRotated+"\n", version)
				if detach {
					return nil
				}
				v, err := t.rewrapped(c.Context(), box)
				if err != nil {
					return err
				}
				return show(t, v, printVault)
			})
		},
	})
	c.Flags().BoolVar(&detach, "detach", false, "don't wait until everything lies under it")
	return c
}

// askAgain is how long it is until it is looked again how far a rotation is.
const askAgain = time.Second

// rewrapped waits until nothing lies under an older key, and says how far that is.
func (t *tool) rewrapped(ctx context.Context, box *control.Client) (control.Vault, error) {
	for {
		v, err := box.Vault(ctx)
		if err != nil || v.Remaining == 0 {
			return v, err
		}
		fmt.Fprintf(t.guide(), "  %d of %d\n", v.Records, v.Records+v.Remaining)
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return v, fail(exitNotYet, "flattoned goes on with it; flattone vault status says how far it is", "stopped waiting")
		}
	}
}

// vaultRootCommand has what is about the vault's roots, which flattone vault status lists.
func (t *tool) vaultRootCommand() *cobra.Command {
	parent := &cobra.Command{Use: "root", Short: "add and drop what opens the vault", Long: wordsVaultRootLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(t.withJSON(&cobra.Command{
		Use: "add", Short: "have the root that the configuration names open the vault, too", Long: wordsVaultRootLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.changeRoots(wordsRootAdded, func(box *control.Client) (control.RootChange, error) { return box.AddRoot(c.Context()) })
		},
	}), t.withJSON(&cobra.Command{
		Use: "drop ROOT", Short: "have a root no longer open the vault", Long: wordsVaultRootLong, Args: one("a root, as flattone vault status names it"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.changeRoots(wordsRootDropped, func(box *control.Client) (control.RootChange, error) { return box.DropRoot(c.Context(), args[0]) })
		},
	}))
	return parent
}

// changeRoots says what came of it, or that custodians have to agree.
func (t *tool) changeRoots(done string, change func(*control.Client) (control.RootChange, error)) error {
	return t.ask(func(box *control.Client) error {
		r, err := change(box)
		if err != nil {
			return err
		}
		return show(t, r, func(w io.Writer, r control.RootChange) {
			if r.Ceremony != "" {
				fmt.Fprintln(w, wordsRootAsked)
				return
			}
			fmt.Fprintf(w, done+"\n", clean(r.Root))
		})
	})
}

func (t *tool) certificatesCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "certificates [KIND]", Short: "print what the vault has certified", Long: wordsCertificatesLong, Args: atMostOne("a kind of certificate, or how it begins"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				all, err := box.Certificates(c.Context())
				if err != nil {
					return err
				}
				some := []control.Certificate{}
				for _, one := range all {
					if len(args) == 0 || strings.HasPrefix(one.Kind, args[0]) {
						some = append(some, one)
					}
				}
				return show(t, some, printCertificates)
			})
		},
	})
}

// printCertificates prints them to the byte, but for what a terminal would take for commands: each is checked by itself.
func printCertificates(w io.Writer, all []control.Certificate) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no certificate yet")
	}
	for i, c := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		for line := range strings.Lines(c.Note) {
			fmt.Fprintln(w, clean(strings.TrimSuffix(line, "\n")))
		}
	}
}

func printVault(w io.Writer, v control.Vault) {
	state := "open"
	if v.Locked {
		state = "LOCKED: no card is taken until custodians unlock it"
	}
	fmt.Fprintf(w, "vault     %s\n", state)
	for _, r := range v.Roots {
		opened := ""
		if r.Opened {
			opened = ", which opened it"
		}
		fmt.Fprintf(w, "root      %s, %s%s\n", clean(r.Kind), clean(r.ID), opened)
	}
	if v.Key > 0 {
		fmt.Fprintf(w, "key       version %d, since %s\n          %s", v.Key, moment(v.KeySince), under(v.Records))
		if v.Remaining > 0 {
			fmt.Fprintf(w, ", %d still under older ones", v.Remaining)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "kept for  %d days\n", int(time.Duration(v.RetentionS)*time.Second/(24*time.Hour)))
	var cards []string
	for _, kind := range []string{control.KindVault, control.KindOnce, control.KindOneWay, control.KindFlight} {
		if n := v.Cards[kind]; n > 0 {
			cards = append(cards, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if len(cards) == 0 {
		cards = []string{"none"}
	}
	if v.Held > 0 {
		cards = append(cards, fmt.Sprintf("%d of all on hold", v.Held))
	}
	fmt.Fprintf(w, "cards     %s\n", strings.Join(cards, ", "))
	if !v.NextPurge.IsZero() {
		fmt.Fprintf(w, "          the next is shredded %s\n", moment(v.NextPurge))
	}
	if time.Since(v.Counted) > time.Minute {
		fmt.Fprintf(w, "          as they were counted %s\n", moment(v.Counted))
	}
}

func under(n int64) string {
	if n == 1 {
		return "1 card under it"
	}
	return fmt.Sprintf("%d cards under it", n)
}
