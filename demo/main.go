// Command demo is `make demo`: it sets up a whole box in a folder, plays a recorded call through it over the
// real processes and sockets, shows it live, and then lets the attacker judge what the agent heard.
//
// It needs no root, no sound card and no network. What it leaves in its folder is for looking at: the
// recording of the agent's leg, the picture, the vault, the audit log, what upstream received. It ends
// with 1 if the card did not arrive or a key can be read, and with 130 if somebody stopped it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var s stage
	flag.StringVar(&s.bin, "bin", "build/lab", "folder of the lab binaries")
	flag.StringVar(&s.calls, "calls", "data/calls", "folder of the recorded calls")
	flag.StringVar(&s.call, "call", "visa", "which of them to play")
	flag.StringVar(&s.out, "out", "build/demo", "folder to leave the results in; an older demo there is removed")
	flag.BoolVar(&s.fast, "fast", false, "as fast as it goes, rather than in real time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := s.play(ctx)
	switch {
	case ctx.Err() != nil, errors.Is(err, errStopped):
		fmt.Fprintln(os.Stderr, "\ndemo: stopped; nothing of it runs any more")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
