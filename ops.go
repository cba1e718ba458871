package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"floorwalker/adapters/discord"
	"floorwalker/adapters/slack"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// Health is why the program is not ready, by part. Parts report what is wrong
// with them and take it back; with nothing wrong, the program is ready.
type Health struct {
	mu    sync.Mutex
	wrong map[string]string
}

// Set records what is wrong with a part; "" says that it is well.
func (h *Health) Set(part, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if reason == "" {
		delete(h.wrong, part)
		return
	}
	if h.wrong == nil {
		h.wrong = map[string]string{}
	}
	h.wrong[part] = reason
}

// Reasons returns what is wrong, by part.
func (h *Health) Reasons() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.wrong)
}

// lookEvery is how often readiness is looked at.
const lookEvery = 5 * time.Second

// follow keeps readiness true to what the loops and the networks report, until
// ctx ends. It looks at memory only, so that it is cheap.
func (h *Health) follow(ctx context.Context, b *bot.Bot, adapters []chat.Adapter) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			h.look(b, adapters, now)
		}
	}
}

// look sets what is wrong with each part.
func (h *Health) look(b *bot.Bot, adapters []chat.Adapter, now time.Time) {
	w := b.WatchStatus()
	h.Set("watch", late("the last round of polls", w.Round.Add(w.Interval), 2*w.Interval+time.Minute, now))
	h.Set("digests", late("the digest loop's last look", w.Digests, 2*time.Minute, now))
	h.Set("disk", "")
	if w.NoDisk {
		h.Set("disk", "full: numbers are not saved")
	}
	for _, d := range b.DeliveryStatus() {
		part := "delivery on " + string(d.Network)
		switch {
		case d.Held != "":
			h.Set(part, "held: "+d.Held)
		case len(d.Barred) > 0:
			h.Set(part, barred(d.Barred))
		default:
			h.Set(part, late("the last round", d.Beat, 2*time.Minute, now))
		}
	}
	for _, a := range adapters {
		healthy, ok := a.(interface{ Healthy() error })
		if !ok {
			continue
		}
		reason := ""
		if err := healthy.Healthy(); err != nil {
			reason = err.Error()
		}
		h.Set("connection to "+string(a.Network()), reason)
	}
}

// barred says which addresses the bot may not write to, and what to do.
func barred(list []bot.Barred) string {
	var each []string
	for _, b := range list {
		each = append(each, fmt.Sprintf("held for %s: %s", b.To, b.Reason))
	}
	return strings.Join(each, "; ")
}

// late says that something is too long ago; a zero time has not come yet.
func late(what string, at time.Time, limit time.Duration, now time.Time) string {
	if age := now.Sub(at); !at.IsZero() && age > limit {
		return fmt.Sprintf("%s was %s ago", what, age.Round(time.Second))
	}
	return ""
}

// metrics are the program's numbers for Prometheus. No label holds a person's
// id or a secret.
type metrics struct {
	registry *prometheus.Registry
	commands *prometheus.HistogramVec
	sent     *prometheus.CounterVec
}

// newMetrics makes the registry. The API's and the store's numbers are read when
// somebody scrapes.
func newMetrics(health *Health) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "floorwalker_command_duration_seconds",
			Help:    "How long the first answer to a request took, by command and result (ok, refused, failed).",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"command", "result"}),
	}
	m.sent = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "floorwalker_deliveries_total",
		Help: "Attempts to deliver a message, by network, lane (notice, alert, digest) and the state they left it in (sent, pending, dead).",
	}, []string{"network", "lane", "state"})
	m.registry.MustRegister(m.commands, m.sent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "floorwalker_ready", Help: "1 if nothing is wrong, else 0; /readyz says what is."},
			func() float64 {
				if len(health.Reasons()) > 0 {
					return 0
				}
				return 1
			}))
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

// follow adds the networks' own numbers, read when somebody scrapes.
func (m *metrics) follow(adapters []chat.Adapter) {
	for _, a := range adapters {
		switch a := a.(type) {
		case *slack.Adapter:
			m.registry.MustRegister(networkCollector(func() networkStats {
				s := a.Stats()
				return networkStats{"slack", s.Open, s.Connects, s.LastHello, s.Redelivered, s.Dropped, s.Calls, s.Limited}
			}))
		case *discord.Adapter:
			m.registry.MustRegister(networkCollector(func() networkStats {
				s := a.Stats()
				open := 0
				if s.Connected {
					open = 1
				}
				return networkStats{"discord", open, s.Connects, s.LastHeard, 0, s.Dropped, s.Calls, s.Limited}
			}))
		}
	}
}

