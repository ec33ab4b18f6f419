package line

import (
	"maps"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/serial"
	"github.com/flattone/flattone/hw/serial/usb"
)

// whoAreYou are questions to any modem, for people to read the answers; what profiles ask to know their make comes on top.
var whoAreYou = []string{"ATI", "AT+CGMI", "AT+CGMM", "AT+GMM", "AT+FCLASS=?", "AT+VSM=?", "AT+VLS=?"}

// modemAt asks the modem at a port what it is.
func modemAt(port, file string) (wire.Modem, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return wire.Modem{}, err
	}
	profiles, err := config.ModemProfiles(file)
	if err != nil {
		return wire.Modem{}, err
	}
	answers, err := serial.Probe(port, locks(cfg.RuntimeDir), questions(profiles))
	if err != nil {
		return wire.Modem{}, err
	}
	return probed(answers, profiles, port, usb.Kernel{}), nil
}

// questions are all that there is to ask, each once.
func questions(profiles map[string]config.ModemProfile) []string {
	asks := slices.Clone(whoAreYou)
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		for _, f := range profiles[name].Fits {
			if !slices.Contains(asks, f.Ask) {
				asks = append(asks, f.Ask)
			}
		}
	}
	return asks
}

// probed is what a modem is by its answers. Where several profiles fit it, those are taken that ask for most.
func probed(answers []serial.Answer, profiles map[string]config.ModemProfile, port string, k usb.Kernel) wire.Modem {
	var m wire.Modem
	for _, a := range answers {
		m.Answers = append(m.Answers, wire.ModemAnswer(a))
	}
	most := 1
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		p := profiles[name]
		if len(p.Fits) < most || slices.ContainsFunc(p.Fits, func(f config.ModemFit) bool { return !answered(answers, f) }) {
			continue
		}
		if len(p.Fits) > most {
			most, m.Fits = len(p.Fits), nil
		}
		fit := wire.ModemFit{Profile: name, Make: p.Make, Port: port, NeedsSoundPort: p.Kind == config.PCM}
		if ports := k.Beside(port, layouts(p)); len(ports) > 0 {
			fit.Port = ports[0]
			if fit.NeedsSoundPort {
				fit.SoundPort = ports[1]
			}
		}
		m.Fits = append(m.Fits, fit)
	}
	if len(m.Fits) == 0 {
		m.Draft = config.ModemDraft(strings.Join(m.Answers[0].Lines, " "))
	}
	return m
}

func answered(answers []serial.Answer, f config.ModemFit) bool {
	return slices.ContainsFunc(answers, func(a serial.Answer) bool {
		return a.Ask == f.Ask && a.OK && (f.Says == "" || slices.ContainsFunc(a.Lines, func(l string) bool { return strings.Contains(l, f.Says) }))
	})
}
