package box

import (
	"bytes"
	"fmt"
	"path/filepath"
	"time"
)

// toml is the box's config file.
func (b *Box) toml() []byte {
	var f bytes.Buffer
	fmt.Fprintf(&f, "version = 1\nstate_dir = %q\nruntime_dir = %q\n", "state", "run")
	// Whoever starts the box may do all there is with it.
	f.WriteString("\n[roles]\ntechnician = [\"self\"]\ncustodian = [\"self\"]\nauditor = [\"self\"]\ninstaller = [\"self\"]\ndesk = [\"self\"]\n")
	if b.cfg.Store != "" {
		fmt.Fprintf(&f, "\n[store]\n%s\n", b.cfg.Store)
	}
	fmt.Fprintf(&f, "\n[vault]\nkey_file = %q\n", "vault.key")
	fmt.Fprintf(&f, "\n[upstream.webhook]\nurl = %q\nsecret_file = %q\n", b.cfg.Webhook, "webhook.secret")
	if b.cfg.FirstRetry > 0 {
		fmt.Fprintf(&f, "first_retry_ms = %d\nmax_retry_s = %d\n", b.cfg.FirstRetry.Milliseconds(), max(1, b.cfg.MaxRetry/time.Second))
	}
	fmt.Fprintf(&f, "\n[profile.card]\n%s\n%s\n", b.cfg.Profile, b.cfg.Tables)
	for _, l := range b.cfg.Lines {
		var caller, agent []string
		for _, call := range l.Calls {
			caller = append(caller, absolute(call, "caller.wav"))
			agent = append(agent, absolute(call, "agent.wav"))
		}
		fmt.Fprintf(&f, "\n[[line]]\nname = %q\nplace = \"trunk-side\"\nprofile = \"card\"\n%s\n", l.Name, l.Options)
		if l.Sound != "" {
			fmt.Fprintf(&f, "[line.sound]\n%s\n", l.Sound)
			if l.CallerModem != "" {
				fmt.Fprintf(&f, "[line.caller_modem]\n%s\n", l.CallerModem)
			}
			continue
		}
		fmt.Fprintf(&f, "[line.wav]\ncaller_in = %s\nagent_in = %s\n", list(caller), list(agent))
		fmt.Fprintf(&f, "agent_out = %q\ncaller_out = %q\nclock_file = %q\n",
			"heard/"+l.Name+".agent.wav", "heard/"+l.Name+".caller.wav", "run/"+l.Name+".clock")
		fmt.Fprintf(&f, "pace = %g\ngap_ms = %d\nwait_armed = %t\n", l.Pace, l.Gap.Milliseconds(), l.WaitArmed)
	}
	return f.Bytes()
}

func absolute(dir, name string) string {
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil { // only when the working directory is gone
		return filepath.Join(dir, name)
	}
	return path
}

func list(paths []string) string {
	out := "["
	for i, p := range paths {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%q", p)
	}
	return out + "]"
}
