//go:build lab

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/wav"
)

// maskRun is one run of the verb mask.
type maskRun struct {
	armed     bool
	lookahead time.Duration
	shield    string
	idle      string
	events    string
}

// maskResult is what the verb prints.
type maskResult struct {
	DelaySamples  int   `json:"delay_samples"`
	Rate          int   `json:"rate"`
	Digits        int   `json:"digits"`
	Unclear       int   `json:"unclear"`
	MaskedSamples int64 `json:"masked_samples"`
}

// maskEvent is one line of the events file. It names the key: test audio only.
type maskEvent struct {
	Digit   string `json:"digit"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Decided int64  `json:"decided"`
}

// maskCommand runs a recording through audio/path, exactly as a live line would. It is the one verb that may
// print digits, which is why it is built with the tag lab only.
func maskCommand() *cobra.Command {
	var r maskRun
	c := &cobra.Command{
		Use:   "mask IN.wav OUT.wav",
		Short: "run a caller's recording through the sample path (lab builds)",
		Long: `Run a recording of a caller through the sample path of a live line, as fast as
it goes.

OUT.wav has the rate of IN.wav and its length plus the fixed delay. Prints one
JSON object. With --events it also writes the digits it heard: use recordings
made for tests only.`,
		Args: twoRecordings,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.OutOrStdout(), args[0], args[1]) },
	}
	f := c.Flags()
	f.BoolVar(&r.armed, "armed", true, "mask as on an armed line; =false: as on an idle one")
	f.DurationVar(&r.lookahead, "lookahead", mask.DefaultLookAhead, "fixed delay in which the mask may still begin")
	f.StringVar(&r.shield, "shield", mask.Run.String(), "how much of the rhythm is hidden: keys, run or field (here one field, open to the end)")
	f.StringVar(&r.idle, "idle", "mask", "what an idle line does with keys: mask or pass")
	f.StringVar(&r.events, "events", "", "write the digits heard to this `FILE`, one JSON object a line")
	return c
}

func (r *maskRun) path() (path.Config, error) {
	cfg := path.Config{LookAhead: r.lookahead}
	var err error
	if cfg.Shield, err = mask.ParseShield(r.shield); err != nil {
		return cfg, badInput("", "%w", err)
	}
	switch r.idle {
	case "mask":
		cfg.Idle = mask.Idle
	case "pass":
		cfg.Idle = mask.Pass
	default:
		return cfg, badInput("", "--idle %q is unknown: use mask or pass", r.idle)
	}
	if r.lookahead < mask.MinLookAhead || r.lookahead > mask.MaxLookAhead {
		return cfg, badInput("", "--lookahead %v is out of range: use %v to %v", r.lookahead, mask.MinLookAhead, mask.MaxLookAhead)
	}
	return cfg, nil
}

func (r *maskRun) run(stdout io.Writer, in, out string) (err error) {
	samples, cfg, err := r.read(in)
	if err != nil {
		return err
	}
	if sameFile(in, out) {
		return badInput("", "%s is both input and output: name another output", in)
	}
	p, err := path.New(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if r.armed {
		p.SetGrade(mask.Armed)
		p.OpenField(true) // nobody captures here, so none is ever closed
	} else {
		p.SetGrade(mask.Idle)
	}

	var heard maskHeard
	masked := flow(p, samples, &heard)
	if err := writeWAV(out, masked, cfg); err != nil {
		return err
	}
	if r.events != "" {
		if err := writeEvents(r.events, heard.keys); err != nil {
			return err
		}
	}
	return json.NewEncoder(stdout).Encode(maskResult{
		DelaySamples: p.Delay(), Rate: int(cfg.Rate), Digits: len(heard.keys), Unclear: heard.unclear,
		MaskedSamples: heard.masked,
	})
}

func (r *maskRun) read(name string) ([]int16, path.Config, error) {
	cfg, err := r.path()
	if err != nil {
		return nil, cfg, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, cfg, fmt.Errorf("read the recording: %w", err)
	}
	defer f.Close()
	samples, rate, err := wav.ReadAll(f)
	if err != nil {
		return nil, cfg, fmt.Errorf("read %s: %w", name, err)
	}
	cfg.Rate = rate
	return samples, cfg, nil
}

// maskHeard is what a path reported.
type maskHeard struct {
	keys    []maskEvent
	unclear int
	masked  int64
}

func (h *maskHeard) take(p *path.Path) {
	for e, ok := p.Next(); ok; e, ok = p.Next() {
		switch e.Kind {
		case path.Key:
			h.keys = append(h.keys, maskEvent{Digit: string(rune(e.Digit.Reveal())), Start: int64(e.Start), Decided: int64(e.Decided)})
		case path.KeyEnd:
			h.keys[len(h.keys)-1].End = int64(e.End)
		case path.Unclear:
			h.unclear++
		}
	}
}

// flow drives samples through p in blocks of 10 ms, and silence after them until all is out.
func flow(p *path.Path, samples []int16, heard *maskHeard) []int16 {
	out := make([]int16, len(samples)+p.Delay())
	in := append(samples, make([]int16, p.Delay())...)
	const block = 80
	for at := 0; at < len(in); at += block {
		to := min(at+block, len(in))
		p.Write(in[at:to])
		p.Read(out[at:to])
		heard.take(p)
	}
	heard.masked = p.Stats().MaskedFrames
	// A key that sounded to the very end still has to be seen to end; what leaves meanwhile is no output.
	var silence [block]int16
	for range 100 {
		p.Write(silence[:])
		p.Read(silence[:])
		clear(silence[:])
		heard.take(p)
	}
	return out
}

func writeWAV(name string, samples []int16, cfg path.Config) (err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the masked recording: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := wav.Append(f, 0, cfg.Rate)
	if err == nil {
		err = w.Write(samples)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func writeEvents(name string, keys []maskEvent) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriter(f)
	enc := json.NewEncoder(b)
	for _, k := range keys {
		if err := enc.Encode(k); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
