package daemon

import (
	"context"
	"errors"
	"slices"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// ProbeModem has a line's program ask the modem at a port.
func (b *backend) ProbeModem(ctx context.Context, port string) (control.Modem, error) {
	if line := b.lineAt(port); line != "" {
		return control.Modem{}, &control.Error{Code: control.CodeNoModem, Text: port + " is a port of line " + line, Remedy: "flattone lines says how its modem is"}
	}
	answer, err := b.d.lines.Ask(ctx, wire.Question{Probe: port})
	if err == nil && answer.Modem == nil {
		err = errors.New("flattone-line says nothing of it; is it of this version?")
	}
	if err != nil {
		return control.Modem{}, &control.Error{Code: control.CodeNoModem, Text: "the modem can't be asked: " + err.Error(), Remedy: askYourself}
	}
	found := answer.Modem
	m := control.Modem{Answers: []control.ModemAnswer{}, Draft: found.Draft}
	for _, a := range found.Answers {
		m.Answers = append(m.Answers, control.ModemAnswer(a))
	}
	for _, f := range found.Fits {
		m.Fits = append(m.Fits, control.ModemFit(f))
	}
	return m, nil
}

// lineAt is the line whose config names a port.
func (b *backend) lineAt(port string) string {
	lines := b.d.lined.Load().Lines
	at := slices.IndexFunc(lines, func(l config.Line) bool {
		return slices.ContainsFunc([]*config.Modem{l.CallerModem, l.AgentModem}, func(m *config.Modem) bool {
			return m != nil && (m.Port == port || m.SoundPort == port)
		})
	})
	if at < 0 {
		return ""
	}
	return lines[at].Name
}
