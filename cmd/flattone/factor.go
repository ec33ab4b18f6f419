package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flattone/flattone/daemon/control"
)

// factorCommand has what is about second factors.
func (t *tool) factorCommand() *cobra.Command {
	parent := &cobra.Command{Use: "factor", Short: "second factors of custodians and installers", Long: wordsFactorLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "enroll", Short: "make yourself a second factor", Long: wordsFactorLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				uri, err := box.EnrollFactor(c.Context())
				if err != nil {
					return err
				}
				fmt.Fprintln(t.errs, wordsEnrolled)
				_, err = fmt.Fprintln(t.out, clean(uri))
				return err
			})
		},
	}, &cobra.Command{
		Use: "forget USER", Short: "have somebody's second factor no longer be one", Long: wordsFactorLong, Args: one("the name that somebody logs in by"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				if err := box.ForgetFactor(c.Context(), args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(t.out, wordsNoFactor+"\n", args[0])
				return err
			})
		},
	})
	return parent
}

// code asks the person at the terminal for a code, which is not shown. It never comes from the command line, where others can read it, nor from a pipe.
func (t *tool) code(need *control.Error) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", &control.Error{Code: control.CodeFactor, Text: need.Text + ", and there is no terminal to ask for it", Remedy: hintNoTerminal}
	}
	defer tty.Close()
	if need.Text != "" {
		fmt.Fprintf(tty, "%s\n", clean(need.Text))
	}
	fmt.Fprint(tty, wordsCode)
	typed, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return strings.TrimSpace(string(typed)), err
}
