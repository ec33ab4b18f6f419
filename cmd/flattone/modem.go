package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) modemCommand() *cobra.Command {
	c := &cobra.Command{Use: "modem", Short: "modems at serial ports", Long: wordsModemLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(t.withJSON(&cobra.Command{
		Use: "probe PORT", Short: "ask a modem what it is, and which profile fits it", Long: wordsProbeLong, Args: one("the path of a serial port"),
		RunE: func(c *cobra.Command, args []string) error {
			port, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			return t.ask(func(box *control.Client) error {
				m, err := box.ProbeModem(c.Context(), port)
				if err != nil {
					return err
				}
				return show(t, m, printModem)
			})
		},
	}))
	return c
}

// printModem prints what was said, and what to write for that: as it is, so that it can be copied.
func printModem(w io.Writer, m control.Modem) {
	for _, a := range m.Answers {
		said := a.Lines
		if !a.OK {
			said = append(said[:len(said):len(said)], "no")
		}
		for i, line := range said {
			ask := ""
			if i == 0 {
				ask = a.Ask
			}
			fmt.Fprintf(w, "%-14s  %s\n", ask, clean(line))
		}
	}
	for _, f := range m.Fits {
		fmt.Fprintln(w)
		paragraph(w, 0, "", fmt.Sprintf(wordsModemFits, f.Make))
		fmt.Fprintf(w, "\n    [line.caller_modem]\n    profile = %q\n    port = %q\n", f.Profile, f.Port)
		switch {
		case f.SoundPort != "":
			fmt.Fprintf(w, "    sound_port = %q\n", f.SoundPort)
		case f.NeedsSoundPort:
			fmt.Fprintf(w, "    sound_port = \"...\"   # %s\n", wordsModemSoundPort)
		}
	}
	if m.Draft != "" {
		fmt.Fprintln(w)
		paragraph(w, 0, "", wordsModemDraft)
		fmt.Fprintln(w)
		for line := range strings.Lines(m.Draft) {
			fmt.Fprintln(w, clean(strings.TrimSuffix(line, "\n")))
		}
	}
}
