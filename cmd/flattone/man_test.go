package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestManualNamesEveryVerbAndFlag, and every exit code.
func TestManualNamesEveryVerbAndFlag(t *testing.T) {
	text, err := os.ReadFile("../../docs/man/flattone.1")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	flags := regexp.MustCompile(`--[a-z]+`)
	// Cobra's own, and what packaged binaries don't have.
	unlisted := []string{"help"}
	for _, c := range labCommands() {
		unlisted = append(unlisted, c.Name())
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if slices.Contains(unlisted, c.Name()) {
			return
		}
		verb := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "flattone"), " ")
		section := page
		if verb != "" && c.Runnable() && !c.HasSubCommands() {
			entry := regexp.MustCompile(`\n\.B[IR]? "?` + verb + `\b`).FindStringIndex(page)
			if entry == nil {
				t.Errorf("the manual has no entry for %s", verb)
				return
			}
			section, _, _ = strings.Cut(page[entry[0]:], "\n.TP")
		}
		for _, f := range flags.FindAllString(c.LocalNonPersistentFlags().FlagUsages(), -1) {
			if f != "--help" && !strings.Contains(section, f) {
				t.Errorf("the manual's entry for %s doesn't name %s", verb, f)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&tool{}).rootCommand())
	for _, words := range []string{"--socket", socketEnv, defaultSocket, "\n.B 0\n", "\n.B 7\n", "\n.B 8\n"} {
		if !strings.Contains(page, words) {
			t.Errorf("the manual doesn't name %q", words)
		}
	}
}
