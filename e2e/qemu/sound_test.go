package qemu

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
)

// sound: a recorded call comes in on one device of ALSA's and goes out on another: caller and agent are two channels of one card. His card is in the vault, its
// token upstream, and what the agent was given has none of the keys.
func sound(m *machine) {
	t := m.T
	soon(t, "the line takes cards", func() bool { l := m.Line("cards"); return l.Up && len(l.Barred) == 0 })
	m.RunAs(shell.Ann, "flattone", "arm", "cards")
	caller, agent := m.said("visa", "caller"), m.said("visa", "agent")
	stop := m.plays("Trunk", caller, agent)
	m.delivers("cards")
	soon(t, "the line is idle again", func() bool { return m.Line("cards").State == control.StateIdle })
	m.attack("visa", caller, stop()[1])
}

// delivers waits until a line's token has arrived, and looks for it in the vault.
func (m *machine) delivers(line string) {
	m.T.Helper()
	soon(m.T, "its token arrives", func() bool { return len(m.tokens()[line]) > 0 })
	if out := m.Run("flattone", "tokens"); !strings.Contains(out, m.tokens()[line][0]) {
		m.T.Errorf("the vault has not the token that arrived:\n%s", out)
	}
}

// said is what a side of a recorded call says.
func (m *machine) said(call, leg string) []int16 {
	m.T.Helper()
	f, err := os.Open(filepath.Join(recordings, call, leg+".wav"))
	if err != nil {
		m.T.Fatal(err)
	}
	defer f.Close()
	x, _, err := wav.ReadAll(f)
	if err != nil {
		m.T.Fatal(err)
	}
	return x
}

// plays has the far end of a card say what is said, on a channel each, and record what the card is given, until stopped. Both are as raw as the card has them.
func (m *machine) plays(card string, said ...[]int16) (stop func() (heard [][]int16)) {
	m.T.Helper()
	says, hears := filepath.Join(m.share(), card+"-says"), filepath.Join(m.share(), card+"-hears")
	var raw []byte
	for i := range said[0] {
		for _, x := range said {
			v := int16(0)
			if i < len(x) {
				v = x[i]
			}
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		}
	}
	if err := os.WriteFile(says, raw, 0o644); err != nil {
		m.T.Fatal(err)
	}
	os.Remove(hears)
	format := []string{"--quiet", "--device=hw:CARD=" + card + ",DEV=1", "--file-type=raw", "--format=S16_LE", "--rate=8000", "--channels=" + strconv.Itoa(len(said))}
	run := func(unit, program, file string) {
		m.Run(append(append([]string{"systemd-run", "--quiet", "--collect", "--unit=" + unit, program}, format...), "/share/"+filepath.Base(file))...)
	}
	run("hears", "arecord", hears)
	run("says", "aplay", says)
	return func() (heard [][]int16) {
		m.T.Helper()
		m.Try("root", "systemctl", "stop", "says.service", "hears.service") // the first has ended by itself, mostly
		raw := shell.Read(m.T, hears)
		heard = make([][]int16, len(said))
		for i := range len(raw) / 2 {
			c := i % len(said)
			heard[c] = append(heard[c], int16(binary.LittleEndian.Uint16(raw[2*i:])))
		}
		return heard
	}
}
