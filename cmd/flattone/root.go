package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

const (
	defaultSocket = "/run/flattone/admin.sock"
	socketEnv     = "FLATTONE_SOCKET"
	defaultConfig = "/etc/flattone/flattone.toml"
)

// tool is one run of the command.
type tool struct {
	in        io.Reader
	out, errs io.Writer
	env       []string

	socket string
	json   bool
	// began is set once the command line has been understood.
	began bool
	// keyboard keeps what somebody has typed ahead of a question.
	keyboard *bufio.Reader
}

// Groups of verbs in the help.
const (
	groupTechnician = "technician"
	groupOffline    = "offline"
)

func (t *tool) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "flattone",
		Short:         wordsRootShort,
		Long:          wordsRootLong,
		Args:          noVerb,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			err := errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups()) // which cobra looks at only after this
			t.began = err == nil
			return err
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddGroup(&cobra.Group{ID: groupTechnician, Title: wordsGroupTechnician},
		&cobra.Group{ID: groupOffline, Title: wordsGroupOffline})
	root.SetHelpCommand(helpCommand(root))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "FlagUsages ", fmt.Sprintf("FlagUsagesWrapped %d ", pageWidth)))
	root.PersistentFlags().StringVar(&t.socket, "socket", t.defaultSocket(), wordsFlagSocket)
	add(root, groupTechnician, t.statusCommand(), t.linesCommand(), t.armCommand(), t.rehearseCommand(), t.disarmCommand(),
		t.moreTimeCommand(), t.againCommand(), t.coverCommand(), t.uncoverCommand(), t.ackCommand(),
		t.restartCommand(), t.callCommand(), t.watchCommand(), t.topCommand(), t.tuneCommand(), t.toneCommand(), t.loopbackCommand(), t.tokensCommand(), t.cardCommand(), t.chargeCommand(), t.paymentCommand(), t.vaultCommand(), t.upstreamCommand(), t.eventsCommand(), t.auditCommand(), t.backupCommand(),
		t.devicesCommand(), t.modemCommand(), t.setupCommand(), t.applyCommand(), t.factorCommand(), t.deskCommand(), t.custodyCommand())
	add(root, groupOffline, t.doctorCommand(), t.supportCommand(), t.checkCommand(), t.keyCommand(), t.secretCommand(), t.completionCommand(), t.versionCommand())
	add(root, groupOffline, labCommands()...)
	t.completeLines(root)
	return root
}

// helpCommand is `help [VERB]`. Cobra's own says nothing against a verb that isn't there.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB]", Short: wordsHelpShort, GroupID: groupOffline,
		RunE: func(_ *cobra.Command, args []string) error {
			verb, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fail(exitUsage, hintUsage, "there is no verb %q", strings.Join(args, " "))
			}
			verb.InitDefaultHelpFlag()
			return verb.Help()
		},
	}
}

func add(root *cobra.Command, group string, verbs ...*cobra.Command) {
	for _, v := range verbs {
		v.GroupID = group
		root.AddCommand(v)
	}
}

func (t *tool) defaultSocket() string {
	if s := t.getenv(socketEnv); s != "" {
		return s
	}
	return defaultSocket
}

// getenv is the last word of the environment on name, as in os/exec.
func (t *tool) getenv(name string) (value string) {
	for _, kv := range t.env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// ask dials the daemon, lets question ask, and hangs up.
func (t *tool) ask(question func(*control.Client) error) error {
	if t.socket == "" {
		return fail(exitUsage, "leave it out for "+t.defaultSocket(), "--socket names no socket")
	}
	c, err := control.Dial(t.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Code = t.code
	return question(c)
}

// withJSON gives a verb the flag --json.
func (t *tool) withJSON(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&t.json, "json", false, wordsFlagJSON)
	return c
}

// show prints v as JSON if that was asked for, and otherwise what print makes of it.
func show[T any](t *tool, v T, print func(io.Writer, T)) error {
	if !t.json {
		print(t.out, v)
		return nil
	}
	enc := json.NewEncoder(t.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// terminal is the standard output if it is one that a live screen can be drawn on.
func (t *tool) terminal() (*os.File, bool) {
	f, ok := t.out.(*os.File)
	return f, ok && isTerminal(f) && t.getenv("TERM") != "dumb" && t.getenv("TERM") != ""
}
