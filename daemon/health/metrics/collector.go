package metrics

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flattone/flattone/daemon/health"
)

// Box is how the box is at a scrape.
type Box struct {
	Conditions []health.Condition
	Lines      []Line
	// Destinations are who is told upstream.
	Destinations []Destination
	// Open are the payments that haven't ended; none if the store doesn't say.
	Open []Open
	// Vault is nil if the store doesn't say.
	Vault *Vault
}

// Line is how a line is.
type Line struct {
	Name           string
	Up, InCall     bool
	State          string
	Restarts       int
	MaskedPermille int
}

// Destination is how the way to one who is told upstream is.
type Destination struct {
	Name string
	// Pending events wait to be delivered, the first since Oldest; -1 is not known, as the store doesn't say. Dead are those of them that a technician has to see to.
	Pending, Dead int
	Oldest        time.Time
	// Delivered and Failed count attempts.
	Delivered, Failed int64
}

// states are all that a line can be in: each is a series of its own, so that none is missed between two scrapes.
var states = []string{"idle", "armed", "keying", "done", "void", "held", "tuning", "testing"}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("flattone_"+name, help, labels, nil)
}

var (
	condition = describe("condition", "An unhealthy state that stands; there is no series while it doesn't. line is empty for the box.", "code", "line", "severity")
	up        = describe("line_up", "Whether the line's process runs and has said hello.", "line")
	inCall    = describe("line_in_call", "Whether there is a call on the line.", "line")
	state     = describe("line_state", "1 for the state that the line is in, 0 for the others.", "line", "state")
	restarts  = describe("line_restarts_total", "How often the line's process had to be started again.", "line")
	masked    = describe("line_masked_ratio", "Share of the last tenth of a second in which the agent heard a synthesised sound.", "line")
	pending   = describe("deliveries_pending", "Events that a destination upstream has not taken yet.", "destination")
	dead      = describe("deliveries_dead", "Those of them that were refused for good or given up, and wait for a technician.", "destination")
	attempts  = describe("delivery_attempts_total", "Attempts to deliver an event upstream, by result.", "destination", "result")
	oldest    = describe("delivery_oldest_seconds", "How long the first of them has waited.", "destination")
)

// collector looks at the box once a scrape.
type collector struct {
	look func(context.Context) Box
}

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range slices.Concat([]*prometheus.Desc{condition, up, inCall, state, restarts, masked, pending, dead, oldest, attempts, openPayments}, vaultDescs) {
		to <- d
	}
}

func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	box := c.look(ctx)
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, c := range box.Conditions {
		gauge(condition, 1, string(c.Code), c.Line, c.Severity.String())
	}
	for _, l := range box.Lines {
		gauge(up, truth(l.Up), l.Name)
		gauge(inCall, truth(l.InCall), l.Name)
		gauge(masked, float64(l.MaskedPermille)/1000, l.Name)
		for _, s := range states {
			gauge(state, truth(s == l.State), l.Name, s)
		}
		to <- prometheus.MustNewConstMetric(restarts, prometheus.CounterValue, float64(l.Restarts), l.Name)
	}
	for _, o := range box.Open {
		gauge(openPayments, float64(o.Count), o.Gateway, o.State)
	}
	if box.Vault != nil {
		box.Vault.collect(to)
	}
	for _, d := range box.Destinations {
		to <- prometheus.MustNewConstMetric(attempts, prometheus.CounterValue, float64(d.Delivered), d.Name, "delivered")
		to <- prometheus.MustNewConstMetric(attempts, prometheus.CounterValue, float64(d.Failed), d.Name, "failed")
		if d.Pending < 0 {
			continue
		}
		gauge(pending, float64(d.Pending), d.Name)
		gauge(dead, float64(d.Dead), d.Name)
		gauge(oldest, age(d.Oldest), d.Name)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
