package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
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
	fmt.Fprintf(w, "vault     %s, its key from: %s\n", clean(s.StateDir), clean(s.KeyKind))
	caution(w, s.KeyWarning)
	waiting := "everything delivered"
	if s.UpstreamPending > 0 {
		waiting = plural(s.UpstreamPending, "event") + " waiting"
	}
	if s.Upstream != "" {
		waiting = clean(s.Upstream) + ", " + waiting
	}
	fmt.Fprintf(w, "upstream  %s\n", waiting)
	if s.UpstreamError != "" {
		caution(w, "the last delivery failed: "+s.UpstreamError)
	}
	for _, l := range s.Lines {
		fmt.Fprintln(w)
		paragraph(w, clean(l.Name)+" ", inBrief(l))
		paragraph(w, "", l.Scope)
		for _, c := range l.Consequences {
			caution(w, c)
		}
	}
}

func printLines(w io.Writer, lines []control.Line) {
	if len(lines) == 0 {
		fmt.Fprintln(w, "no line is configured")
	}
	for i, l := range lines {
		if i > 0 {
			fmt.Fprintln(w)
		}
		paragraph(w, clean(l.Name)+" ", inBrief(l))
		if l.Up {
			fmt.Fprintf(w, "          caller %.0f dBm0, agent %.0f dBm0, to the agent: %s\n", l.CallerDBm0, l.AgentDBm0, hears(l.MaskedPermille))
		}
		paragraph(w, "", l.Scope)
		for _, c := range l.Consequences {
			caution(w, c)
		}
		fmt.Fprintf(w, "          idle %s, shield %s, look-ahead %d ms\n", clean(l.Idle), clean(l.Shield), l.LookAheadMS)
		if l.Up {
			fmt.Fprintf(w, "          process %d up since %s, %s\n", l.PID, moment(l.UpSince), plural(l.Restarts, "restart"))
		} else {
			fmt.Fprintf(w, "          %s\n", plural(l.Restarts, "restart"))
		}
	}
}

// inBrief is the one thing to know of a line.
func inBrief(l control.Line) string {
	if !l.Up {
		return "DOWN: " + downBecause(l.Reason)
	}
	call := "no call"
	if l.InCall {
		call = "in a call"
	}
	return fmt.Sprintf("%s: %s; %s", clean(l.State), outcome(control.Event{State: l.State, Reason: l.Reason}), call)
}

// caution sets something apart that the owner should know.
func caution(w io.Writer, text string) {
	if text != "" {
		paragraph(w, "        ! ", text)
	}
}

// paragraph prints text in lines of a page's width that hang below its head.
func paragraph(w io.Writer, head, text string) {
	head = fmt.Sprintf("%-*s", hang, head)
	for line := range strings.SplitSeq(lipgloss.Wrap(clean(text), pageWidth-hang, ""), "\n") {
		fmt.Fprintln(w, head+strings.TrimSpace(line))
		head = strings.Repeat(" ", hang)
	}
}

func printArmed(w io.Writer, a armed) {
	fmt.Fprintf(w, "%s: armed, waiting for the caller's first key (capture %s)\n", clean(a.Line), clean(a.Capture))
}

func printCaptured(w io.Writer, a armed) {
	fmt.Fprintf(w, "%s: %s\n", clean(a.Line),
		sentence(control.Event{Kind: control.KindToken, Token: a.Token, Brand: a.Brand, Last4: a.Last4}))
}

func printTokens(w io.Writer, tokens []control.Token) {
	if len(tokens) == 0 {
		fmt.Fprintln(w, "no token yet")
		return
	}
	table(w, []string{"TOKEN", "CARD", "EXPIRES", "LINE", "SINCE"}, tokens, func(k control.Token) []string {
		expires := "-"
		if k.ExpiryMonth != 0 {
			expires = fmt.Sprintf("%02d/%04d", k.ExpiryMonth, k.ExpiryYear)
		}
		return []string{k.Token, card(k.Brand, k.Last4), expires, k.Line, moment(k.Created)}
	})
}

func printAudit(w io.Writer, log []control.AuditEntry) {
	if len(log) == 0 {
		fmt.Fprintln(w, "the audit log is empty")
		return
	}
	table(w, []string{"NO", "TIME", "WHO", "DID", "TO", "RESULT", "BY WAY OF"}, log, func(a control.AuditEntry) []string {
		return []string{fmt.Sprint(a.Seq), moment(a.Time), a.Actor, a.Action, a.Object, a.Result, a.Origin}
	})
}

// table prints rows under a head, in columns.
func table[T any](w io.Writer, head []string, entries []T, row func(T) []string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	for _, e := range entries {
		cells := row(e)
		for i := range cells {
			cells[i] = clean(cells[i])
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
}

// moment is a time to a technician: local, to the second.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
