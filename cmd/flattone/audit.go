package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/audit/export"
	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/control"
)

// auditCommand has what an assessor needs of the audit log. All but verify ask the box.
func (t *tool) auditCommand() *cobra.Command {
	parent := &cobra.Command{Use: "audit", Short: "take the audit log off the box, and check it there", Long: wordsAuditLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "export FILE", Short: "write the whole audit log to a new file", Long: wordsAuditLong, Args: one("the name of a file to make"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				return whole(args[0], func(to io.Writer) error { return box.ExportAudit(c.Context(), to) })
			})
		},
	}, t.auditVerifyCommand(), &cobra.Command{
		Use: "key", Short: "print the audit log's public key", Long: wordsAuditLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				key, err := box.AuditKey(c.Context())
				if err == nil {
					_, err = fmt.Fprintln(t.out, clean(key))
				}
				return err
			})
		},
	})
	return parent
}

// whole makes a file, which is there only if it is whole.
func whole(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fail(exitFailed, "name another file", "%w", err)
	}
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func (t *tool) auditVerifyCommand() *cobra.Command {
	var key string
	var kept []string
	c := t.withJSON(&cobra.Command{
		Use: "verify FILE", Short: "check an export, without the box", Long: wordsAuditLong, Args: one("the file that flattone audit export made"),
		RunE: func(_ *cobra.Command, args []string) error {
			notes, err := keptNotes(kept)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			r, err := export.Verify(f, key, notes...)
			v := verified{Report: r, OwnKey: key == "", Kept: len(notes)}
			if bad, ok := errors.AsType[*merkle.Bad](err); ok {
				v.Bad = &bad.Seq
				err = fail(exitTampered, hintTampered, "%w", err)
			} else if err != nil {
				return fail(exitFailed, "", "%s: %w", args[0], err)
			}
			return errors.Join(show(t, v, printVerified), err)
		},
	})
	c.Flags().StringVar(&key, "key", "", "the log's public key, as flattone audit key printed it (default: the file's own, which proves less)")
	c.Flags().StringArrayVar(&kept, "checkpoint", nil, "a file of checkpoints that left the box; may be given more than once")
	return c
}

// keptNotes reads files of checkpoints.
func keptNotes(files []string) (notes [][]byte, err error) {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		some, err := merkle.ReadNotes(f)
		if err = errors.Join(err, f.Close()); err == nil && len(some) == 0 {
			err = errors.New("there is no checkpoint in it")
		}
		if err != nil {
			return nil, fail(exitFailed, "", "%s: %w", name, err)
		}
		notes = append(notes, some...)
	}
	return notes, nil
}

// verified is what audit verify --json prints.
type verified struct {
	export.Report
	// Bad is the first entry that isn't what was written.
	Bad *int64 `json:"bad,omitempty"`
	// OwnKey: the key was the file's own. Kept counts the checkpoints that it was held against.
	OwnKey bool `json:"own_key"`
	Kept   int  `json:"kept"`
}

func printVerified(w io.Writer, v verified) {
	fmt.Fprintf(w, "log      %s\nkey      %s\n", clean(v.Origin), clean(v.Key))
	fmt.Fprintf(w, "good     %d entries", v.Entries)
	if v.Entries > 0 {
		fmt.Fprintf(w, ", from %s to %s", v.First.UTC().Format(time.DateTime), v.Last.UTC().Format(time.DateTime)+" UTC")
	}
	fmt.Fprintf(w, "\nvouched  %d entries, by %s\n", v.Held, plural(v.Kept, "checkpoint")+" that left the box")
	if v.OwnKey {
		fmt.Fprintln(w, wordsOwnKey)
	}
	if v.Kept == 0 {
		fmt.Fprintln(w, wordsNoneKept)
	}
}
