package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/discord"
	"floorwalker/adapters/slack"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/store"
)

var updateMetrics = flag.Bool("update-metrics", false, "write testdata/metrics.txt anew")

// registered returns what our registry describes, with every network on: a line
// for each metric, its name, its labels and what it means.
func registered(t *testing.T) []string {
	t.Helper()
	clearEnvironment(t)
	cfg, _ := mustLoad(t, LoadOptions{Path: configFile(t, "config.yaml", small+"ops: {listen: \"\"}\n")})
	st, err := store.Open(store.Config{Path: cfg.Store.Path, Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	client, err := dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	log := newLogger(io.Discard, cfg.Log)
	s, err := slack.New(slack.Config{BotToken: secret.New("xoxb-1"), AppToken: secret.New("xapp-1"), Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	d, err := discord.New(discord.Config{BotToken: secret.New("x.y.z"), ApplicationID: "80351110224678912", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	up := newUpkeep(cfg, log)
	b := bot.New(bot.Config{}, client, st, up.metrics, log)
	ctx, cancel := context.WithCancel(t.Context())
	g, ctx := errgroup.WithContext(ctx)
	if err := up.start(ctx, g, parts{b, st, client, []chat.Adapter{s, d}, nil}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc, 1000)
	up.metrics.registry.Describe(descs)
	close(descs)
	form := regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.+?)", (?:unit: "[^"]*", )?constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)
	var lines []string
	for desc := range descs {
		m := form.FindStringSubmatch(desc.String())
		if m == nil {
			t.Fatalf("the library writes %s", desc)
		}
		if strings.HasPrefix(m[1], "floorwalker_") {
			lines = append(lines, m[1]+"{"+m[3]+"} "+strings.ReplaceAll(m[2], `\"`, `"`))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestMetricNames lists all metrics: what is renamed breaks somebody's dashboard,
// and so shows here first.
func TestMetricNames(t *testing.T) {
	lines := registered(t)
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", "metrics.txt")
	if *updateMetrics {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("the metrics are not those of %s (%v): go test . -run TestMetricNames -update-metrics\n%s", file, err, got)
	}
	for _, line := range lines {
		name, help, _ := strings.Cut(line, "} ")
		if !strings.HasSuffix(help, ".") || strings.Contains(help, "  ") {
			t.Errorf("%s: the help is no sentence: %q", name, help)
		}
	}
}

// scrapedLine is a sample as it is scraped.
var scrapedLine = regexp.MustCompile(`(?m)^(floorwalker_[a-z0-9_]+)(?:\{(.*)\})? (\S+)$`)

// TestMetrics reads the metrics of a day in small: somebody is linked, asks for
// numbers, and is polled. Prometheus' own linter has nothing to say, and no label
// holds anybody's id or a secret.
func TestMetrics(t *testing.T) {
	t.Setenv("FLOORWALKER_DASHBOARD_POLL_INTERVAL", "1s")
	t.Setenv("FLOORWALKER_OPS_HEARTBEAT_URL", "http://127.0.0.1:1/S3CRET")
	s := newSlackSite(t, `    shifts: [{name: all, days: [mon-sun], start: "00:00", end: "00:00"}]
`)
	s.serve()
	asha := s.floor.Agents()[0]
	if out, status := s.command("user_id="+asha.UserID+"\ntoken="+asha.Token+"\n", "link", "slack:U0ASHA"); status != 0 {
		t.Fatalf("link exits %d: %s", status, out)
	}
	s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "today"), "Calls offered")
	if out, status := s.command("", "backup", filepath.Join(s.dir, "saved.tar")); status != 0 {
		t.Fatalf("backup exits %d: %s", status, out)
	}
	text := ""
	err := s.slack.Wait(s.ctx, func() bool {
		text = s.scrape()
		return strings.Contains(text, `floorwalker_deliveries_total{lane="notice",network="slack",state="sent"} 1`) &&
			!strings.Contains(text, "floorwalker_watch_rounds_total 0") && strings.Contains(text, "floorwalker_ready 1")
	})
	if err != nil {
		t.Fatalf("nothing is told or polled: %v\n%s\n%s", err, text, s.log.String())
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}

	seen := sampled(t, text, "U0", "C0", "T0", asha.UserID, asha.Token, "xoxb", "xapp", "S3CRET", "127.0.0.1", "Asha")
	for name := range strings.FieldsSeq(`watch_rounds_total watch_polls watch_interval_seconds watch_round_duration_seconds api_calls_total
		outbox_rows outbox_oldest_due_seconds deliveries_total alert_subjects command_duration_seconds network_connections
		store_size_bytes agents build_info ready loop_timestamp_seconds heartbeat_pings_total config_reloads_total`) {
		if !seen["floorwalker_"+name] {
			t.Errorf("floorwalker_%s is missing\n%s", name, text)
		}
	}
	for _, want := range []string{
		`floorwalker_agents{state="active"}`, `floorwalker_alert_subjects{phase="firing",rule="login-lost"} 0`,
		`floorwalker_deliveries_total{lane="alert",network="slack",state="dead"} 0`, // what alerts of it wait for
		`floorwalker_outbox_rows{lane="digest",network="slack",state="pending"} 0`, `floorwalker_loop_timestamp_seconds{loop="delivery on slack"}`,
		`floorwalker_store_size_bytes{part="live"}`, "floorwalker_ready 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s\n%s", want, text)
		}
	}
}

// sampled returns which metrics there are samples of: all are on the list, and no
// label holds any of the texts.
func sampled(t *testing.T, text string, secrets ...string) map[string]bool {
	t.Helper()
	known, err := os.ReadFile(filepath.Join("testdata", "metrics.txt"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range scrapedLine.FindAllStringSubmatch(text, -1) {
		name := metricOf(m[1])
		seen[name] = true
		if !strings.Contains(string(known), name+"{") {
			t.Errorf("%s is not on the list", name)
		}
		for _, id := range secrets {
			if strings.Contains(m[2], id) {
				t.Errorf("a label holds %q: %s", id, m[0])
			}
		}
	}
	return seen
}

// metricOf is the name of a metric by that of one of its samples.
func metricOf(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return base
		}
	}
	return name
}

// TestStoreNumbers: what costs something to read is read now and then, and is
// right when it is.
func TestStoreNumbers(t *testing.T) {
	st, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	err = st.Update(func(tx bot.Tx) error {
		for subject, standing := range map[string]string{
			"00000000000000a1": `{"rules":{"busy":{"state":{"p":"firing"}},"slow":{"state":{"p":"pending"}}}}`,
			"00000000000000a2": `{"rules":{"busy":{"state":{"p":"firing"}},"slow":{"state":{}}}}`,
			"team:support":     `{"rules":{"busy":{"state":{"p":"recovering"}}}}`,
			"source":           `{"vain":"2026-03-02T09:00:00Z"}`,
		} {
			if err := tx.PutRecord(bot.RecordAlerts, subject, []byte(standing)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{}, nil, st, discard{}, newLogger(io.Discard, LogConfig{}))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(storeCollector(b, st))
	read := func() map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				words := []string{strings.TrimPrefix(f.GetName(), "floorwalker_")}
				for _, l := range m.GetLabel() {
					words = append(words, l.GetValue())
				}
				values[strings.Join(words, " ")] = m.GetGauge().GetValue()
			}
		}
		return values
	}
	got := read()
	for name, want := range map[string]float64{
		"alert_subjects firing busy": 2, "alert_subjects recovering busy": 1, "alert_subjects pending slow": 1, "alert_subjects firing slow": 0,
		"agents active": 0, "store_history_files": 0, "store_damaged_files": 0,
	} {
		if value, found := got[name]; !found || value != want {
			t.Errorf("%s is %v (%v), want %v", name, value, found, want)
		}
	}
	if got["store_size_bytes live"] == 0 {
		t.Error("the file has no size")
	}
	if _, found := got["backup_timestamp_seconds"]; found {
		t.Error("there was no backup")
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if err := st.Record(bot.AuditEntry{At: at, Actor: "cli:0", Action: "backup"}); err != nil {
		t.Fatal(err)
	}
	n := storeNumbers{bot: b, store: st}
	if err := n.read(at); err != nil || !n.backup.Equal(at) {
		t.Errorf("the backup of %s was at %s (%v)", at, n.backup, err)
	}
	if _, found := read()["backup_timestamp_seconds"]; found {
		t.Error("everything is read at every scrape")
	}
}

// BenchmarkScrape reads the metrics with 10,000 agents for whom something is
// wrong: at first, and within half a minute again.
func BenchmarkScrape(b *testing.B) {
	st, err := store.Open(store.Config{Path: filepath.Join(b.TempDir(), "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	standing := []byte(`{"name":"Asha Rao","teams":["support"],"rules":{"busy":{"state":{"p":"firing","e":"0123456789abcdef","s":"2026-03-02T09:00:00Z"},` +
		`"episode":{"n":12,"teams":["support"],"began":"2026-03-02T09:00:00Z","outcome":"tell","handling":{},"sentence":"Asha Rao missed 3 calls in 30 minutes"}}}}`)
	err = st.Update(func(tx bot.Tx) error {
		for i := range 10_000 {
			if err := tx.PutRecord(bot.RecordAlerts, fmt.Sprintf("%016x", i), standing); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	floor := bot.New(bot.Config{}, nil, st, discard{}, newLogger(io.Discard, LogConfig{}))
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if n := (&storeNumbers{bot: floor, store: st}); n.read(time.Now()) != nil {
				b.Fatal("not read")
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(storeCollector(floor, st))
		for b.Loop() {
			if _, err := registry.Gather(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
