package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// The page: its width in columns, and how far what belongs to a name hangs in.
const (
	pageWidth = 80
	hang      = 10
)

// printer writes v for people.
type printer[T any] = func(w io.Writer, v T)

func printStatus(w io.Writer, s boxStatus) {
	fmt.Fprintf(w, "flattoned %s, up since %s\n\n", clean(s.Version), moment(s.Started))
	fmt.Fprintf(w, "lines     %d of %d up\n", s.LinesUp, s.LinesTotal)
	fmt.Fprintf(w, "vault     %s, its key from: %s\n", clean(s.StateDir), keyFrom(s.KeyKind))
	for i, d := range s.Destinations {
		name := ""
		if i == 0 {
			name = "upstream"
		}
		paragraph(w, hang, name, toldHow(d, s.UpstreamPending))
	}
	conditions(w, s.of(""))
	for _, l := range s.Lines {
		fmt.Fprintln(w)
		paragraph(w, hang, clean(l.Name)+" ", inBrief(l))
		paragraph(w, hang, "", l.Scope)
		cautions(w, s, l)
	}
}

func printLines(w io.Writer, s boxStatus) {
	lines := s.Lines
	if len(lines) == 0 {
		fmt.Fprintln(w, "no line is configured")
	}
	for i, l := range lines {
		if i > 0 {
			fmt.Fprintln(w)
		}
		paragraph(w, hang, clean(l.Name)+" ", inBrief(l))
		if l.Up {
			fmt.Fprintf(w, "          caller %.0f dBm0, agent %.0f dBm0, to the agent: %s\n", l.CallerDBm0, l.AgentDBm0, hearsOf(l))
			for _, known := range words(noise(l.Legs), clipped(l.Legs)) {
				paragraph(w, hang, "", known)
			}
		}
		paragraph(w, hang, "", l.Scope)
		cautions(w, s, l)
		fmt.Fprintf(w, "          idle %s, shield %s, look-ahead %d ms%s\n", clean(l.Idle), clean(l.Shield), l.LookAheadMS, toldBy(l.Calls))
		if l.GainToAgentDB != 0 || l.GainToCallerDB != 0 {
			fmt.Fprintf(w, "          gain %+g dB to the agent, %+g dB to the caller\n", l.GainToAgentDB, l.GainToCallerDB)
		}
		if l.Up {
			fmt.Fprintf(w, "          process %d up since %s, %s\n", l.PID, moment(l.UpSince), plural(l.Restarts, "restart"))
		} else {
			fmt.Fprintf(w, "          %s\n", plural(l.Restarts, "restart"))
		}
	}
}

// toldBy says who tells a line of its calls, unless it needs nobody.
func toldBy(source string) string {
	if source == "" {
		return ""
	}
	return ", calls by " + clean(source)
}

// inBrief is the one thing to know of a line, but for what is wrong with it.
func inBrief(l control.Line) string {
	if !l.Up {
		return "DOWN"
	}
	call := "no call"
	switch {
	case l.InCall && l.Bound != "":
		call = "in a call of agent " + clean(l.Bound) + "'s"
	case l.InCall:
		call = "in a call"
	case l.Ringing:
		call = rings(true, l.Number)
	}
	now := control.Event{State: l.State, Reason: l.Reason}
	if l.State == control.StateHeld { // why is what stands below it
		now.Reason = ""
	}
	return fmt.Sprintf("%s: %s; %s", clean(l.State), outcome(now), call)
}

// cautions are what an owner should know of a line: what its settings cost him, and what is wrong with it.
func cautions(w io.Writer, s boxStatus, l control.Line) {
	for _, c := range l.Consequences {
		caution(w, c)
	}
	conditions(w, s.of(l.Name))
}

// conditions prints what is wrong, and below it what to do.
func conditions(w io.Writer, standing []health.Condition) {
	for _, c := range standing {
		refuse(w, fmt.Sprintf("%s, %s: %s", c.Severity, c.Code, withDetail(c.Words, c.Detail)), c.Remedy)
	}
}

// caution sets something apart that the owner should know.
func caution(w io.Writer, text string) {
	if text != "" {
		paragraph(w, hang, "        ! ", text)
	}
}

