package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// shells are those that a script of completions can be written for.
var shells = []string{"bash", "zsh", "fish"}

func (t *tool) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Short: "print what has a shell complete verbs and lines", Long: wordsCompletionLong, Args: one("bash, zsh or fish"),
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(t.out, true)
			case "zsh":
				return root.GenZshCompletion(t.out)
			case "fish":
				return root.GenFishCompletion(t.out, true)
			}
			return fail(exitUsage, "it can be "+strings.Join(shells, ", "), "there are no completions for %q", args[0])
		},
	}
}

// completionTime is how long a person who presses Tab waits at the most.
const completionTime = time.Second

// completeLines has every verb that takes a line complete its name, and none that takes no file complete files.
func (t *tool) completeLines(c *cobra.Command) {
	switch {
	case strings.Contains(c.Use, " LINE"), strings.Contains(c.Use, "[LINE]"):
		c.ValidArgsFunction = t.lineNames
	case c.ValidArgs == nil && !strings.Contains(c.Use, "FILE") && !strings.Contains(c.Use, "PORT"):
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range c.Commands() {
		t.completeLines(sub)
	}
}

// lineNames are the lines of the box that answers, each with its state; behind one, its sides or a card's fields, where those are asked for. Where none answers there are none.
func (t *tool) lineNames(c *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) == 1 && strings.Contains(c.Use, " SIDE") {
		return []string{control.LegCaller, control.LegAgent}, cobra.ShellCompDirectiveNoFileComp
	}
	if len(args) == 1 && strings.Contains(c.Use, " [FIELD]") {
		return []string{"pan", "expiry", "cvv"}, cobra.ShellCompDirectiveNoFileComp
	}
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	_ = t.ask(func(box *control.Client) error { // why not would only spoil the command line
		lines, err := box.Lines(ctx)
		for _, l := range lines {
			names = append(names, fmt.Sprintf("%s\t%s", clean(l.Name), clean(stateOf(l))))
		}
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
