package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// backupCommand has what leaves the box, to come back on another.
func (t *tool) backupCommand() *cobra.Command {
	c := t.fileCommand("backup FILE", "write a backup of the vault's data to a new file", (*control.Client).BackUp)
	c.AddCommand(t.fileCommand("keys FILE", "write a backup of the vault's keys, which custodians open", (*control.Client).BackUpKeys),
		t.fileCommand("purge-log FILE", "write which cards were shredded, for a restore of an older backup", (*control.Client).BackUpPurgeLog))
	return c
}

// fileCommand writes what the box answers with to a new file.
func (t *tool) fileCommand(use, short string, get func(*control.Client, context.Context, io.Writer) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: wordsBackupLong, Args: one("the name of a file to make"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				return whole(args[0], func(to io.Writer) error { return get(box, c.Context(), to) })
			})
		}}
}