// refuse says what is wrong with an answer, or a thing, and what to do about it.
func refuse(w io.Writer, what, remedy string) {
	caution(w, what)
	if remedy != "" {
		paragraph(w, hang, "        > ", remedy)
	}
}

// paragraph prints text in lines of a page's width that hang below its head.
func paragraph(w io.Writer, hang int, head, text string) {
	head = fmt.Sprintf("%-*s", hang, head)
	for line := range strings.SplitSeq(lipgloss.Wrap(clean(text), pageWidth-hang, ""), "\n") {
		fmt.Fprintln(w, head+strings.TrimSpace(line))
		head = strings.Repeat(" ", hang)
	}
}

func printArmed(w io.Writer, a armed) {
	if a.Test {
		fmt.Fprintf(w, wordsRehearsing+"\n", clean(a.Line), clean(a.Capture))
		return
	}
	fmt.Fprintf(w, "%s: armed, waiting for the caller's first key (capture %s)\n", clean(a.Line), clean(a.Capture))
}

func printCaptured(w io.Writer, a armed) {
	if a.Test {
		fmt.Fprintln(w, strings.Join(words(clean(a.Line), wordsRehearsed, card(a.Brand, a.Last4)), ": "))
		return
	}
	stored := sentence(control.Event{Kind: control.KindToken, Token: a.Token})
	fmt.Fprintln(w, strings.Join(words(clean(a.Line), stored, card(a.Brand, a.Last4)), ": "))
}

func printTokens(w io.Writer, tokens []control.Token) {
	if len(tokens) == 0 {
		fmt.Fprintln(w, "no token yet")
		return
	}
	table(w, []string{"CARD", "EXPIRES", "LINE", "SINCE"}, tokens, func(k control.Token) (row []string, below string) {
		expires := "-"
		if k.ExpiryMonth != 0 {
			expires = fmt.Sprintf("%02d/%04d", k.ExpiryMonth, k.ExpiryYear)
		}
		return []string{card(k.Brand, k.Last4), expires, k.Line, moment(k.Created)}, k.Token + ", " + fate(k)
	})
}

func printHolds(w io.Writer, held []control.Token) {
	if len(held) == 0 {
		fmt.Fprintln(w, "nothing is on hold")
		return
	}
	printTokens(w, held)
}

func printAudit(w io.Writer, log []control.AuditEntry) {
	if len(log) == 0 {
		fmt.Fprintln(w, "the audit log is empty")
		return
	}
	table(w, []string{"NO", "TIME", "WHO", "DID", "RESULT"}, log, func(a control.AuditEntry) (row []string, below string) {
		result, why := a.Result, ""
		if strings.Contains(result, " ") { // not a word but the reason why not
			result, why = "failed", ": "+result
		}
		clock := ""
		if a.Clock != "synchronised" {
			clock = "clock " + a.Clock
		}
		below = strings.Join(words(a.Object, a.Origin, clock), ", ") + why
		return []string{fmt.Sprint(a.Seq), moment(a.Time), a.Actor, a.Action, result}, below
	})
}

// table prints rows under a head, in columns, and what would make them too wide for a page below each.
func table[T any](w io.Writer, head []string, entries []T, row func(T) (cells []string, below string)) {
	var rows bytes.Buffer
	tw := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	below := make([]string, len(entries))
	for i, e := range entries {
		var cells []string
		cells, below[i] = row(e)
		for k := range cells {
			cells[k] = clean(cells[k])
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
	const indent = 4
	for i, line := range slices.Collect(strings.Lines(rows.String())) {
		io.WriteString(w, line)
		if i > 0 {
			paragraph(w, indent, "", below[i-1])
		}
	}
}

// moment is a time to a technician: local, to the second.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// keyFrom says what is known of the vault's key.
func keyFrom(kind string) string {
	switch kind {
	case control.KeyTPM:
		return "this machine's TPM"
	case control.KeyHost:
		return "a credential of systemd, sealed by the host's key alone: whoever copies this disk can read every card"
	case control.KeyCredential:
		return "a credential of systemd, sealed by a TPM or by the host's key alone: flattoned can't see which"
	case control.KeyHSM:
		return "an HSM"
	}
	return clean(kind)
}
