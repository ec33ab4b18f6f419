// Command flattone-desk is the agents' desk: panel and API over TLS. It holds no key of cards and no store, and asks flattoned by its admin socket.
//
// It ends 0 when it was told to stop, 2 when its command line makes no sense, and 1 with the reason on standard
// error when it can't go on.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/desk"
	"github.com/flattone/flattone/daemon/host"
)

func main() {
	file := flag.String("config", "/etc/flattone/desk.toml", "the desk's configuration `file`")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "flattone-desk: it takes no argument, and %q is one\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*file); err != nil {
		fmt.Fprintln(os.Stderr, "flattone-desk:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	if err := host.Harden(); err != nil {
		return err
	}
	ctx, stop := host.UntilStopped()
	defer stop()
	cfg, err := config.LoadDesk(file)
	if err != nil {
		return err
	}
	d, err := desk.New(cfg, desk.Deps{Log: slog.New(host.Journal(slog.NewTextHandler(os.Stderr, nil)))})
	if err != nil {
		return err
	}
	return d.Run(ctx)
}
