package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"carrel/internal/awsjson"
)

// metrics counts requests for Prometheus, beside what others count.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(others ...prometheus.Collector) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carrel_requests_total", Help: "API requests by operation and outcome.",
		}, []string{"service", "operation", "exception"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carrel_request_seconds", Help: "How long API requests took.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
		}, []string{"service", "operation"}),
	}
	m.registry.MustRegister(m.requests, m.duration, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(others...)
	return m
}

func (m *metrics) observe(x awsjson.Exchange) {
	m.requests.WithLabelValues(x.Service, x.Operation, x.Exception).Inc()
	m.duration.WithLabelValues(x.Service, x.Operation).Observe(x.Duration.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
