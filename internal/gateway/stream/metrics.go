package stream

import (
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The directions of a stream.
const (
	in  = "in"
	out = "out"
)

// metrics are the streams' numbers for Prometheus.
type metrics struct {
	open    prometheus.GaugeFunc
	events  *prometheus.CounterVec
	latency prometheus.Histogram
	launch  prometheus.Histogram
	bytes   *prometheus.CounterVec
	relay   *prometheus.HistogramVec
}

func newMetrics(s *Streams) *metrics {
	return &metrics{
		open: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "carrel_streams_open", Help: "Streams between browsers and desktops.",
		}, func() float64 { return float64(len(s.all())) }),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carrel_stream_events_total", Help: "What happened to users' connections.",
		}, []string{"event"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carrel_stream_latency_seconds", Help: "How long a browser took to answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
		}),
		launch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carrel_stream_launch_seconds", Help: "From a user's attempt to connect to the first of the screen.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 12),
		}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carrel_stream_bytes_total", Help: "Bytes carried into desktops and out of them.",
		}, []string{"direction"}),
		relay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carrel_stream_relay_seconds", Help: "How long what was read from one side took to be handed to the other.",
			Buckets: prometheus.ExponentialBuckets(0.00001, 4, 10),
		}, []string{"direction"}),
	}
}

// Collectors are what is to be registered with Prometheus.
func (s *Streams) Collectors() []prometheus.Collector {
	m := s.metrics
	return []prometheus.Collector{m.open, m.events, m.latency, m.launch, m.bytes, m.relay}
}

func (m *metrics) count(kind EventKind, took time.Duration) {
	m.events.WithLabelValues(string(kind)).Inc()
	switch kind {
	case Answered:
		m.latency.Observe(took.Seconds())
	case Launched:
		m.launch.Observe(took.Seconds())
	case Attempted, Succeeded, Failed, Disconnected:
	}
}

// leg is one direction of a stream. It measures how long what is read takes to be written.
type leg struct {
	from    io.Reader
	to      io.Writer
	arrived time.Time
	first   func() // called after the first write; nil: nobody wants to know
	bytes   prometheus.Counter
	relay   prometheus.Observer
}

func (m *metrics) leg(direction string, from io.Reader, to io.Writer) *leg {
	return &leg{from: from, to: to, bytes: m.bytes.WithLabelValues(direction), relay: m.relay.WithLabelValues(direction)}
}

// Read reads from the one side.
func (l *leg) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	l.arrived = realTime()
	return n, err //nolint:wrapcheck // it only looks on
}

// Write writes to the other.
func (l *leg) Write(p []byte) (int, error) {
	n, err := l.to.Write(p)
	l.relay.Observe(realTime().Sub(l.arrived).Seconds())
	l.bytes.Add(float64(n))
	if l.first != nil {
		l.first()
		l.first = nil
	}
	return n, err //nolint:wrapcheck // it only looks on
}
