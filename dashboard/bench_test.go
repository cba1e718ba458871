package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"golang.org/x/sync/errgroup"
)

const (
	benchAgents = 1000
	benchFlight = 32
)

// bench is a simulated floor behind a socket and two ways to read it.
type bench struct {
	url    string
	agents []sim.Agent
	client *dashboard.Client
	bare   *http.Client
}

// newBench starts the floor and warms both ways up.
func newBench(b *testing.B) *bench {
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	s := sim.New(sim.Config{Seed: 1, Agents: benchAgents, Now: func() time.Time { return noon }})
	web := httptest.NewServer(s)
	transport := &http.Transport{MaxIdleConnsPerHost: benchFlight, MaxConnsPerHost: benchFlight, DisableCompression: true}
	x := &bench{url: web.URL, agents: s.Agents(), bare: &http.Client{Transport: transport}}
	x.client = dialing(b, web.URL, func(cfg *dashboard.Config) { cfg.MaxInFlight, cfg.RequestsPerSecond = benchFlight, 1e9 })
	b.Cleanup(func() {
		transport.CloseIdleConnections()
		x.client.Close()
		web.Close()
	})
	x.round(b, x.byClient)
	x.round(b, x.byLoop)
	return x
}

// round reads every agent once.
func (x *bench) round(b *testing.B, read func(context.Context, sim.Agent) error) time.Duration {
	start := time.Now()
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(benchFlight)
	for _, a := range x.agents {
		group.Go(func() error { return read(ctx, a) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// byClient reads an agent through the client: decoded, coalesced, cached,
// limited and guarded by the breaker.
func (x *bench) byClient(ctx context.Context, a sim.Agent) error {
	_, err := x.client.Counters(ctx, of(a))
	return err
}

// byLoop reads an agent as the shortest correct program would, decoding nothing.
func (x *bench) byLoop(ctx context.Context, a sim.Agent) error {
	body := fmt.Sprintf(`{"userId":%q,"token":%q}`, a.UserID, a.Token)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url+"/api/v2/agentDashboard/counters", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := x.bare.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

// BenchmarkClient reads 1,000 agents through the client. Each round has one of
// the bare loop beside it; the ratio is the median over all pairs, which other
// work on the machine disturbs least.
func BenchmarkClient(b *testing.B) {
	x := newBench(b)
	var ratios []float64
	for b.Loop() {
		ours := x.round(b, x.byClient)
		b.StopTimer()
		ratios = append(ratios, float64(ours)/float64(x.round(b, x.byLoop)))
		b.StartTimer()
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	s := x.client.Stats()
	b.ReportMetric(float64(s.Dials), "dials")
}

// BenchmarkBareHTTP reads 1,000 agents by the bare loop.
func BenchmarkBareHTTP(b *testing.B) {
	x := newBench(b)
	for b.Loop() {
		x.round(b, x.byLoop)
	}
}

// BenchmarkCached reads one agent whose answer is in the cache.
func BenchmarkCached(b *testing.B) {
	c := client(b, server(func(*http.Request) (*http.Response, error) { return reply(200, good), nil }),
		func(cfg *dashboard.Config) { cfg.CacheFor = time.Hour })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Counters(b.Context(), query("asha")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall reads one agent without cache and without network: what the
// client itself costs.
func BenchmarkCall(b *testing.B) {
	c := client(b, server(func(*http.Request) (*http.Response, error) { return reply(200, good), nil }),
		func(cfg *dashboard.Config) { cfg.RequestsPerSecond = 1e9 })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Counters(b.Context(), fresh("asha")); err != nil {
			b.Fatal(err)
		}
	}
}
