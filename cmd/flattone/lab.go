//go:build lab

package main

import "github.com/spf13/cobra"

// labCommands are the verbs that read keys out of sound: for recordings made for tests, and for nothing else.
func labCommands() []*cobra.Command { return []*cobra.Command{maskCommand(), judgeCommand()} }