// networkStats are the numbers that all networks have.
type networkStats struct {
	network              string
	open                 int
	connects             int64
	heard                time.Time
	redelivered, dropped int64
	calls, limited       map[string]int64
}

// networkCollector makes metrics of what a function reads.
type networkCollector func() networkStats

// Describe implements prometheus.Collector; the metrics are checked when they
// are collected.
func (networkCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c networkCollector) Collect(ch chan<- prometheus.Metric) {
	s := c()
	one := func(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
		names := []string{"network", "method"}[:1+len(labels)]
		d := prometheus.NewDesc("floorwalker_network_"+name, help, names, nil)
		ch <- prometheus.MustNewConstMetric(d, kind, v, append([]string{s.network}, labels...)...)
	}
	one(prometheus.GaugeValue, "connections", "Connections that work.", float64(s.open))
	one(prometheus.CounterValue, "connects_total", "Connections that were opened.", float64(s.connects))
	if !s.heard.IsZero() {
		one(prometheus.GaugeValue, "heard_timestamp_seconds", "When the network last greeted or answered a connection.", float64(s.heard.Unix()))
	}
	one(prometheus.CounterValue, "events_redelivered_total", "Events that the network delivered again.", float64(s.redelivered))
	one(prometheus.CounterValue, "events_dropped_total", "Events that were not taken: no room, or not understood.", float64(s.dropped))
	for method, n := range s.calls {
		one(prometheus.CounterValue, "calls_total", "Calls of the network's API, by method.", float64(n), method)
	}
	for method, n := range s.limited {
		one(prometheus.CounterValue, "calls_limited_total", "Of them, answered with 429.", float64(n), method)
	}
}

// sourceCollector reads the API client's own counters.
type sourceCollector struct {
	client                           *dashboard.Client
	calls, cached, flying, dials, up *prometheus.Desc
}

func newSourceCollector(c *dashboard.Client) *sourceCollector {
	return &sourceCollector{
		client: c,
		calls:  prometheus.NewDesc("floorwalker_api_calls_total", "Calls of the counters API, by result: ok or the class of the error.", []string{"result"}, nil),
		cached: prometheus.NewDesc("floorwalker_api_cache_hits_total", "Questions answered from the cache.", nil, nil),
		flying: prometheus.NewDesc("floorwalker_api_in_flight", "Calls of the counters API under way.", nil, nil),
		dials:  prometheus.NewDesc("floorwalker_api_dials_total", "Connections opened to the counters API.", nil, nil),
		up:     prometheus.NewDesc("floorwalker_api_breaker_closed", "1 while calls are let through, 0 while the API is left alone after failures.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (s *sourceCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.calls, s.cached, s.flying, s.dials, s.up} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *sourceCollector) Collect(ch chan<- prometheus.Metric) {
	st := s.client.Stats()
	ch <- prometheus.MustNewConstMetric(s.calls, prometheus.CounterValue, float64(st.Answers), "ok")
	for class, n := range st.Errors {
		ch <- prometheus.MustNewConstMetric(s.calls, prometheus.CounterValue, float64(n), class.String())
	}
	closed := 0.0
	if st.Breaker == "closed" {
		closed = 1
	}
	ch <- prometheus.MustNewConstMetric(s.cached, prometheus.CounterValue, float64(st.CacheHits))
	ch <- prometheus.MustNewConstMetric(s.flying, prometheus.GaugeValue, float64(st.InFlight))
	ch <- prometheus.MustNewConstMetric(s.dials, prometheus.CounterValue, float64(st.Dials))
	ch <- prometheus.MustNewConstMetric(s.up, prometheus.GaugeValue, closed)
}

// opsHandler serves what machines ask: /healthz while the process runs, /readyz
// with the reasons if something is wrong, /metrics.
func opsHandler(health *Health, m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		reasons := health.Reasons()
		w.Header().Set("Content-Type", "application/json")
		if len(reasons) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(map[string]any{"ready": len(reasons) == 0, "reasons": sortedReasons(reasons)})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// sortedReasons writes "part: reason" lines, sorted.
func sortedReasons(reasons map[string]string) []string {
	lines := []string{}
	for _, part := range slices.Sorted(maps.Keys(reasons)) {
		lines = append(lines, part+": "+reasons[part])
	}
	return lines
}

// serveHTTP serves a handler on a listener until ctx ends, then lets requests
// under way finish for at most five seconds.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(grace)
	})
	err := server.Serve(l)
	if !stop() {
		<-closed
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// version returns the program's version: the module's, or the revision it was
// built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
