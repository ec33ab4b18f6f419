//go:build lab

package main

import "github.com/spf13/cobra"

// labCommands are the verbs that read keys out of sound: for recordings made for tests, and for nothing else.
func labCommands() []*cobra.Command { return []*cobra.Command{maskCommand(), judgeCommand()} }

// twoRecordings takes two arguments: what goes in, and what comes out.
func twoRecordings(c *cobra.Command, args []string) error {
	if len(args) == 2 {
		return nil
	}
	return badInput(hintVerbUsage(c.CommandPath()), "%s needs two recordings, IN.wav and OUT.wav, not %d", c.CommandPath(), len(args))
}

func badInput(hint, format string, args ...any) error { return fail(exitUsage, hint, format, args...) }
