package bot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

const benchFlight = 32 // requests at the same time

// A plant is a bot on a real store, a simulated floor behind a socket, and the
// bare way to read it.
type plant struct {
	b      *testing.B
	dir    string
	floor  *sim.Sim
	url    string
	bare   *http.Client
	store  *timedStore
	client *dashboard.Client
	gate   *gate
	bot    *bot.Bot
	ids    []bot.AgentID
	stop   func() // ends the watch; nil: it does not run
}

// timedStore takes the time of what a watch writes.
type timedStore struct {
	*store.Store
	mu      sync.Mutex    // guards what follows
	samples int           // stored
	writes  int           // under way
	since   time.Time     // when the first of those began
	took    time.Duration // in which something was written: two files may be at once
	full    chan struct{} // closed when there are as many samples as want
	want    int
}

func (s *timedStore) timed(write func() error) error {
	s.mu.Lock()
	if s.writes++; s.writes == 1 {
		s.since = time.Now()
	}
	s.mu.Unlock()
	err := write()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes--; s.writes == 0 {
		s.took += time.Since(s.since)
	}
	return err
}

// AppendHistory stores samples.
func (s *timedStore) AppendHistory(samples []bot.AgentSample) error {
	err := s.timed(func() error { return s.Store.AppendHistory(samples) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples += len(samples)
	return err
}

// Update runs a transaction; with it a batch of polls is committed.
func (s *timedStore) Update(f func(bot.Tx) error) error {
	err := s.timed(func() error { return s.Store.Update(f) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.samples >= s.want && s.full != nil {
		close(s.full)
		s.full = nil
	}
	return err
}

// await makes the store say when so many samples are stored and committed.
func (s *timedStore) await(samples int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples, s.want, s.took, s.full = 0, samples, 0, make(chan struct{})
	return s.full
}

// plantConfig is a team that works round the clock.
func plantConfig(b *testing.B) bot.Config {
	c := siteConfig(b)
	rota := schedule.Rota{Team: "support", Zone: time.UTC, Shifts: []schedule.Shift{{Name: "all", Days: schedule.EveryDay}}}
	t := &c.Teams[0]
	t.Zone, t.Rota, t.Members = time.UTC, rota, nil
	t.Digests = []bot.Digest{{Name: "week", Schedule: schedule.Digest{
		Rota: rota, Days: schedule.On(time.Monday), Times: []schedule.TimeOfDay{0}, Covers: schedule.CoverSinceLast, CatchUp: time.Hour,
	}}}
	c.PollInterval, c.RequestsPerSecond, c.MaxInFlight = time.Second, 1e9, benchFlight
	return c
}

// newPlant links so many agents.
func newPlant(b *testing.B, agents int) *plant {
	before := debug.SetGCPercent(200) // as serve does
	b.Cleanup(func() { debug.SetGCPercent(before) })
	p := &plant{b: b, dir: b.TempDir(), floor: sim.New(sim.Config{Seed: 1, Agents: agents})}
	p.url = floorProcess(b, agents)
	transport := &http.Transport{MaxIdleConnsPerHost: benchFlight, MaxConnsPerHost: benchFlight, DisableCompression: true}
	p.bare = &http.Client{Transport: transport}
	p.open()
	var links []bot.Link
	for i, a := range p.floor.Agents() {
		at := person(fmt.Sprint("p", i))
		links = append(links, bot.Link{
			Address: at, Name: a.Name, Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
			State: bot.LinkActive, Teams: []string{"support"}, Audit: bot.AuditEntry{Actor: "cli:0", Action: "link", Object: at.String()},
		})
	}
	linked, err := p.store.LinkAll(links)
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range linked {
		p.ids = append(p.ids, l.Agent.ID)
	}
	b.Cleanup(func() {
		if p.stop != nil {
			p.stop()
		}
		transport.CloseIdleConnections()
		p.close()
	})
	return p
}

// floorAgents is in the environment of the process that simulates a floor for a
// benchmark: how many agents.
const floorAgents = "FLOORWALKER_TEST_FLOOR"

// TestFloorProcess is the simulated floor, in a process of its own: so the memory
// and the garbage of the simulation are not measured. It prints its address and
// ends with its input.
func TestFloorProcess(t *testing.T) {
	agents, err := strconv.Atoi(os.Getenv(floorAgents))
	if err != nil {
		return // nobody asked for it
	}
	web := httptest.NewServer(sim.New(sim.Config{Seed: 1, Agents: agents}))
	defer web.Close()
	fmt.Println("floor at", web.URL)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Error(err)
	}
}

// floorProcess starts a floor and returns its address.
func floorProcess(b *testing.B, agents int) string {
	cmd := exec.Command(os.Args[0], "-test.run=^TestFloorProcess$")
	cmd.Env = append(os.Environ(), fmt.Sprint(floorAgents, "=", agents))
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	address := ""
	if _, err := fmt.Fscanf(out, "floor at %s\n", &address); err != nil {
		b.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	return address
}

func (p *plant) open() {
	st, err := store.Open(store.Config{Path: filepath.Join(p.dir, "floor.db"), Key: secret.New(key)})
	if err != nil {
		p.b.Fatal(err)
	}
	p.store = &timedStore{Store: st}
	p.client, err = dashboard.New(dashboard.Config{BaseURL: p.url, MaxInFlight: benchFlight, RequestsPerSecond: 1e9})
	if err != nil {
		p.b.Fatal(err)
	}
	p.gate = &gate{Source: p.client}
	p.gate.open = sync.NewCond(&p.gate.mu)
	p.bot = bot.New(plantConfig(p.b), p.gate, p.store, nothing{}, slog.New(slog.DiscardHandler))
}

func (p *plant) close() {
	p.client.Close()
	if err := p.store.Close(); err != nil {
		p.b.Error(err)
	}
}

// A gate is a source that lets one round through and then nobody, until it is
// opened again.
type gate struct {
	bot.Source
	mu      sync.Mutex // guards what follows
	left    int
	waiting int        // callers
	open    *sync.Cond // on mu: left or waiting has changed
}

// Counters waits until it may ask.
func (g *gate) Counters(ctx context.Context, q dashboard.Query) (dashboard.Counters, error) {
	g.mu.Lock()
	g.waiting++
	g.open.Broadcast()
	for g.left == 0 {
		g.open.Wait()
	}
	g.waiting--
	g.left--
	g.mu.Unlock()
	return g.Source.Counters(ctx, q)
}

func (g *gate) admit(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
	g.open.Broadcast()
}

// await waits until so many callers wait.
func (g *gate) await(callers int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.waiting < callers {
		g.open.Wait()
	}
}

// start starts the watch, of which [plant.watch] then lets through one round
// after another.
func (p *plant) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.bot.Watch(ctx) }()
	p.stop = func() {
		cancel()
		p.gate.admit(2 * len(p.ids)) // who waits is to see that it is over
		if err := <-ended; err != nil {
			p.b.Error(err)
		}
	}
	p.watch()
}

// watch lets a round through: until everybody's answer is committed. The round
// has begun then, with a second, and its plan is made.
func (p *plant) watch() time.Duration {
	p.gate.await(benchFlight)
	full := p.store.await(len(p.ids))
	start := time.Now()
	p.gate.admit(len(p.ids))
	<-full
	return time.Since(start)
}

// loop reads everybody as the shortest correct program would, and decodes and
// keeps nothing.
func (p *plant) loop() time.Duration {
	start := time.Now()
	var g errgroup.Group
	g.SetLimit(benchFlight)
	for _, a := range p.floor.Agents() {
		g.Go(func() error {
			body := fmt.Sprintf(`{"userId":%q,"token":%q}`, a.UserID, a.Token)
			resp, err := p.bare.Post(p.url+"/api/v2/agentDashboard/counters", "application/json", strings.NewReader(body))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.ReadAll(resp.Body)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		p.b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkWatchRound asks about 10,000 agents and stores what they say, with an
// API that answers at once and with one that takes 10 ms. Each round has one of
// the bare loop beside it; the ratio is the median of all pairs. The API is
// simulated in another process, but on the same machine, so that other work on it
// blurs the ratio; processor time it blurs less.
func BenchmarkWatchRound(b *testing.B) {
	for _, latency := range []time.Duration{0, 10 * time.Millisecond} {
		b.Run(fmt.Sprint("latency=", latency), func(b *testing.B) {
			p := newPlant(b, 10_000)
			if latency > 0 {
				p.fault("slow:" + latency.String())
			}
			p.start()
			p.loop()
			var ratios []float64
			var commits, cpu, bareCPU time.Duration
			for b.Loop() {
				before := processorTime(b)
				ours := p.watch()
				commits += p.store.took
				b.StopTimer()
				p.gate.await(benchFlight) // so that the plan of the next round is ours, and not the bare loop's
				between := processorTime(b)
				ratios = append(ratios, float64(ours)/float64(p.loop()))
				cpu, bareCPU = cpu+between-before, bareCPU+processorTime(b)-between
				b.StartTimer()
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(float64(commits.Milliseconds())/float64(b.N), "commit-ms")
			b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms")
			b.ReportMetric(float64(bareCPU.Milliseconds())/float64(b.N), "bare-cpu-ms")
			b.ReportMetric(resident(b), "resident-MB")
		})
	}
}

// fault makes every answer of the floor go wrong.
func (p *plant) fault(name string) {
	resp, err := p.bare.Post(p.url+"/sim/fault", "application/json", strings.NewReader(fmt.Sprintf(`{"user_id":"*","fault":%q}`, name)))
	if err != nil {
		p.b.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		p.b.Fatal(resp.Status)
	}
}

// resident returns the resident memory of this process in megabytes.
func resident(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc:", err)
	}
	var kb float64
	if _, err := fmt.Sscanf(lineOf(string(status), "VmRSS"), "VmRSS: %f", &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// processorTime returns what this process has used of processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// lineOf returns the line of a text that holds a word, "" for none.
func lineOf(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// fill stores so many days up to an instant, each with a shift of nine hours of
// everybody, polled once a minute: one day is polled, the others are copies.
func (p *plant) fill(until time.Time, days int) {
	first := until.AddDate(0, 0, -days)
	d := stats.Defaults()
	for minute := range 9 * 60 {
		var batch []bot.AgentSample
		for i, a := range p.floor.Agents() {
			tick := first.Add(8*time.Hour + time.Duration(minute)*time.Minute + time.Duration(i*60/len(p.ids))*time.Second)
			row, err := p.floor.Row(a.UserID, tick)
			if err != nil || row == nil {
				p.b.Fatal(err)
			}
			c := dashboard.Counters{Row: map[string]dashboard.Value{}, At: tick, Date: tick}
			for key, text := range row {
				c.Row[key] = dashboard.ValueOf(text)
			}
			batch = append(batch, bot.AgentSample{Agent: p.ids[i], Sample: d.Sample(c, tick)})
		}
		if err := p.store.Store.AppendHistory(batch); err != nil {
			p.b.Fatal(err)
		}
	}
	p.close()
	for day := 1; day < days; day++ {
		p.copyDay(first, first.AddDate(0, 0, day))
	}
	p.open()
}

// copyDay copies a day's file. Which day it is of stands in one record.
func (p *plant) copyDay(from, to time.Time) {
	name := func(t time.Time) string {
		return filepath.Join(p.dir, "floor.db-history", t.Format(time.DateOnly)+".db")
	}
	content, err := os.ReadFile(name(from))
	if err != nil {
		p.b.Fatal(err)
	}
	if err := os.WriteFile(name(to), content, 0o600); err != nil {
		p.b.Fatal(err)
	}
	db, err := bbolt.Open(name(to), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		p.b.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		form := map[string]any{}
		if err := json.Unmarshal(meta.Get([]byte("day")), &form); err != nil {
			return err
		}
		form["date"] = to.Format(time.DateOnly)
		record, err := json.Marshal(form)
		if err != nil {
			return err
		}
		return meta.Put([]byte("day"), record)
	})
	if err != nil {
		p.b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		p.b.Fatal(err)
	}
}

// BenchmarkWeekDigest composes the digest of a week of 200 agents.
func BenchmarkWeekDigest(b *testing.B) {
	p := newPlant(b, 200)
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	p.fill(monday, 7)
	for b.Loop() {
		m, err := p.bot.Preview(b.Context(), "support/week", monday)
		if err != nil || !strings.Contains(m.Plain(), "200 of 200") {
			b.Fatal(err, m.Plain())
		}
	}
}

// BenchmarkWatchAged stores a round of 1,000 agents with an empty history and
// with one of 35 days: the age of a database costs nothing.
func BenchmarkWatchAged(b *testing.B) {
	for _, days := range []int{0, 35} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			p := newPlant(b, 1000)
			if days > 0 {
				p.fill(time.Now().UTC().Truncate(24*time.Hour), days)
			}
			p.start()
			var commits time.Duration
			for b.Loop() {
				p.watch()
				commits += p.store.took
			}
			b.ReportMetric(float64(commits.Microseconds())/1000/float64(b.N), "commit-ms")
			b.ReportMetric(0, "ns/op") // rounds begin with the seconds
		})
	}
}
