package main

import (
	"fmt"
	"image/png"
	"os"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/spectrogram"
	"github.com/flattone/flattone/audio/wav"
)

// lookAheadMS is the delay of a line whose config doesn't say otherwise.
const lookAheadMS = 30

// draw puts the caller's leg above the agent's, on one time axis.
func draw(callerWAV, agentWAV, picture string) error {
	caller, rate, err := read(callerWAV)
	if err != nil {
		return err
	}
	agent, _, err := read(agentWAV)
	if err != nil {
		return err
	}
	img, err := spectrogram.Draw(spectrogram.Call{
		Title: "flattone: what the caller keyed, and what the agent heard",
		Note:  fmt.Sprintf("%v, look-ahead %d ms", rate, lookAheadMS),
		Rate:  rate, Caller: caller, Agent: agent, FlatHz: mask.DefaultToneHz, Delay: int(rate) * lookAheadMS / 1000,
	})
	if err != nil {
		return err
	}
	f, err := os.Create(picture)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		return err
	}
	return f.Close()
}

func read(path string) ([]int16, audio.Rate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	samples, rate, err := wav.ReadAll(f)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return samples, rate, nil
}
