package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/dashboard/sim"
)

var soakReal = flag.Duration("soak-real", 0, "how long BenchmarkSoak lets the real program run, in real time")

// BenchmarkSoak lets the real program run for half an hour against a fake Slack
// and the simulated API, a digest every minute included, and fails if it falls
// behind or grows. It is the real-time form of [TestSoak], with the same flags:
//
//	go test . -run '^$' -bench Soak -benchtime 1x -soak-real 30m -soak-agents 1000 -soak-rules 50 -timeout 45m
func BenchmarkSoak(b *testing.B) {
	if *soakReal == 0 {
		b.Skip("skipped: say how long: -soak-real 30m")
	}
	s := newSoakSite(b, *soakReal)
	s.link()
	s.program("serve", s.start)
	for b.Loop() {
		s.watch(*soakReal)
	}
	s.judge()
}

// A soakSite is an installation that runs for long, with numbers that are read
// off its metrics once a second.
type soakSite struct {
	*testing.B
	dir, config, ops string
	interval         time.Duration
	floor            *sim.Sim
	slack            *slacktest.Server
	log              syncBuffer
	over             []float64 // by how much of the interval each round was late when it was stored
	heap, routines   []float64 // each second
	oldest           float64   // seconds that the oldest message has been due, at the end
	rounds, polls    float64   // since the start, in the last round
}

// newSoakSite writes the configuration. An interval holds 100 agents a second.
func newSoakSite(b *testing.B, long time.Duration) *soakSite {
	s := &soakSite{B: b, dir: b.TempDir(), interval: max(time.Second, time.Duration(*soakAgents)*time.Second/100)}
	s.floor = sim.New(sim.Config{Seed: 1, Agents: *soakAgents})
	api := httptest.NewServer(s.floor)
	b.Cleanup(api.Close)
	s.slack = slacktest.New(slacktest.Options{})
	b.Cleanup(s.slack.Close)
	for _, id := range []string{"U0MEERA", "U0DEV"} {
		s.slack.AddUser(slacktest.User{ID: id})
	}
	s.slack.AddChannel(slacktest.Channel{ID: "C0SUPPORT", Members: []string{"U0MEERA"}})
	l := httptest.NewServer(http.NotFoundHandler()) // for a free address
	s.ops = l.Listener.Addr().String()
	l.Close()
	var digests strings.Builder
	for at := time.Now().UTC().Truncate(time.Minute); at.Before(time.Now().Add(long)); at = at.Add(time.Minute) {
		fmt.Fprintf(&digests, "      - {name: %q, days: [mon-sun], at: %q}\n", at.Format("at-1504"), at.Format("15:04"))
	}
	s.config = filepath.Join(s.dir, "config.yaml")
	text := fmt.Sprintf(`
dashboard:
  base_url: %q
  poll_interval: %s
  requests_per_second: 500
  metrics: [{key: TH, confirmed: true}, {key: MH, confirmed: true}, {key: I, confirmed: true}]
slack: {bot_token: xoxb-1, app_token: xapp-1, api_url: %q}
ops: {listen: %q}
admins: [slack:U0DEV]
teams:
  - name: support
    timezone: UTC
    channels: [slack:C0SUPPORT]
    supervisors: [slack:U0MEERA]
    shifts: [{name: all, days: [mon-sun], start: "00:00", end: "00:00"}]
    digests:
%s%s`, api.URL, s.interval, s.slack.APIURL(), s.ops, digests.String(), soakAlerts(*soakRules))
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return s
}

// program runs a command of the real program, by cmd.Run or start.
func (s *soakSite) program(name string, run func(*exec.Cmd) error, args ...string) {
	s.Helper()
	cmd := exec.Command("floorwalker", append([]string{name, "--config", s.config}, args...)...)
	cmd.Env = append(os.Environ(), "FLOORWALKER_STORE_KEY="+killKey)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := run(cmd); err != nil {
		s.Fatalf("%s: %v\n%s", name, err, s.log.String())
	}
}

// link links everybody who works on the floor.
func (s *soakSite) link() {
	s.Helper()
	var b bytes.Buffer
	b.WriteString("user,user_id,token,name,team\n")
	for i, a := range s.floor.Agents() {
		id := fmt.Sprintf("U0P%04d", i)
		s.slack.AddUser(slacktest.User{ID: id, Real: a.Name})
		fmt.Fprintf(&b, "slack:%s,%s,%s,%s,support\n", id, a.UserID, a.Token, a.Name)
	}
	file := filepath.Join(s.dir, "agents.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		s.Fatal(err)
	}
	s.program("import", (*exec.Cmd).Run, file, "--apply")
}

