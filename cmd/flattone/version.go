package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "which build of flattone this is", Args: none,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(t.out, "flattone "+control.Version())
			return err
		},
	}
}
