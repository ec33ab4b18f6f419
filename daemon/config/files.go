package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/private"
)

// look reports the files and folders that flattoned or a line would refuse, running as a user. A path that has a fault already is empty
// here, and left in peace. Devices that are about to be adopted count as such.
func (c *Config) look(r *reader, user int, adopting Devices) {
	note := func(key, path string, judge func(path string) error) {
		if path == "" {
			return
		}
		err := judge(path)
		if err == nil {
			return
		}
		f := Fault{File: c.file, Line: c.at[key], Key: key, Reason: err.Error(), Remedy: "make it readable, or name another"}
		if flaw, ok := errors.AsType[private.Flaw](err); ok {
			f.Reason, f.Remedy = flaw.Reason, flaw.Remedy
		}
		r.faults = append(r.faults, f)
	}
	devices, err := c.Devices()
	if faults, ok := errors.AsType[Faults](err); ok {
		r.faults = append(r.faults, faults...)
	} else if err != nil {
		r.faults = append(r.faults, Fault{File: DevicesFile(c.file), Reason: err.Error(), Remedy: "make it readable"})
	}
	if c.devices = devices; devices != nil {
		maps.Copy(devices, adopting)
	}
	c.strangers = c.unknownHere()
	note("state_dir", c.StateDir, func(path string) error { return stateFolder(path, user) })
	note("runtime_dir", c.RuntimeDir, folder)
	note("daemon.line_binary", c.Daemon.LineBinary, program)
	for _, f := range c.Vault.files() {
		note(f.key, f.path, func(path string) error { return readable(f.kind, path, user) })
	}
	note("vault.hsm.module", c.Vault.HSM.Module, module)
	note("store.password_file", c.Store.PasswordFile, func(path string) error { return readable(private.StorePassword, path, user) })
	note("store.key_file", c.Store.KeyFile, func(path string) error { return readable(private.StoreKey, path, user) })
	note("store.cert_file", c.Store.CertFile, certificate)
	note("store.ca_file", c.Store.CAFile, certificate)
	c.lookUpstream(note, user)
	for _, name := range c.gatewayNames() {
		for _, f := range c.Gateways[name].files() {
			note(join(join("gateway", name), f.key), f.path, func(path string) error { return f.judge(path, user) })
		}
	}
	c.lookClients(note, user)
	if h := c.RecorderHook; h != nil {
		note("recorder_hook.secret_file", h.Webhook.SecretFile, func(file string) error {
			_, err := readWebhookSecret(file, user)
			return err
		})
		note("recorder_hook.ca_file", h.TLS.CAFile, certificate)
		note("recorder_hook.cert_file", h.TLS.CertFile, certificate)
		note("recorder_hook.key_file", h.TLS.KeyFile, func(file string) error { return readable(private.GatewayKey, file, user) })
	}
	note("syslog.ca_file", c.Syslog.CAFile, func(string) error {
		_, err := c.Syslog.Roots()
		return err
	})
	for i, l := range c.Lines {
		if l.Recorder != nil {
			note(join(join(element("line", i), "recorder"), "folder"), l.Recorder.Folder, folder)
		}
		path := join(element("line", i), "wav")
		plays := func(file string) error { return recording(file, l.Rate) }
		for k, file := range l.WAV.CallerIn {
			note(element(join(path, "caller_in"), k), file, plays)
		}
		for k, file := range l.WAV.AgentIn {
			note(element(join(path, "agent_in"), k), file, plays)
		}
		note(join(path, "agent_out"), l.WAV.AgentOut, c.output)
		note(join(path, "caller_out"), l.WAV.CallerOut, c.output)
		note(join(path, "clock_file"), l.WAV.ClockFile, c.output)
	}
}

// stateFolder judges a state folder that is there already. flattoned makes one that isn't.
func stateFolder(path string, user int) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return private.JudgeFolder(path, info, user)
}

// folder judges any other folder that flattoned makes.
func folder(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return private.Flaw{Reason: path + " is not a folder", Remedy: "name a folder, or move away what is in its place"}
	}
	return nil
}

func program(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return private.Flaw{Reason: path + " can't be executed", Remedy: "name the program flattone-line"}
	}
	return nil
}

// recording judges what a line at a rate is to play. If the rate is none, that has been reported.
func recording(path string, rate audio.Rate) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return private.Flaw{Reason: path + " does not exist", Remedy: "name a recording that does"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return private.Flaw{Reason: path + " is not a file", Remedy: "name a WAV recording"}
	}
	w, err := wav.NewReader(f, info.Size())
	if odd, ok := errors.AsType[*wav.Error](err); ok {
		remedy := "name another recording"
		if odd.Remedy != "" {
			remedy = "try: " + odd.Remedy
		}
		return private.Flaw{Reason: fmt.Sprintf("%s: %v: %s", path, odd.Reason, odd.Detail), Remedy: remedy}
	}
	if err != nil {
		return err
	}
	if rate.Supported() && w.Rate() != rate {
		return private.Flaw{Reason: fmt.Sprintf("%s has %v and the line runs at %v", path, w.Rate(), rate),
			Remedy: fmt.Sprintf("try: sox IN.wav -r %d OUT.wav, or give the line another rate_hz", int(rate))}
	}
	return nil
}

// output judges a file that a line is to write.
func (c *Config) output(path string) error {
	in := filepath.Dir(path)
	if info, err := os.Stat(in); in != c.RuntimeDir && (err != nil || !info.IsDir()) {
		return private.Flaw{Reason: "the folder " + in + " does not exist", Remedy: "make it, or name another"}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return private.Flaw{Reason: path + " is something else than a file", Remedy: "name a file of its own"}
	}
	return nil
}
