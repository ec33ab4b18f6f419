package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/bundle"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// What a bundle has of what has no end.
const (
	bundledEvents  = 500
	bundledJournal = "5000" // lines
	longestText    = 16 << 20
)

func (t *tool) supportCommand() *cobra.Command {
	var file string
	c := t.withJSON(&cobra.Command{
		Use: "support-bundle FILE.tar.gz", Short: "collect what a supporter needs to see", Long: wordsSupportLong, Args: one("the name of a file to make"),
		RunE: func(c *cobra.Command, args []string) error {
			b := bundle.New(args[0], time.Now())
			t.collect(c.Context(), b, file)
			err := b.Close()
			if errors.Is(err, os.ErrExist) {
				return fail(exitFailed, "name another file", "%w", err)
			}
			if err != nil {
				return err
			}
			return show(t, bundled{args[0], b.Entries()}, printBundled)
		},
	})
	c.Flags().StringVar(&file, "config", "", "the configuration (default: the one that flattoned runs with, or "+defaultConfig+")")
	return c
}

// bundled is what support-bundle --json prints.
type bundled struct {
	File    string         `json:"file"`
	Entries []bundle.Entry `json:"entries"`
}

// collect adds all there is to see. What can't be had is in the bundle as the reason why.
func (t *tool) collect(ctx context.Context, b *bundle.Bundle, file string) {
	add := func(name, what string, v any, err error) {
		switch text, ok := v.([]byte); {
		case err != nil:
			b.Add(name, what+", which could not be had", []byte(err.Error()+"\n"))
		case ok:
			b.Add(name, what, text[max(0, len(text)-longestText):])
		default:
			text, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				panic(err) // they are words and numbers
			}
			b.Add(name, what, append(text, '\n'))
		}
	}
	kernel, err := os.ReadFile("/proc/version")
	system, _ := os.ReadFile("/etc/os-release")
	add("versions.txt", "flattone, kernel and system", fmt.Appendf(nil, "flattone %s\n%s%s", control.Version(), kernel, system), err)
	asked := t.ask(func(box *control.Client) error {
		now, err := glance(ctx, box)
		if err != nil {
			return err
		}
		for i := range now.Lines {
			now.Lines[i].Number = "" // of who calls: a short one has nothing that Scrub would know it by
		}
		if file == "" {
			file = now.ConfigFile
		}
		add("status.json", "the box and its lines", now, nil)
		events, err := box.Audit(ctx, bundledEvents)
		add("events.json", "the end of the audit log", events, err)
		devices, err := box.Devices(ctx)
		add("devices.json", "the sound devices", devices, err)
		return nil
	})
	if asked != nil {
		add("status.json", "the box and its lines", nil, asked)
	}
	if file == "" {
		file = defaultConfig
	}
	add("doctor.json", "what flattone doctor finds", t.examine(ctx, file), nil)
	for _, f := range configFiles(file) {
		text, err := os.ReadFile(f)
		add("config/"+filepath.Base(f), "configuration: it names the files of secrets, none of which was opened", text, err)
	}
	t.journal(ctx, add)
}

// configFiles are the configuration, and what is beside it.
func configFiles(file string) []string {
	files := []string{file}
	if _, err := os.Stat(config.DevicesFile(file)); err == nil {
		files = append(files, config.DevicesFile(file))
	}
	modems, _ := filepath.Glob(filepath.Join(filepath.Dir(file), config.ModemsName, "*.toml"))
	return append(files, modems...)
}

// journal adds what systemd's journal has of our units.
func (t *tool) journal(ctx context.Context, add func(name, what string, v any, err error)) {
	text, err := runQuietly(ctx, "journalctl", "--no-pager", "--output=short-iso-precise", "--lines="+bundledJournal, "--unit=flattone*")
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("there is no journalctl here")
	} else if err != nil {
		err = fmt.Errorf("journalctl: %w: %s", err, text)
	}
	add("journal.txt", "the journal of flattone's units", []byte(text), err)
}

// printBundled says what is in a bundle.
func printBundled(w io.Writer, b bundled) {
	table(w, []string{"FILE", "BYTES", "TAKEN OUT", "WHAT"}, b.Entries, func(e bundle.Entry) (row []string, below string) {
		return []string{e.Name, fmt.Sprint(e.Size), fmt.Sprint(e.Taken), e.What}, ""
	})
	fmt.Fprintln(w)
	paragraph(w, 0, "", fmt.Sprintf(wordsBundled, b.File))
}
