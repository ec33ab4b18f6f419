package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Open is how many payments of a gateway are in a state that isn't their end.
type Open struct {
	Gateway, State string
	Count          int
}

var openPayments = describe("payments_open", "Payments that have not ended, by state: unknown are those in doubt.", "gateway", "state")

// paid counts payments that have ended.
type paid struct {
	ends    *prometheus.CounterVec
	acts    *prometheus.CounterVec
	answers *prometheus.HistogramVec
}

func newPaid() paid {
	return paid{
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flattone_payments_total",
			Help: "Payments that have ended, by how and why."}, []string{"gateway", "state", "reason"}),
		acts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flattone_payment_acts_total",
			Help: "Captures, voids and refunds that have ended, by how."}, []string{"gateway", "kind", "state"}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "flattone_payment_answer_seconds",
			Help:    "Time from a card's departure to its provider's answer, where there was one without asking again.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 45}}, []string{"gateway"}),
	}
}

// Paid counts a payment that has ended; reason may be empty.
func (m *Metrics) Paid(gateway, state, reason string) {
	if reason != "" {
		reason = codeOf(reason)
	}
	m.paid.ends.WithLabelValues(gateway, codeOf(state), reason).Inc()
}

// Acted counts a capture, void or refund that has ended.
func (m *Metrics) Acted(gateway, kind, state string) {
	m.paid.acts.WithLabelValues(gateway, codeOf(kind), codeOf(state)).Inc()
}

// Answered notes how long a provider took over a card.
func (m *Metrics) Answered(gateway string, took time.Duration) {
	m.paid.answers.WithLabelValues(gateway).Observe(took.Seconds())
}
