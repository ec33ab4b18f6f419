package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/doctor"
)

func (t *tool) doctorCommand() *cobra.Command {
	var file string
	c := t.withJSON(&cobra.Command{
		Use: "doctor", Short: "examine the machine, and say what to do", Long: wordsDoctorLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			all := t.examine(c.Context(), file)
			if err := show(t, all, printFindings); err != nil {
				return err
			}
			if bad := count(all, doctor.Bad); bad > 0 {
				return fail(exitUnhealthy, "", wordsSick, plural(bad, "thing"))
			}
			return nil
		},
	})
	c.Flags().StringVar(&file, "config", "", "the configuration (default: the one that flattoned runs with, or "+defaultConfig+")")
	return c
}

// examine has the machine examined. What of it can't be seen is said so.
func (t *tool) examine(ctx context.Context, file string) []doctor.Finding {
	m := &doctor.Machine{Root: "/", User: userOf("flattone"), Run: runQuietly, Space: space}
	m.BoxErr = t.ask(func(box *control.Client) error {
		now, err := glance(ctx, box)
		if err == nil {
			m.Box = &doctor.Box{Status: now.Status, Lines: now.Lines}
			m.Box.Devices, m.Box.DevicesErr = box.Devices(ctx)
		}
		return err
	})
	if m.ConfigFile = file; file == "" && m.Box != nil {
		m.ConfigFile = m.Box.Status.ConfigFile
	}
	if m.ConfigFile == "" {
		m.ConfigFile = defaultConfig
	}
	if m.Config, m.ConfigErr = config.Check(m.ConfigFile, m.User); m.ConfigErr != nil {
		m.Config, _ = config.Load(m.ConfigFile) // what only its files have wrong tells where they are
	}
	return doctor.Examine(ctx, m)
}

// runQuietly runs a command, and answers with what it says.
func runQuietly(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_PAGER=")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", exec.ErrNotFound
	}
	return string(out), err
}

// space is how much of the disk below a folder is free to whom isn't root.
func space(folder string) (free, all uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, fmt.Errorf("look at %s: %w", folder, err)
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

func count(all []doctor.Finding, v doctor.Verdict) (n int) {
	for _, f := range all {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// printFindings prints what was found, each with its verdict in front, in a word that needs no colour.
func printFindings(w io.Writer, all []doctor.Finding) {
	const indent, check = 7, 11
	for _, f := range all {
		head := fmt.Sprintf("%-*s%-*s", indent, findingWord(f.Verdict), check, f.Check)
		paragraph(w, indent+check, head, f.Found)
		if f.Means != "" {
			paragraph(w, indent+check, "", f.Means)
		}
		if f.Do != "" {
			fmt.Fprintln(w, strings.Repeat(" ", indent+check-3)+"-> "+clean(f.Do)) // in one piece, so that it can be copied
		}
	}
	fmt.Fprintf(w, "\n%d bad, %d to know of, %d well, %d not seen\n", count(all, doctor.Bad), count(all, doctor.Warn), count(all, doctor.OK), count(all, doctor.Unseen))
}

// findingWord is a verdict as it stands at a row's head.
func findingWord(v doctor.Verdict) string {
	switch v {
	case doctor.Bad:
		return "BAD"
	case doctor.Warn:
		return "warn"
	case doctor.Unseen:
		return "?"
	}
	return "ok"
}
