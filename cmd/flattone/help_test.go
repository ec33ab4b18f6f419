package main

import (
	"bytes"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
)

// TestHelpFitsTheTerminal: every verb's help is no wider than a page, and opens with a small letter in the lists.
func TestHelpFitsTheTerminal(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		var out bytes.Buffer
		c.SetOut(&out)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > pageWidth {
				t.Errorf("the help of %s has a line of %d columns: %s", c.CommandPath(), w, line)
			}
		}
		if c.Short != strings.ToLower(c.Short[:1])+c.Short[1:] {
			t.Errorf("%s is summed up as %q, the others begin with a small letter", c.CommandPath(), c.Short)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&tool{}).rootCommand())
}
