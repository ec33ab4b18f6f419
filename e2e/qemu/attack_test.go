package qemu

import (
	"encoding/json"
	"path/filepath"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/e2e/shell"
)

// attack sets the attacker on what an agent was given. Caller and agent have one clock: he knows what the caller said, to the frame.
func (m *machine) attack(call string, caller, heard []int16) {
	t := m.T
	t.Helper()
	found := judged(m, call, caller, heard)
	t.Logf("measured: of %d keys %d can be read in what the agent's card was given, %d guesses are right, and %d ms leaked",
		found.Keys, found.Readable, found.Correct, found.LeakedMS)
	if found.Keys == 0 || found.Leaks() || found.LeakedMS > 0 {
		t.Error("keys can be read in what the agent was given")
	}
	if found := judged(m, call, caller, caller); found.Readable != found.Keys {
		t.Errorf("of what the caller said the attacker reads %d of %d keys: he would see no leak", found.Readable, found.Keys)
	}
}

// judged is what the attacker makes of it.
func judged(m *machine, call string, in, out []int16) adversary.Report {
	m.T.Helper()
	var truth struct {
		Keys []struct {
			Digit      string
			Start, End audio.Position
		}
	}
	if err := json.Unmarshal(shell.Read(m.T, filepath.Join(recordings, call, "truth.json")), &truth); err != nil {
		m.T.Fatal(err)
	}
	c := adversary.Case{Rate: audio.Rate8k, In: in, Out: out, DelayFrames: adversary.FindDelay, FlatTone: adversary.OurFlatTone()}
	for _, k := range truth.Keys {
		d, _ := audio.NewDigit(k.Digit[0])
		c.Keys = append(c.Keys, adversary.Key{Symbol: d, Start: k.Start, End: k.End})
	}
	report, err := adversary.Judge(c)
	if err != nil {
		m.T.Fatal(err)
	}
	c.DelayFrames = report.DelayFrames
	learnt, err := adversary.Learn(c)
	if err != nil {
		m.T.Fatal(err)
	}
	report.Attackers = append(report.Attackers, learnt...)
	return report
}

// listen looks for keys in what an agent was given, where the caller's clock is another, and by how much nobody knows: a modem goes by the host's time. The agent
// heard something all the same.
func (m *machine) listen(caller, heard []int16) {
	t := m.T
	t.Helper()
	loud := 0
	for _, v := range heard {
		if v > 500 || v < -500 {
			loud++
		}
	}
	n := detecttest.Suspicious(t, heard, audio.Rate8k)
	t.Logf("measured: in %d ms of what the agent's card was given %d may be a key's; in what the caller said, %d",
		audio.Rate8k.Duration(int64(len(heard))).Milliseconds(), n, detecttest.Suspicious(t, caller, audio.Rate8k))
	if n > 0 || loud < 1000 {
		t.Errorf("%d ms of what the agent was given may be a key's, and %d frames of it are loud", n, loud)
	}
}
