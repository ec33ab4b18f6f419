package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// exportCommand has custodians be asked whether cards may leave.
func (t *tool) exportCommand() *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use: "export RECIPIENT", Short: "ask custodians to let cards leave for another provider", Long: wordsExportLong, Args: one("the name of a recipient in the configuration"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if _, err := box.AskExport(c.Context(), args[0], tenant); err != nil {
					return err
				}
				s, err := box.Custody(c.Context())
				if err == nil {
					printCustody(t.out, s)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "whose cards; everybody's without it")
	return c
}

// exportsCommand says what came of what custodians agreed to.
func (t *tool) exportsCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "exports", Short: "say what came of exports", Long: wordsExportsLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				all, err := box.Exports(c.Context())
				if err != nil {
					return err
				}
				return show(t, all, printExports)
			})
		},
	})
}

func printExports(w io.Writer, all []control.Export) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no export since flattoned started; flattone audit has those before")
	}
	for _, e := range all {
		whose := "all tenants"
		if e.Tenant != "" {
			whose = "tenant " + clean(e.Tenant)
		}
		fmt.Fprintf(w, "%s  for %s, whose key is %s\n  asked for by %s, of %s, begun %s\n", clean(e.ID), clean(e.To), clean(e.Key), clean(e.By), whose, moment(e.Began))
		switch {
		case e.Ended.IsZero():
			fmt.Fprintf(w, "  %d of %d cards\n", e.Cards, e.Of)
		case e.Failed != "":
			fmt.Fprintf(w, "! failed %s: %s\n", moment(e.Ended), clean(e.Failed))
		default:
			fmt.Fprintf(w, "  %d cards, done %s\n  file    %s\n  sha256  %s\n", e.Cards, moment(e.Ended), clean(e.File), clean(e.SHA256))
		}
	}
}
