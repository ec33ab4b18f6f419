package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// noVerb refuses what is no verb of flattone.
func noVerb(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fail(exitUsage, hintUsage, "there is no verb %q", args[0])
}

// none takes no arguments.
func none(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fail(exitUsage, hintVerbUsage(c.CommandPath()), "%s takes no argument, and %q is one", c.CommandPath(), args[0])
}

// one takes exactly one argument, which is what.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fail(exitUsage, hintVerbUsage(c.CommandPath()), "%s needs %s", c.CommandPath(), what)
		case 1:
			return nil
		}
		return fail(exitUsage, hintVerbUsage(c.CommandPath()), "%s takes %s and nothing more, not %q", c.CommandPath(), what, args[1])
	}
}

// two takes exactly two arguments, which are what.
func two(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 2 {
			return nil
		}
		return fail(exitUsage, hintVerbUsage(c.CommandPath()), "%s needs %s, and nothing more", c.CommandPath(), what)
	}
}

// oneOrTwo takes one argument or two, which are what.
func oneOrTwo(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 || len(args) == 2 {
			return nil
		}
		return fail(exitUsage, hintVerbUsage(c.CommandPath()), "%s needs %s, and nothing more", c.CommandPath(), what)
	}
}

// atMostOne takes one argument, which is what, or none.
func atMostOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return one(what)(c, args)
	}
}

// limit is how many entries of a list are asked for: the value of the flag --limit.
type limit int

const (
	defaultLimit = 20
	maxLimit     = 1000 // flattoned's own
)

// String, Set and Type make it a flag.
func (l *limit) String() string { return strconv.Itoa(int(*l)) }

// Type is what the help calls the value.
func (l *limit) Type() string { return "N" }

// Set reads the value.
func (l *limit) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return fmt.Errorf("it is no number from 1 to %d: leave it out for %d", maxLimit, defaultLimit)
	}
	*l = limit(n)
	return nil
}
