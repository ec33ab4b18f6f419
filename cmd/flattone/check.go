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
	var desk bool
	c := t.withJSON(&cobra.Command{
		Use: "check FILE", Short: "find what is wrong with a configuration file", Long: wordsCheckLong,
		Args: one("the name of a configuration file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if desk {
				return t.checkDesk(args[0])
			}
			c, err := config.Check(args[0], userOf("flattone"))
			if err != nil {
				return t.faulty(args[0], err)
			}
			return show(t, checkedFile(args[0], c), printConfig)
		},
	})
	c.Flags().BoolVar(&desk, "desk", false, "it is the configuration of the agents' desk")
	return c
}

// checkDesk is that for the file of flattone-desk.
func (t *tool) checkDesk(file string) error {
	d, err := config.CheckDesk(file, userOf("flattone-desk"))
	if err != nil {
		return t.faulty(file, err)
	}
	return show(t, checkedDesk{file, d.Origin}, func(w io.Writer, c checkedDesk) {
		fmt.Fprintf(w, "%s: good; agents reach the desk at %s\n", c.File, c.Origin)
	})
}

// checkedDesk is what check --desk --json prints of a good file.
type checkedDesk struct {
	File   string `json:"file"`
	Origin string `json:"origin"`
}

// checked is what check --json prints of a good file.
type checked struct {
	File         string        `json:"file"`
	Lines        []checkedLine `json:"lines"`
	Consequences []string      `json:"consequences"`
}

type checkedLine struct {
	Name  string `json:"name"`
	Scope string `json:"scope"`
}

func checkedFile(name string, c *config.Config) checked {
	f := checked{File: name, Consequences: append([]string{}, c.Consequences()...)}
	for _, l := range c.Lines {
		f.Lines = append(f.Lines, checkedLine{l.Name, l.Scope()})
	}
	return f
}

// userOf is the user whom a daemon runs as, as far as root needs to know; anybody else looks for himself.
func userOf(name string) int {
	if os.Geteuid() == 0 {
		if u, err := user.Lookup(name); err == nil {
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
	if !t.json {
		printFaults(t.errs, faults)
	} else if err := show(t, faultsOf(faults), nil); err != nil {
		return err
	}
	return fail(exitFailed, "correct the file and check it again", "%s in %s", plural(len(faults), "fault"), file)
}

// fault is what --json prints of one.
type fault struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Key    string `json:"key,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy,omitempty"`
}

func faultsOf(faults config.Faults) (all []fault) {
	for _, f := range faults {
		all = append(all, fault(f))
	}
	return all
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
func printConfig(w io.Writer, f checked) {
	fmt.Fprintf(w, "%s: good, %s\n", f.File, plural(len(f.Lines), "line"))
	for _, l := range f.Lines {
		fmt.Fprintln(w)
		paragraph(w, hang, l.Name+" ", l.Scope)
	}
	if len(f.Consequences) > 0 {
		fmt.Fprintln(w, "\nWhat you should know:")
		for _, text := range f.Consequences {
			caution(w, text)
		}
	}
}
