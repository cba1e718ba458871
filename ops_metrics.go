package main

import (
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// metrics are the program's numbers for Prometheus. Names follow its
// conventions; no label holds a person's id or a secret.
//
// What others count anyway is read when somebody scrapes, see ops_collect.go.
type metrics struct {
	registry *prometheus.Registry
	commands *prometheus.HistogramVec
	sent     *prometheus.CounterVec
	reloads  *prometheus.CounterVec
}

// newMetrics makes the registry.
func newMetrics(health *Health) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "floorwalker_command_duration_seconds",
			Help:    "How long the first answer to a request took, by command and result (ok, refused, failed).",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"command", "result"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "floorwalker_deliveries_total",
			Help: "Attempts to deliver a message, by network, lane (notice, alert, digest) and the state they left it in (sent, pending, dead).",
		}, []string{"network", "lane", "state"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "floorwalker_config_reloads_total",
			Help: "Times the configuration was loaded anew, by result (ok, refused).",
		}, []string{"result"}),
	}
	for _, result := range []string{"ok", "refused"} {
		m.reloads.WithLabelValues(result)
	}
	m.registry.MustRegister(m.commands, m.sent, m.reloads,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildCollector(), readyCollector(health))
	return m
}

// Command counts a request. It is what the bot sees of the metrics.
func (m *metrics) Command(name, result string, took time.Duration) {
	m.commands.WithLabelValues(name, result).Observe(took.Seconds())
}

// Delivery counts an attempt to deliver a message.
func (m *metrics) Delivery(network, lane, state string) {
	m.sent.WithLabelValues(network, lane, state).Inc()
}

// expect has the deliveries of some networks begin at zero: what begins with its
// first event has not risen by it, so that no alert sees the first message lost.
func (m *metrics) expect(adapters []chat.Adapter) {
	for _, a := range adapters {
		for _, lane := range laneNames {
			for _, state := range []bot.RowState{bot.RowSent, bot.RowPending, bot.RowDead} {
				m.sent.WithLabelValues(string(a.Network()), lane, string(state))
			}
		}
	}
}

// reloaded counts an attempt to load the configuration anew.
func (m *metrics) reloaded(ok bool) {
	result := "refused"
	if ok {
		result = "ok"
	}
	m.reloads.WithLabelValues(result).Inc()
}

// A family is a metric with a fixed set of labels.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// gauge is a family of values that rise and fall. Names get the program's prefix.
func gauge(name, help string, labels ...string) family {
	return family{prometheus.NewDesc("floorwalker_"+name, help, labels, nil), prometheus.GaugeValue}
}

// counter is a family of values that only rise.
func counter(name, help string, labels ...string) family {
	return family{prometheus.NewDesc("floorwalker_"+name, help, labels, nil), prometheus.CounterValue}
}

// put hands over one value of a family.
type put func(f family, value float64, labels ...string)

// A collector reads values when somebody scrapes.
type collector struct {
	families []family
	read     func(put)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.families {
		ch <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.read(func(f family, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
	})
}

// yes is how a claim is written as a number.
func yes(claim bool) float64 {
	if claim {
		return 1
	}
	return 0
}

// stamp is how a time is written as a number.
func stamp(at time.Time) float64 { return float64(at.UnixMilli()) / 1e3 }

// buildCollector says which program this is.
func buildCollector() prometheus.Collector {
	info := gauge("build_info", "Always 1; the labels say which version this is.", "version", "revision", "goversion")
	version, revision, goversion := "unknown", "unknown", "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		version, goversion = build.Main.Version, build.GoVersion
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return collector{[]family{info}, func(put put) { put(info, 1, version, revision, goversion) }}
}

// readyCollector says what /readyz says.
func readyCollector(health *Health) prometheus.Collector {
	ready := gauge("ready", "1 if nothing is wrong, else 0; /readyz says what is.")
	unready := gauge("unready", "1 for each part with which something is wrong.", "part")
	return collector{[]family{ready, unready}, func(put put) {
		reasons := health.Reasons(time.Now())
		put(ready, yes(len(reasons) == 0))
		for part := range reasons {
			put(unready, 1, part)
		}
	}}
}
