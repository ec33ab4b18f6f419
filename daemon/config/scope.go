package config

import (
	"fmt"
	"strings"
	"time"
)

// Scope says what the line takes out of the scope of PCI DSS where it stands, and what it doesn't. It goes
// wherever the line's place is shown.
func (l Line) Scope() string {
	if l.Place == TrunkSide {
		return "trunk-side: phones, PBX, call recorder and agents are behind this line and hear no key. " +
			"The trunk and the box itself stay in PCI DSS scope."
	}
	return "desk-side: only the agent's ear, and what hangs on the headset, is behind this line. " +
		"Phone, PBX and call recorder hear every key and stay in PCI DSS scope."
}

// mobileLookAhead is the least that a caller on a mobile network is good with.
const mobileLookAhead = 30 * time.Millisecond

// Consequences says of each of the line's settings that weakens what it promises what that means to the
// owner. They are no faults: an owner may want them, and must be able to see them. Safe settings have none.
func (l Line) Consequences() []string {
	var list []string
	if l.Idle == IdlePass {
		list = append(list, `idle = "pass": what a caller keys while no card is being taken, even in the second before the line is armed, `+
			"reaches the agent's side as it is. A card keyed then is heard and recorded there, and takes everything behind this line back into PCI DSS scope.")
	}
	if l.Shield == ShieldKeys {
		list = append(list, `shield = "keys": the pauses between keys can be heard on the agent's side, and their rhythm tells something of the keys.`)
	}
	if m := l.CallerModem; m != nil && m.Profile.Kind == PCM && l.LookAhead < mobileLookAhead {
		list = append(list, fmt.Sprintf("lookahead_ms = %d: the codecs of mobile networks smear a key's beginning, so that it is suspected late, and some of it may get past "+
			"the mask. Leave it at %d or more on this line.", l.LookAhead.Milliseconds(), mobileLookAhead.Milliseconds()))
	}
	if l.Relay != nil {
		list = append(list, "relay: whenever the line's process ends, even while a card is being keyed, the relay joins caller and agent past the box, where nothing is masked; "+
			"what is keyed from then on is heard on the agent's side until the call is over.")
	}
	if l.Recorder != nil && (l.Idle == IdlePass || l.OnFault == OnFaultWire) {
		list = append(list, "recorder: it records what the agent hears, and so what a caller keys wherever idle or on_fault let that pass.")
	}
	if l.AgentModem != nil {
		list = append(list, "agent_modem: a line with a modem on the agent's side can't be tuned. That what the agent hears is masked is not measured on the spot: "+
			"listen there while somebody keys a test card, before the first real one.")
	}
	if l.Live() && !l.Calls.Trusted() {
		list = append(list, fmt.Sprintf("calls.source = %q: nobody tells this line that a call has ended. Where a caller hangs up without a tone and another is put through, "+
			"what that one keys may be taken for the first one's, until it has been silent for a while or three minutes are over.", l.Calls.Source))
	}
	return list
}

// Consequences are those of the box as a whole and of all its lines, each with the path of its key, in the
// order vault, upstream, gateways, roles, lines, profiles.
func (c *Config) Consequences() []string {
	list := []string{c.Vault.consequence()}
	for _, r := range c.Vault.Export {
		list = append(list, r.consequence())
	}
	for _, d := range c.Upstream {
		key, plain := "url", strings.HasPrefix(d.Webhook.URL, "http:")
		if d.Kind == KindJetStream {
			key, plain = "urls", strings.HasPrefix(strings.Join(d.JetStream.URLs, " "), "nats:")
		}
		if plain {
			list = append(list, join(join("upstream", d.Name), key)+": not encrypted. Whoever may listen in on this machine's loopback reads tokens, though no cards.")
		}
	}
	for _, name := range c.gatewayNames() {
		if text := c.Gateways[name].consequence(); text != "" {
			list = append(list, join("gateway", name)+"."+text)
		}
	}
	list = append(list, c.strangers...)
	for i, l := range c.Lines {
		for _, text := range l.Consequences() {
			list = append(list, element("line", i)+"."+text)
		}
		list = append(list, c.unadopted(join(element("line", i), "sound"), l.Sound)...)
	}
	for _, name := range c.profileNames() {
		if c.Profiles[name].TestCVVLength != 0 {
			list = append(list, join("profile", name)+".test_cvv_length: for tests only. No real card's code is accepted.")
		}
	}
	return list
}

// unadopted says which of a line's devices are no adopted cards, if that was looked for.
func (c *Config) unadopted(path string, s *Sound) (list []string) {
	if s == nil || c.devices == nil {
		return nil
	}
	for _, side := range []struct{ key, device string }{{"caller", s.Caller}, {"agent", s.Agent}} {
		if _, adopted := c.devices[side.device]; !adopted && side.device != "" {
			list = append(list, fmt.Sprintf("%s = %q: no sound card has been adopted under this name. The line waits for one (flattone devices adopt), "+
				"or for what ALSA or JACK call so.", join(path, side.key), side.device))
		}
	}
	return list
}