// start starts the program, until the benchmark ends.
func (s *soakSite) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	s.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			s.Errorf("the program ended by itself: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			s.Errorf("told to stop: %v\n%s", err, s.log.String())
		}
	})
	_, err := s.slack.WaitSockets(s.Context(), 2)
	return err
}

// watch reads the metrics once a second.
func (s *soakSite) watch(long time.Duration) {
	s.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(time.Second) {
		resp, err := http.Get("http://" + s.ops + "/metrics")
		if err != nil {
			s.Fatalf("%v\n%s", err, s.log.String())
		}
		m := readMetrics(s.B, resp)
		if rounds := m["floorwalker_watch_rounds_total"]; rounds > s.rounds {
			s.rounds = rounds
			s.over = append(s.over, (m["floorwalker_watch_round_duration_seconds"]-s.interval.Seconds())/s.interval.Seconds())
		}
		s.polls = m["floorwalker_watch_polls"]
		s.heap = append(s.heap, m["go_memstats_heap_alloc_bytes"])
		s.routines = append(s.routines, m["go_goroutines"])
		s.oldest = 0
		for name, v := range m {
			if strings.HasPrefix(name, "floorwalker_outbox_oldest_due_seconds{") {
				s.oldest = max(s.oldest, v)
			}
		}
	}
}

var sampleLine = regexp.MustCompile(`(?m)^([a-z_]+(?:\{.*\})?) (\S+)$`)

// readMetrics returns each value of an answer by its name and labels.
func readMetrics(b *testing.B, resp *http.Response) map[string]float64 {
	b.Helper()
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		b.Fatal(err)
	}
	all := map[string]float64{}
	for _, m := range sampleLine.FindAllStringSubmatch(text.String(), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			b.Fatalf("%s: %v", m[0], err)
		}
		all[m[1]] = v
	}
	return all
}

// judge compares the last third with the first. What a heap holds is seen when
// garbage was just collected: at the least values.
func (s *soakSite) judge() {
	s.Helper()
	third := len(s.heap) / 3
	if third == 0 || len(s.over) == 0 {
		s.Fatalf("%d readings, %d rounds: too few to judge", len(s.heap), len(s.over))
	}
	firstHeap, lastHeap := slices.Min(s.heap[:third]), slices.Min(s.heap[2*third:])
	firstRoutines, lastRoutines := slices.Max(s.routines[:third]), slices.Max(s.routines[2*third:])
	slices.Sort(s.over)
	late := s.over[len(s.over)*99/100]
	posts, alerts := len(s.slack.Messages("C0SUPPORT")), len(s.slack.Messages("U0MEERA"))
	s.ReportMetric(s.rounds, "rounds")
	s.ReportMetric(late*100, "p99-late-%")
	s.ReportMetric(firstHeap/1e6, "MB-first")
	s.ReportMetric(lastHeap/1e6, "MB-last")
	s.ReportMetric(firstRoutines, "goroutines-first")
	s.ReportMetric(lastRoutines, "goroutines-last")
	s.ReportMetric(float64(posts), "digests")
	s.ReportMetric(float64(alerts), "alerts")
	if s.polls < float64(*soakAgents) {
		s.Errorf("%.0f agents were asked in the last round, want %d", s.polls, *soakAgents)
	}
	if late > 0.2 {
		s.Errorf("a round in a hundred is stored late by %.0f %% of the interval, want at most 20", late*100)
	}
	if lastHeap > firstHeap*3/2+8<<20 {
		s.Errorf("memory grows: %.1f MB, then %.1f", firstHeap/1e6, lastHeap/1e6)
	}
	if lastRoutines > firstRoutines*1.1+8 {
		s.Errorf("goroutines grow: %.0f, then %.0f", firstRoutines, lastRoutines)
	}
	if s.oldest > 60 {
		s.Errorf("the outbox does not drain: a message has been due for %.0f s", s.oldest)
	}
	if want := int(*soakReal/time.Minute) - 1; posts < want {
		s.Errorf("%d digests, want at least %d", posts, want)
	}
	if *soakReal > 10*time.Minute && alerts == 0 {
		s.Error("no alert: the rules are of no use here")
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		s.Errorf("errors in the log\n%s", s.log.String())
	}
}
