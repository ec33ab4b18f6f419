package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
)

func (t *tool) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "find what is wrong with a configuration file", Long: wordsCheckLong,
		Args: one("the name of a configuration file"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := config.Check(args[0], daemonUser())
			if err != nil {
				return t.faulty(args[0], err)
			}
			printConfig(t.out, args[0], c)
			return nil
		},
	}
}

// daemonUser is the user whom flattoned runs as, as far as root needs to know; anybody else looks for himself.
func daemonUser() int {
	if os.Geteuid() == 0 {
		if u, err := user.Lookup("flattone"); err == nil {
			if id, err := strconv.Atoi(u.Uid); err == nil {
				return id
			}
		}
	}
	return os.Geteuid()
}

// faulty lists what is wrong with a file, if that is the error.
func (t *tool) faulty(file string, err error) error {
	var faults config.Faults
	if !errors.As(err, &faults) {
		return err
	}
	printFaults(t.errs, faults)
	return fail(exitFailed, "correct the file and check it again", "%s in %s", plural(len(faults), "fault"), file)
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
