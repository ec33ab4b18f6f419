package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/swap"
)

// swaps says whether what is in memory may be written to a disk as it is. flattoned raises [health.SwapOn] for the same.
func swaps(_ context.Context, m *Machine) (all []Finding) {
	areas, err := swap.Read(m.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{{Verdict: OK, Found: "the kernel has none"}}
	}
	if err != nil {
		return unseen(err)
	}
	open, _ := health.Lookup(health.SwapOn)
	for _, a := range areas {
		f := Finding{Verdict: OK, Found: a.Name + " is encrypted, or in memory"}
		if !a.Sealed {
			f = Finding{Verdict: Warn, Found: a.Name + " is not encrypted, as far as can be seen", Means: open.Words, Do: open.Remedy}
		}
		all = append(all, f)
	}
	if all == nil {
		all = []Finding{{Verdict: OK, Found: "none"}}
	}
	return all
}

// cores says of each of our processes that no core file of it can be written.
func cores(_ context.Context, m *Machine) (all []Finding) {
	pids := m.pids()
	if len(pids) == 0 {
		return []Finding{{Verdict: Unseen, Found: "no process of flattone is known"}}
	}
	for _, p := range pids {
		limits, err := m.read(fmt.Sprintf("proc/%d/limits", p.pid))
		if err != nil {
			all = append(all, unseen(err)...)
			continue
		}
		if soft, hard := limit(limits, "Max core file size"); soft != "0" || hard != "0" {
			all = append(all, Finding{Verdict: Bad, Found: fmt.Sprintf("%s (process %d) may leave a core file: its limit is %s", p.name, p.pid, soft),
				Means: "what it has in memory, a card perhaps, would be on the disk once it crashes", Do: "start it by the units of the package, or report it: it forbids itself that"})
		}
	}
	if all == nil {
		pattern, err := m.read("proc/sys/kernel/core_pattern")
		if err != nil {
			pattern = "unknown"
		}
		all = []Finding{{Verdict: OK, Found: fmt.Sprintf("forbidden to all %d processes of flattone (the kernel's pattern for others is %s)", len(pids), first(pattern))}}
	}
	return all
}

// limit is a row of /proc/PID/limits.
func limit(limits, name string) (soft, hard string) {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if fields := strings.Fields(rest); len(fields) >= 2 {
				return fields[0], fields[1]
			}
		}
	}
	return "unknown", "unknown"
}

type process struct {
	name string
	pid  int
	live bool
}

// pids are our processes, as flattoned knows them.
func (m *Machine) pids() (all []process) {
	if m.Box == nil {
		return nil
	}
	if m.Box.Status.PID > 0 {
		all = append(all, process{"flattoned", m.Box.Status.PID, false})
	}
	for _, l := range m.Box.Lines {
		if l.Up && l.PID > 0 {
			all = append(all, process{"line " + l.Name, l.PID, l.Calls != ""})
		}
	}
	return all
}

// capSysNice is the bit of CAP_SYS_NICE in a set of capabilities: see capabilities(7).
const capSysNice = 1 << 23

// realTime says of each line with live sound that it may have the priority that it needs.
func realTime(_ context.Context, m *Machine) (all []Finding) {
	live := 0
	for _, p := range m.pids() {
		if !p.live {
			continue
		}
		live++
		status, err := m.read(fmt.Sprintf("proc/%d/status", p.pid))
		if err != nil {
			all = append(all, unseen(err)...)
			continue
		}
		_, caps, _ := strings.Cut(status, "CapEff:")
		var set uint64
		if _, err := fmt.Sscanf(caps, "%x", &set); err != nil || set&capSysNice == 0 {
			all = append(all, Finding{Verdict: Bad, Found: fmt.Sprintf("%s (process %d) lacks CAP_SYS_NICE", p.name, p.pid),
				Means: "it has no real-time priority: while the machine is busy its sound has gaps", Do: "start it by the units of the package: systemctl restart flattone.target"})
		}
	}
	switch {
	case m.Box == nil:
		return []Finding{{Verdict: Unseen, Found: "no process of flattone is known"}}
	case all == nil && live == 0:
		return []Finding{{Verdict: OK, Found: "no line with live sound is up that would need it"}}
	case all == nil:
		return []Finding{{Verdict: OK, Found: fmt.Sprintf("granted to %d of %d lines with live sound", live, live)}}
	}
	return all
}

// How little of the disk is too little, in bytes. A card takes about a kilobyte; the log of a database, some megabytes.
const (
	spaceWarn = 1 << 30
	spaceBad  = 64 << 20
)

// disk says whether the state folder has room.
func disk(_ context.Context, m *Machine) []Finding {
	if m.Config == nil {
		return []Finding{{Verdict: Unseen, Found: "the configuration can't be read, so nobody knows where state_dir is"}}
	}
	free, all, err := m.Space(m.path(m.Config.StateDir))
	if err != nil {
		return unseen(err)
	}
	f := Finding{Verdict: OK, Found: fmt.Sprintf("%d MiB of %d are free where %s lies", free>>20, all>>20, m.Config.StateDir)}
	const do = "see what takes the room: du -xh --max-depth=2 / | sort -h | tail"
	switch {
	case free < spaceBad:
		f.Verdict, f.Means, f.Do = Bad, "no card can be stored before long, and no line armed", do
	case free < spaceWarn:
		f.Verdict, f.Means, f.Do = Warn, "once it is full no card is taken", do
	}
	return []Finding{f}
}

// clock says whether the machine's time is kept by others.
func clock(ctx context.Context, m *Machine) []Finding {
	out, err := m.Run(ctx, "timedatectl", "show", "--property=NTPSynchronized", "--value")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return []Finding{{Verdict: Unseen, Found: "there is no timedatectl here that would know"}}
	case err != nil:
		return unseen(fmt.Errorf("timedatectl: %w: %s", err, first(out)))
	case strings.TrimSpace(out) == "yes":
		return []Finding{{Verdict: OK, Found: "synchronised"}}
	}
	return []Finding{{Verdict: Warn, Found: "not synchronised", Means: "the times in the audit log may be wrong (PCI DSS 10.6), and expired cards pass or good ones don't",
		Do: "timedatectl set-ntp true; timedatectl timesync-status"}}
}

// tpm says whether the vault's key can be bound to this machine.
func tpm(_ context.Context, m *Machine) []Finding {
	version, err := m.read("sys/class/tpm/tpm0/tpm_version_major")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{{Verdict: Warn, Found: "none", Means: "the vault's key can only be sealed with a key on this disk: whoever takes the disk has both",
			Do: "switch the TPM on in the firmware's setup, if there is one"}}
	case err != nil:
		return unseen(err)
	case strings.TrimSpace(version) != "2":
		return []Finding{{Verdict: Warn, Found: "version " + first(version), Means: "systemd seals keys with version 2 alone", Do: "switch it to 2.0 in the firmware's setup"}}
	}
	return []Finding{{Verdict: OK, Found: "version 2"}}
}
