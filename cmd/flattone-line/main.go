// Command flattone-line carries one telephone line: it opens the line's devices and runs masking and capture
// between them. flattoned starts one for each line of the config.
//
// It ends 0 when it was told to stop, 2 when its command line makes no sense, and 1 with the reason on standard
// error when a device is lost or can't be opened; whoever started it starts it again.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/line"
)

func main() {
	file := flag.String("config", "/etc/flattone/flattone.toml", "the configuration `file`")
	name := flag.String("line", "", "the `name` of the line, as in its [[line]] table")
	answer := flag.Bool("answer", false, "answer one question about this machine's devices, read from standard input, and do nothing else")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "flattone-line: it takes no argument, and %q is one\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	act := func() error { return run(*file, *name) }
	if *answer {
		act = func() error { return line.Answer(os.Stdin, os.Stdout, *file) }
	}
	if err := act(); err != nil {
		fmt.Fprintln(os.Stderr, "flattone-line:", err)
		os.Exit(1)
	}
}

func run(file, name string) error {
	if err := host.Harden(); err != nil {
		return err
	}
	ctx, stop := host.UntilStopped()
	defer stop()
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	today, err := clock()
	if err != nil {
		return err
	}
	log := newLog(name)
	deps := line.Deps{Log: log, Today: today, Alive: func(doing string) {
		if err := host.Alive(doing); err != nil {
			log.Error("systemd takes the line for dead", "error", err)
		}
	}}
	if l, known := cfg.Line(name); known && l.Live() {
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), soundPlaces))
		runtime.GC() // what the config left behind; with real-time priority it would keep others of that priority waiting while it waits for itself
		if err := host.RealTime(ctx); err != nil {
			deps.NoRealTime = true
			log.Warn("the line runs without real-time priority: while the machine is busy its sound has gaps", "error", err)
		}
	}
	l, err := line.NewOnceThere(ctx, cfg, name, deps)
	if l == nil {
		return err
	}
	return l.Run(ctx)
}

// soundPlaces is at how many places Go may run at once where sound is live, even on fewer cores. PortAudio's threads, two at the most, keep theirs between
// periods, and one that found none free would wait for a goroutine; who waits in the kernel for a mixer, a contact or a modem, two at each, keeps one until Go's
// monitor looks.
const soundPlaces = 8

// newLog leaves the time out of a text: whoever started the process stamps what it says, and knows which line it is.
func newLog(line string) *slog.Logger {
	text := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}})
	return slog.New(host.Journal(text, slog.String("line", line)))
}
