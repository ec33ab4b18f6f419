// Package metrics tells Prometheus how the box is, to whoever scrapes a socket of this machine.
//
// It exists so that a fleet is watched without logging in: the conditions that stand, how lines are, what became of
// captures and payments, how deliveries go, what the vault holds. It is off unless the config says where it listens, which is a unix socket or this machine's loopback.
//
// It promises that nothing of a card or a caller is in it: labels are names of lines, codes, kinds and states, numbers are counts and times of the box
// itself. It never listens by itself: it is handed a listener.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Limits of a scrape. What is rude or slow waits or is cut off.
const (
	scrapeTime  = 5 * time.Second
	mostScrapes = 4
	maxHeader   = 8 << 10
)

// Metrics counts, and answers scrapes. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	captures *prometheus.CounterVec
	seals    prometheus.Histogram
	paid     paid
}

// New makes the metrics of a box of that version. look is called at each scrape.
func New(version string, look func(context.Context) Box) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), paid: newPaid(),
		captures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flattone_captures_total",
			Help: "Captures that are over, by the code of how they ended; done is a card in the vault."}, []string{"line", "outcome"}),
		seals: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "flattone_seal_seconds",
			Help:    "Time from a line's card to its durable token: cipher, transaction and flush.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "flattone_build_info", Help: "Which flattoned this is; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(m.captures, m.seals, m.paid.ends, m.paid.acts, m.paid.answers, build, &collector{look: look},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Captured counts a capture that is over.
func (m *Metrics) Captured(line, outcome string) {
	m.captures.WithLabelValues(line, codeOf(outcome)).Inc()
}

// Forget drops the counts of a line that there is no more.
func (m *Metrics) Forget(line string) { m.captures.DeletePartialMatch(prometheus.Labels{"line": line}) }

// Sealed counts a card that is durable, and how long that took.
func (m *Metrics) Sealed(took time.Duration) { m.seals.Observe(took.Seconds()) }

// codeOf is a code, or other: what a line says becomes a label, and a label stays.
func codeOf(text string) string {
	if text == "" || len(text) > 40 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "other"
	}
	return text
}

// Run answers scrapes of /metrics at l until ctx ends, and closes l.
func (m *Metrics) Run(ctx context.Context, l net.Listener, log *slog.Logger) error {
	mux := http.NewServeMux()
	errs := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: errs, ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: mostScrapes, Timeout: scrapeTime}))
	srv := &http.Server{Handler: mux, ReadTimeout: scrapeTime, WriteTimeout: 2 * scrapeTime, IdleTimeout: scrapeTime,
		MaxHeaderBytes: maxHeader, ErrorLog: errs}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer scrapes at %s: %w", l.Addr(), err)
	}
	return nil
}
