package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/control"
)

// settled waits until the line can take a card, but for its tuning and for a call that nobody recorded, and says what is wrong if that doesn't come to be.
func (s *setup) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		now, err := glance(ctx, s.box)
		switch {
		case ctx.Err() == nil && err != nil:
			return err
		case err == nil && now.Settings != s.cfg.BoxSettings():
			return fail(exitNotYet, "once it has been started again, flattone setup goes on", "flattoned doesn't run with the new configuration yet")
		}
		at := slices.IndexFunc(now.Lines, func(l control.Line) bool { return l.Name == s.line })
		if at >= 0 && now.Lines[at].Up && now.Lines[at].State == control.StateIdle && (s.now().Live() || now.Lines[at].InCall) {
			return nil
		}
		select {
		case <-time.After(peek):
			continue
		case <-ctx.Done():
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return errLeft
		}
		if at < 0 {
			return fail(exitNotYet, "flattone status says why", "line %s is not there", s.line)
		}
		cautions(s.t.out, now, now.Lines[at])
		return fail(exitNotYet, "once that is put right, flattone setup goes on", "line %s is not ready: %s", s.line, inBrief(now.Lines[at]))
	}
}

const (
	settleTime = 15 * time.Second // for a line to open its devices
	listenTime = 10 * time.Second // for levels to be looked at
	perSecond  = 10               // meters
)

// levels shows what comes in on the two sides of a live line, and says what is wrong with it.
func (s *setup) levels(ctx context.Context) error {
	if err := s.settled(ctx); err != nil || !s.now().Live() {
		return err
	}
	fmt.Fprintln(s.t.out)
	paragraph(s.t.out, 0, "", wordsSetupLevels)
	for again := true; again; {
		caller, agent, err := s.listen(ctx)
		if err != nil {
			return err
		}
		lines, err := s.box.Lines(ctx)
		if err != nil {
			return err
		}
		well := true
		for _, l := range lines {
			if l.Name == s.line {
				well = s.judge(control.LegCaller, caller, l.CallerInput) && well
				well = s.judge(control.LegAgent, agent, l.AgentInput) && well
			}
		}
		if again, err = s.t.agrees(ctx, "Look again?", !well); err != nil {
			return err
		}
	}
	return nil
}

// listen shows the levels for a while, and answers with the loudest of either side.
func (s *setup) listen(ctx context.Context) (caller, agent float64, err error) {
	listening, stop := context.WithTimeout(ctx, listenTime)
	defer stop()
	caller, agent = math.Inf(-1), math.Inf(-1)
	heard, callerNow, agentNow := 0, caller, agent
	err = s.box.Watch(listening, func(e control.Event) {
		if e.Kind != control.KindMeters || e.Line != s.line || e.Replay {
			return
		}
		callerNow, agentNow = max(callerNow, e.CallerDBm0), max(agentNow, e.AgentDBm0)
		if heard++; heard%perSecond == 0 {
			fmt.Fprintf(s.t.out, "  caller %4.0f dBm0   agent %4.0f dBm0\n", callerNow, agentNow)
			caller, agent = max(caller, callerNow), max(agent, agentNow)
			callerNow, agentNow = math.Inf(-1), math.Inf(-1)
		}
		if heard == perSecond*int(listenTime/time.Second) {
			stop()
		}
	})
	if err == nil && ctx.Err() != nil {
		err = errLeft
	}
	return caller, agent, err
}

// judge says how the loudest of a side was, and whether that is well.
func (s *setup) judge(leg string, loudest float64, code string) bool {
	what, remedy := levelOf(leg, loudest, code)
	if remedy == "" {
		paragraph(s.t.out, hang, "  "+leg, what)
		return true
	}
	refuse(s.t.out, leg+": "+what, remedy)
	return false
}

// levelOf judges the loudest of a side by what the line itself finds wrong, and by what tuning will want of keys, which are as loud as speech at least.
func levelOf(leg string, loudest float64, code string) (what, remedy string) {
	softest, most := *acceptance.Measured(acceptance.SoftestKey, 0).Least, *acceptance.Measured(acceptance.LoudestKey, 0).Most
	const nothing = -60.0 // the noise of a telephone line, and far below what anybody says
	switch {
	case code == "input_dead" || loudest < nothing:
		return "nothing but noise comes in", "does somebody speak there? Is the plug in the right socket, its cable whole, and the card's capture switched on (alsamixer)?"
	case code != "":
		return reason(code), "turn its capture level down (alsamixer), or what feeds it"
	case loudest > most:
		return fmt.Sprintf("too loud: %.0f dBm0, and %.0f is the most", loudest, most), "turn its capture level down (alsamixer), or what feeds it"
	case loudest < softest:
		return fmt.Sprintf("too quiet: %.0f dBm0 at the loudest, keys need %.0f or more", loudest, softest), "turn its capture level up (alsamixer), or what feeds it"
	}
	return fmt.Sprintf("well: %.0f dBm0 at the loudest", loudest), ""
}

// tune offers to tune a line that takes no card before.
func (s *setup) tune(ctx context.Context) error {
	if !s.now().Tunes() {
		return nil
	}
	fmt.Fprintln(s.t.out)
	paragraph(s.t.out, 0, "", wordsSetupTune)
	yes, err := s.t.agrees(ctx, "Tune it now?", true)
	if err != nil || !yes {
		return err
	}
	return s.insist(ctx, func() error {
		if err := s.t.tune(ctx, s.box, s.line); err != nil {
			return err
		}
		return s.t.tuned(ctx, s.box, s.line)
	})
}

// rehearse offers the first rehearsal.
func (s *setup) rehearse(ctx context.Context) error {
	lines, err := s.box.Lines(ctx)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Name == s.line && slices.Contains(l.Barred, "untuned") {
			return fail(exitNotYet, "flattone tune "+s.line+", then flattone rehearse "+s.line+" --wait", "line %s takes no card before it is tuned", s.line)
		}
	}
	fmt.Fprintln(s.t.out)
	words := wordsSetupRehearse
	if !s.now().Live() {
		words = wordsSetupRehearseRecording
	}
	paragraph(s.t.out, 0, "", words)
	yes, err := s.t.agrees(ctx, "Rehearse now?", true)
	if err != nil || !yes {
		return err
	}
	return s.insist(ctx, func() error {
		capture, err := s.box.Rehearse(ctx, s.line, "")
		if err != nil {
			return err
		}
		return s.t.armed(ctx, s.box, armed{Line: s.line, Capture: capture, Test: true}, true)
	})
}
