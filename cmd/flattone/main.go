// Command flattone is the technicians' tool: it asks a running flattoned through the admin socket, watches
// calls live, and checks configuration files without one.
//
// It exists so that a person at the box needs to know one command only. It promises that every failure says
// what was tried, why it failed and what to do, in words.go and nowhere else; that its exit codes (exit.go)
// and its --json output are fit for scripts; and that it leaves the terminal as it found it.
//
// It must never see a card: it knows of one what the admin socket tells anyone, its brand and last four.
// Only a build with the tag lab has the verbs that read keys out of sound, for recordings made for tests.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	leaves := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup; else who is cut off has left
		leaves = append(leaves, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), leaves...)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is main with an exit code: the one exit path.
func run(ctx context.Context, args []string) int {
	t := &tool{in: os.Stdin, out: os.Stdout, errs: os.Stderr, env: os.Environ()}
	root := t.rootCommand()
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.errs)
	return t.explain(root.ExecuteContext(ctx))
}
