package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
)

func (t *tool) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "find what is wrong with a configuration file", Long: wordsCheckLong,
		Args: one("the name of a configuration file"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := config.Check(args[0])
			var faults config.Faults
			if errors.As(err, &faults) {
				printFaults(t.errs, faults)
				return fail(exitFailed, "correct the file and check it again", "%s in %s", plural(len(faults), "fault"), args[0])
			}
			if err != nil {
				return err
			}
			printConfig(t.out, args[0], c)
			return nil
		},
	}
}

// printFaults lists each fault with its remedy on a line of its own.
func printFaults(w io.Writer, faults config.Faults) {
	for _, f := range faults {
		remedy := f.Remedy
		f.Remedy = ""
		fmt.Fprintln(w, clean(f.Error()))
		if remedy != "" {
			fmt.Fprintln(w, "    "+clean(remedy))
		}
	}
}

// printConfig sums up a good file.
func printConfig(w io.Writer, name string, c *config.Config) {
	fmt.Fprintf(w, "%s: good, %s\n", name, plural(len(c.Lines), "line"))
	for _, l := range c.Lines {
		fmt.Fprintln(w)
		paragraph(w, hang, l.Name+" ", l.Scope())
	}
	if list := c.Consequences(); len(list) > 0 {
		fmt.Fprintln(w, "\nWhat you should know:")
		for _, text := range list {
			caution(w, text)
		}
	}
}
