package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (t *tool) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "which build of flattone this is", Args: none,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(t.out, "flattone "+version())
			return err
		},
	}
}

// version is what the Go tool knows of this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown build)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
