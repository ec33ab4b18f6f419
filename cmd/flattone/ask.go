package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// errLeft says that somebody left where he was asked something, by Ctrl-C or by ending the input.
var errLeft = errors.New("you left")

// asks reports whether there is somebody to ask.
func (t *tool) asks() (*os.File, bool) {
	in, ok := t.in.(*os.File)
	return in, ok && isTerminal(in)
}

// typed waits for a line that somebody types.
func (t *tool) typed(ctx context.Context) (string, error) {
	if t.keyboard == nil {
		t.keyboard = bufio.NewReader(t.in)
	}
	return unlessLeft(ctx, func() (string, error) { return t.keyboard.ReadString('\n') })
}

// typedUnseen is typed for what the terminal is not to show.
func (t *tool) typedUnseen(ctx context.Context) (string, error) {
	in, ok := t.asks()
	if !ok {
		return "", errLeft
	}
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return "", err
	}
	defer term.Restore(int(in.Fd()), before)
	text, err := unlessLeft(ctx, func() (string, error) {
		text, err := term.ReadPassword(int(in.Fd()))
		return string(text), err
	})
	fmt.Fprintln(t.guide())
	return text, err
}

// unlessLeft reads, but not for longer than somebody stays. Nothing is read after it was in vain.
func unlessLeft(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		text, err := read()
		got <- result{text, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return "", errLeft
		}
		return strings.TrimSpace(r.text), nil
	case <-ctx.Done():
		return "", errLeft
	}
}

// agrees asks a question that is answered by yes or no; Enter alone is preset.
func (t *tool) agrees(ctx context.Context, question string, preset bool) (bool, error) {
	choice := "[y/N] "
	if preset {
		choice = "[Y/n] "
	}
	for {
		fmt.Fprint(t.guide(), question+" "+choice)
		answer, err := t.typed(ctx)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return preset, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		refuse(t.guide(), fmt.Sprintf("%q is neither yes nor no", answer), "type y or n")
	}
}
