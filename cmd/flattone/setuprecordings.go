package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/private"
)

// linesFolder is where lines may write that are units.
const linesFolder = "/var/lib/flattone-line"

// recordings asks where they are, and where to put what either side hears.
func (s *setup) recordings(ctx context.Context) error {
	q := question{why: wordsSetupFolder, ask: "Folder of the recordings"}
	heard, w := linesFolder, s.now().WAV
	if len(w.CallerIn) > 0 {
		q.preset, heard = filepath.Dir(w.CallerIn[0]), filepath.Dir(w.AgentOut)
	}
	err := s.ask(ctx, q, func(folder string) error {
		if folder == q.preset { // as it is, whatever its recordings are called
			return nil
		}
		if err := s.seen(folder); err != nil {
			return err
		}
		rate, err := rateOf(filepath.Join(folder, "caller.wav"))
		if err != nil {
			return err
		}
		return s.putLine(func(l *config.Line) { s.plays(l, filepath.Clean(folder), rate) })
	})
	if err != nil {
		return err
	}
	into := func(folder string) error {
		if folder == heard && w.AgentOut != "" {
			return nil
		}
		return s.putLine(func(l *config.Line) {
			for _, file := range []*string{&l.WAV.AgentOut, &l.WAV.CallerOut, &l.WAV.ClockFile} {
				if *file != "" {
					*file = filepath.Join(folder, filepath.Base(*file))
				}
			}
		})
	}
	if s.unit {
		return into(heard)
	}
	return s.ask(ctx, question{why: wordsSetupHeard, ask: "Folder for what is heard", preset: heard}, into)
}

// plays has a line be made of the recordings in a folder.
func (s *setup) plays(l *config.Line, folder string, rate audio.Rate) {
	l.CallerModem, l.AgentModem, l.Sound, l.Relay, l.Rate = nil, nil, nil, nil, rate
	l.AgentKeys.Answer, l.AgentKeys.HangUp = "", ""
	l.WAV.CallerIn, l.WAV.AgentIn = []string{filepath.Join(folder, "caller.wav")}, []string{filepath.Join(folder, "agent.wav")}
	if l.WAV.AgentOut == "" { // any that will do until it has been asked for
		beside := filepath.Join(s.cfg.RuntimeDir, l.Name)
		l.WAV.AgentOut, l.WAV.CallerOut, l.WAV.ClockFile, l.WAV.WaitArmed = beside+".agent.wav", beside+".caller.wav", beside+".clock", true
	}
}

// seen refuses a folder that a line's unit doesn't see.
func (s *setup) seen(folder string) error {
	if !filepath.IsAbs(folder) {
		return private.Flaw{Reason: fmt.Sprintf("%q is no whole path", folder), Remedy: "write it from the root on, such as /srv/calls/visa"}
	}
	for _, closed := range []string{"/home", "/root", "/tmp", "/var/tmp", "/run/user"} {
		if in := filepath.Clean(folder) + "/"; s.unit && strings.HasPrefix(in, closed+"/") {
			return private.Flaw{Reason: folder + " is in " + closed + ", which systemd keeps from lines", Remedy: "copy the folder to /srv, say, and name that"}
		}
	}
	return nil
}

// rateOf is a recording's.
func rateOf(path string) (audio.Rate, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, private.Flaw{Reason: path + " does not exist", Remedy: "name a folder with the two recordings of a call in it, caller.wav and agent.wav"}
	}
	if err != nil {
		return 0, private.Flaw{Reason: err.Error(), Remedy: "make it readable, or name another folder"}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	r, err := wav.NewReader(f, info.Size())
	if err != nil {
		return 0, private.Flaw{Reason: path + ": " + err.Error(), Remedy: "name a folder with WAV recordings"}
	}
	return r.Rate(), nil
}
