package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// configuration has the faults of the file.
func configuration(_ context.Context, m *Machine) (all []Finding) {
	if m.ConfigErr == nil {
		return []Finding{{Verdict: OK, Found: fmt.Sprintf("%s is good, with %d lines", m.ConfigFile, len(m.Config.Lines))}}
	}
	faults, ok := errors.AsType[config.Faults](m.ConfigErr)
	if !ok && !errors.Is(m.ConfigErr, config.ErrAbsent) && !errors.Is(m.ConfigErr, config.ErrInvalid) {
		return unseen(m.ConfigErr)
	}
	if !ok {
		return []Finding{{Verdict: Bad, Found: m.ConfigErr.Error(), Means: "flattoned doesn't start without it"}}
	}
	for _, f := range faults {
		do := f.Remedy
		f.Remedy = ""
		all = append(all, Finding{Verdict: Bad, Found: f.Error(), Means: "flattoned doesn't start with it, and flattone apply refuses it", Do: do})
	}
	return all
}

// scope says what each line takes out of PCI DSS scope, and what weakens that.
func scope(_ context.Context, m *Machine) (all []Finding) {
	if m.Config == nil {
		return []Finding{{Verdict: Unseen, Found: "the configuration can't be read"}}
	}
	for _, l := range m.Config.Lines {
		all = append(all, Finding{Verdict: OK, Found: l.Name + ": " + l.Scope()})
	}
	for _, text := range m.Config.Consequences() {
		all = append(all, Finding{Verdict: Warn, Found: text, Do: "change that in " + m.ConfigFile + ", then flattone apply"})
	}
	return all
}

// flattoned says whether it answers, and what it finds wrong itself.
func flattoned(_ context.Context, m *Machine) []Finding {
	if m.Box == nil {
		f := Finding{Verdict: Bad, Found: m.BoxErr.Error(), Means: "no card is taken, and nobody is told of one"}
		if e, ok := errors.AsType[*control.Error](m.BoxErr); ok {
			if f.Do = e.Remedy; e.Code == control.CodeDenied {
				f.Verdict, f.Means = Unseen, ""
			}
		}
		return []Finding{f}
	}
	s := m.Box.Status
	all := []Finding{{Verdict: OK, Found: fmt.Sprintf("version %s answers, with %d of %d lines up", s.Version, s.LinesUp, s.LinesTotal)}}
	for _, c := range s.Conditions {
		f := Finding{Verdict: Bad, Found: strings.TrimPrefix(c.Line+": ", ": ") + c.Words, Do: c.Remedy}
		if c.Severity < health.Fault {
			f.Verdict = Warn
		}
		if c.Detail != "" {
			f.Found += " (" + c.Detail + ")"
		}
		all = append(all, f)
	}
	return all
}

// devices says of each sound device that a line names how it is.
func devices(_ context.Context, m *Machine) (all []Finding) {
	switch {
	case m.Box == nil:
		return []Finding{{Verdict: Unseen, Found: "flattoned doesn't answer, and only a line's process looks at devices", Do: "flattone-line --devices, as the user flattone-line"}}
	case m.Box.DevicesErr != nil:
		return unseen(m.Box.DevicesErr)
	}
	for _, d := range m.Box.Devices {
		if len(d.Uses) == 0 {
			continue
		}
		used := make([]string, 0, len(d.Uses))
		for _, u := range d.Uses {
			used = append(used, u.Line+" "+u.Side)
		}
		f := Finding{Verdict: OK, Found: fmt.Sprintf("%s (%s) is there, for %s", d.Name, d.Card, strings.Join(used, ", "))}
		switch playing := slices.ContainsFunc(d.Uses, func(u control.Use) bool { return u.Plays }); {
		case d.Trouble != "":
			f = Finding{Verdict: Bad, Found: fmt.Sprintf("%s, for %s: %s", d.Name, strings.Join(used, ", "), strings.ReplaceAll(d.Trouble, "_", " ")),
				Means: "its line is held until that is put right", Do: "flattone devices lists what is there; flattone devices adopt " + d.Name + " PLACE"}
		case d.Place == "":
			f.Verdict, f.Found = Warn, fmt.Sprintf("%s, for %s, is no card that was adopted", d.Name, strings.Join(used, ", "))
			f.Means = "whatever ALSA or JACK call so is taken for it"
			f.Do = "flattone devices adopt " + d.Name + " PLACE, if it is a card"
		case !d.Free && !playing:
			f.Verdict, f.Found, f.Means = Bad, fmt.Sprintf("%s, for %s, is in use by another program, or can't be opened", d.Name, strings.Join(used, ", ")), "its line has no sound"
			f.Do = "fuser -v /dev/snd/*"
		}
		all = append(all, f)
	}
	if all == nil {
		all = []Finding{{Verdict: OK, Found: "no line names a sound device"}}
	}
	return all
}
