// Command flattoned is the daemon of the box: vault, audit log, outbox, admin socket, and the lines' keeper. It
// opens no device and listens on unix sockets only.
//
// It ends 0 when it was told to stop, 2 when its command line makes no sense, and 1 with the reason on standard
// error when it can't go on.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/flattone/flattone/daemon"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/host"
)

func main() {
	file := flag.String("config", "/etc/flattone/flattone.toml", "the configuration `file`")
	var from daemon.Backups
	flag.StringVar(&from.Data, "restore", "", "make the vault of a new box from a backup, a `file` that flattone backup made, and end")
	flag.StringVar(&from.Keys, "keys", "", "with --restore: the backup of the keys, a `file` that flattone backup keys made")
	flag.StringVar(&from.Purged, "purge-log", "", "with --restore: a later purge log, a `file` that flattone backup purge-log made")
	newLog := flag.Bool("new-audit-log", false, "begin an audit log in the place of one whose signing key is lost for good, and end")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "flattoned: it takes no argument, and %q is one\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	if (from.Data == "") != (from.Keys == "") || from.Data == "" && from.Purged != "" {
		fmt.Fprintln(os.Stderr, "flattoned: a restore takes both --restore and --keys")
		flag.Usage()
		os.Exit(2)
	}
	if *newLog && from.Data != "" {
		fmt.Fprintln(os.Stderr, "flattoned: --new-audit-log and --restore are two things: one after the other")
		os.Exit(2)
	}
	if err := run(*file, from, *newLog); err != nil {
		fmt.Fprintln(os.Stderr, "flattoned:", err)
		os.Exit(1)
	}
}

func run(file string, from daemon.Backups, newLog bool) error {
	if err := host.Harden(); err != nil {
		return err
	}
	ctx, stop := host.UntilStopped()
	defer stop()
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	if from.Data != "" {
		seen, err := host.Unseen(os.Stdin)
		if err != nil {
			return err
		}
		defer seen()
		return daemon.Restore(ctx, cfg, from, os.Stdin, func(text string) { fmt.Fprint(os.Stderr, text) })
	}
	if newLog {
		return daemon.NewAuditLog(ctx, cfg)
	}
	d, err := daemon.New(ctx, cfg, file, slog.New(host.Journal(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return err
	}
	return d.Run(ctx)
}
