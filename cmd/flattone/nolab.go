//go:build !lab

package main

import "github.com/spf13/cobra"

// labCommands are the verbs that read keys out of sound. This build has none of them.
func labCommands() []*cobra.Command { return nil }
