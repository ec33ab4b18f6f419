package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// deskCommand has what is about agents at the desk.
func (t *tool) deskCommand() *cobra.Command {
	parent := &cobra.Command{Use: "desk", Short: "agents at the desk", Long: wordsDeskLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var supervisor bool
	pair := t.withJSON(&cobra.Command{
		Use: "pair NAME", Short: "make a code by which an agent signs in", Long: wordsDeskLong, Args: one("the agent's name"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				code, err := box.Pair(c.Context(), control.Pairing{Agent: args[0], Supervisor: supervisor})
				if err != nil {
					return err
				}
				return show(t, code, func(w io.Writer, code control.PairingCode) {
					fmt.Fprintf(t.errs, wordsPaired+"\n", clean(args[0]), code.Ends.Local().Format("15:04"))
					fmt.Fprintln(w, clean(code.Code))
				})
			})
		},
	})
	pair.Flags().BoolVar(&supervisor, "supervisor", false, "he sees counts and outcomes, too")
	parent.AddCommand(pair)
	return parent
}
