package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"floorwalker/bot/secret"
)

var updateConfig = flag.Bool("update.config", false, "rewrite the .want files of testdata/config")

// clearEnvironment takes our variables out of the environment of the test.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, envPrefix) {
			t.Setenv(name, "")
		}
	}
}

// configFile makes a file that only its owner can read in a folder of the test's.
func configFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustLoad loads a configuration without faults.
func mustLoad(t *testing.T, opts LoadOptions) (*Config, []Warning) {
	t.Helper()
	cfg, warnings, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, warnings
}

// messages returns what Load says, a line each.
func messages(warnings []Warning, err error) string {
	var b strings.Builder
	if err != nil {
		b.WriteString(err.Error() + "\n")
	}
	for _, w := range warnings {
		b.WriteString("warning: " + w.Error() + "\n")
	}
	return b.String()
}

// TestGolden holds what is said of each file of testdata/config against the
// .want file beside it. A file that begins with "# serving" is loaded as serve
// loads it.
func TestGolden(t *testing.T) {
	clearEnvironment(t)
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	folder, err := filepath.Abs("testdata/config")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			want := filepath.Join(folder, strings.TrimSuffix(name, ".yaml")+".want")
			data, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			path := configFile(t, name, string(data))
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			t.Chdir(filepath.Dir(path))
			cfg, warnings, err := Load(LoadOptions{Path: name, Serving: bytes.HasPrefix(data, []byte("# serving"))})
			if faults, ok := errors.AsType[Faults](err); (err != nil) != ok || (cfg == nil) != ok || ok && len(faults) == 0 {
				t.Fatalf("got a configuration: %v, and the error %v", cfg != nil, err)
			}
			got := messages(warnings, err)
			if *updateConfig {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			wanted, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(wanted), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// small is a configuration that has what must be there.
const small = "dashboard: {base_url: https://brand.example}\n"

func TestLayers(t *testing.T) {
	clearEnvironment(t)
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.String("log-level", "", "")
	path := configFile(t, "config.yaml", small+"log: {level: warn}\n")
	level := func() (string, string) {
		cfg, _ := mustLoad(t, LoadOptions{Path: path, Flags: flags})
		return cfg.Log.Level, cfg.source("log.level")
	}
	expect := func(want, source string) {
		t.Helper()
		if got, from := level(); got != want || from != source {
			t.Errorf("level is %q from %q, want %q from %q", got, from, want, source)
		}
	}
	expect("warn", "config.yaml:2")
	t.Setenv("FLOORWALKER_LOG_LEVEL", "error")
	expect("error", "FLOORWALKER_LOG_LEVEL")
	if err := flags.Parse([]string{"--log-level=debug"}); err != nil {
		t.Fatal(err)
	}
	expect("debug", "--log-level")
	if _, _, err := Load(LoadOptions{Path: configFile(t, "config.yaml", small+"log: {level: loud}\n"), Flags: flags}); err != nil {
		t.Errorf("a value that a flag overrides is judged: %v", err)
	}
	if err := flags.Parse([]string{"--log-level=loud"}); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(LoadOptions{Path: path, Flags: flags})
	if want := `--log-level: log.level: "loud" is none of debug, info, warn, error`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	path = configFile(t, "config.yaml", small)
	flags = nil
	t.Setenv("FLOORWALKER_LOG_LEVEL", "")
	expect("info", "default")
}

// samples are values that the settings of a type or name accept.
func sample(s setting) string {
	switch {
	case strings.HasSuffix(s.path, "_url"):
		return "https://other.example/x/"
	case strings.HasSuffix(s.path, "listen"):
		return "127.0.0.1:1234"
	case strings.HasPrefix(s.path, "slack.commands"):
		return "/" + s.path[len("slack.commands."):] + "2"
	case s.path == "store.key":
		return strings.Repeat("A", 43) + "="
	case s.path == "discord.public_key":
		return strings.Repeat("0f", 32)
	case s.path == "discord.application_id", s.path == "discord.guild_id":
		return "0123"
	case s.path == "dashboard.timezone":
		return "Europe/London"
	}
	if oneof := strings.Fields(s.tag.Get("oneof")); len(oneof) > 0 {
		return oneof[1]
	}
	switch s.value.Interface().(type) {
	case time.Duration:
		return "1w2d"
	case int, float64:
		return "7"
	case secret.Secret:
		return "s3cret"
	}
	return "some-file"
}

func TestEveryScalarFromTheEnvironment(t *testing.T) {
	clearEnvironment(t)
	path := configFile(t, "config.yaml", small) // not of each test: the name of its folder would be too long for a socket
	names := map[string]bool{}
	for _, s := range settings(&Config{}) {
		if names[s.env()] || s.env() == envConfig {
			t.Errorf("two settings are called %s", s.env())
		}
		names[s.env()] = true
		if strings.HasSuffix(s.path, "_file") && s.path != "store.key_file" {
			continue // TestSecretFiles
		}
		t.Run(s.path, func(t *testing.T) {
			t.Setenv(s.env(), sample(s))
			cfg, warnings, err := Load(LoadOptions{Path: path})
			for _, w := range warnings {
				if strings.HasPrefix(w.Message, "ignored") {
					t.Error(w)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range settings(cfg) {
				if got.path != s.path {
					continue
				}
				want := reflect.New(got.value.Type()).Elem()
				if err := setScalar(want, sample(s), s.tag); err != nil {
					t.Fatal(err)
				}
				if s.tag.Get("path") == "relative" {
					want.SetString(filepath.Join(filepath.Dir(path), sample(s)))
				}
				a, b := strings.TrimRight(scalarText(got.value), "/"), strings.TrimRight(scalarText(want), "/")
				if a != b || cfg.source(s.path) != s.env() {
					t.Errorf("got %s from %s, want %s", a, cfg.source(s.path), b)
				}
			}
			t.Setenv(s.env(), "")
			cfg, _ = mustLoad(t, LoadOptions{Path: path})
			if o, given := cfg.origins[s.path]; given && o.name != "" {
				t.Errorf("an empty variable counts as given")
			}
		})
	}
}

func TestUnknownVariables(t *testing.T) {
	clearEnvironment(t)
	path := configFile(t, "config.yaml", small)
	t.Setenv("FLOORWALKER_CONFIG", path)
	t.Setenv("FLOORWALKER_SLACK_BOT_TOKN", "xoxb-secret")
	t.Setenv("FLOORWALKER_SERVICE_HOST", "10.0.0.1")
	t.Setenv("FLOORWALKER_TEAMS", "support")
	t.Setenv("FLOORWALKER_EMPTY", "")
	_, warnings := mustLoad(t, LoadOptions{})
	want := `warning: FLOORWALKER_SERVICE_HOST: ignored: no setting has this name
warning: FLOORWALKER_SLACK_BOT_TOKN: ignored: no setting has this name; did you mean FLOORWALKER_SLACK_BOT_TOKEN?
warning: FLOORWALKER_TEAMS: ignored: a list can only be given in the file
`
	if diff := cmp.Diff(want, messages(warnings, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableFiles(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	fault := func(opts LoadOptions) string {
		_, _, err := Load(opts)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if got, want := fault(LoadOptions{}), "config.yaml: not found; copy config.example.yaml"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	t.Setenv("FLOORWALKER_CONFIG", "other.yaml")
	if got, want := fault(LoadOptions{}), "other.yaml: not found; copy config.example.yaml"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fault(LoadOptions{Path: "given.yaml"}), "given.yaml: not found; copy config.example.yaml"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, _, err := Load(LoadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if _, _, err := Load(LoadOptions{Path: "."}); errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is fs.ErrNotExist", err)
	}
	if got, want := fault(LoadOptions{Path: "."}), ".: cannot be read: is a directory"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	large := small + strings.Repeat("# a comment\n", maxFile/12)
	if got := fault(LoadOptions{Path: configFile(t, "large.yaml", large)}); !strings.HasSuffix(got, "large.yaml: the file is larger than 1 MiB; is it the right one?") {
		t.Errorf("got %s", got)
	}
}

// TestManyValues holds the file's aliases to a bound: here 10,000 times 2,500
// values in 130 kB.
func TestManyValues(t *testing.T) {
	clearEnvironment(t)
	const n = 10_000
	text := small + "teams:\n  - {name: a, poll: false, channels: &c [" + strings.Repeat("slack:C,", n) + "]}\n" +
		strings.Repeat("  - {channels: *c}\n", n/4)
	d := &decoder{report: newReport("config.yaml"), scalars: map[string]string{}}
	d.load(&Config{file: "config.yaml", origins: d.origins}, []byte(text), true, LoadOptions{})
	if d.values > maxValues || len(d.faults) > maxFaults {
		t.Errorf("%d values were read, and %d faults noted", d.values, len(d.faults))
	}
	if !slices.ContainsFunc(d.faults, func(f Fault) bool { return strings.Contains(f.Message, "too many values") }) {
		t.Errorf("no such fault among %d", len(d.faults))
	}
	text = small + "teams: [{name: a, digests: [" + strings.Repeat("{shift: a},", 101) + "]}]\n"
	_, _, err := Load(LoadOptions{Path: configFile(t, "config.yaml", text)})
	if err == nil || !strings.Contains(err.Error(), "teams[0].digests: the list has 101 elements; at most 100 are allowed") {
		t.Errorf("got %v", err)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	clearEnvironment(t)
	path := configFile(t, "config.yaml", small+"store: {path: data/live.db, key_file: /etc/floorwalker.key}\n")
	cfg, _ := mustLoad(t, LoadOptions{Path: path})
	if want := filepath.Join(filepath.Dir(path), "data/live.db"); cfg.Store.Path != want || cfg.Store.KeyFile != "/etc/floorwalker.key" {
		t.Errorf("got %s and %s", cfg.Store.Path, cfg.Store.KeyFile)
	}
	long := small + "store: {path: " + strings.Repeat("x", 103) + ".db}\n"
	if _, _, err := Load(LoadOptions{Path: configFile(t, "config.yaml", long)}); err == nil || !strings.Contains(err.Error(), "a socket's may have 103") {
		t.Errorf("a path too long for a socket: %v", err)
	}
}

func TestTeamsTakeTheZoneOfTheDashboard(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("FLOORWALKER_DASHBOARD_TIMEZONE", "Europe/London")
	cfg, _ := mustLoad(t, LoadOptions{Path: configFile(t, "config.yaml", small+"teams: [{name: a, poll: false}, {name: b, poll: false, timezone: UTC}]\n")})
	if a, b := cfg.Teams[0].Timezone.String(), cfg.Teams[1].Timezone.String(); a != "Europe/London" || b != "UTC" {
		t.Errorf("the zones are %s and %s", a, b)
	}
}

func TestRules(t *testing.T) {
	clearEnvironment(t)
	cfg, warnings := mustLoad(t, LoadOptions{Path: configFile(t, "config.yaml", confirmed+`alerts:
  - {name: a, when: missed > 3}
  - {name: b, when: missed > 3, clear: missed < 2, severity: critical}
  - {name: login-lost, repeat: 5m, severity: critical}
  - {name: login-stale}
`)})
	if a := cfg.Alerts[0]; a.Repeat != 0 || a.EscalateAfter != 0 || a.For != 2*time.Minute || !a.Enabled {
		t.Errorf("got %+v", a)
	}
	if b := cfg.Alerts[1]; b.Repeat != 30*time.Minute || b.EscalateAfter != 10*time.Minute {
		t.Errorf("got %+v", b)
	}
	if lost := cfg.Alerts[2]; lost.For != 10*time.Minute || lost.Repeat != 5*time.Minute || lost.Severity != "critical" {
		t.Errorf("the built-in rule has not its own defaults: %+v", lost)
	}
	if cfg.Alerts[3].Enabled {
		t.Error("an entry without enabled switches a rule on that is off by default")
	}
	var names []string
	for _, r := range cfg.Rules {
		names = append(names, r.Name)
	}
	if want := []string{"a", "b", "login-lost", "login-stale", "source-stale"}; !slices.Equal(names, want) {
		t.Errorf("the rules are %v, want %v", names, want)
	}
	if said := messages(warnings, nil); !strings.Contains(said, "alerts[0]: a: give a clear condition") || strings.Contains(said, "alerts[1]") {
		t.Errorf("the advice is %s", said)
	}
}

// confirmed is a configuration whose rules may read missed.
const confirmed = "dashboard: {base_url: https://brand.example, metrics: [{key: MH, confirmed: true}]}\n"

// TestLoadTwice loads at the same time, as a reload beside a command may.
func TestLoadTwice(t *testing.T) {
	clearEnvironment(t)
	var outs [2]string
	var g errgroup.Group
	for i := range outs {
		g.Go(func() error {
			cfg, _, err := Load(LoadOptions{Path: "testdata/config/design.yaml"})
			if err != nil {
				return err
			}
			var b bytes.Buffer
			err = cfg.Print(&b)
			outs[i] = b.String()
			return err
		})
	}
	if err := g.Wait(); err != nil || outs[0] != outs[1] || outs[0] == "" {
		t.Errorf("%v, printed:\n%s\nand:\n%s", err, outs[0], outs[1])
	}
}

func TestDictionary(t *testing.T) {
	clearEnvironment(t)
	cfg, _ := mustLoad(t, LoadOptions{Path: "testdata/config/design.yaml"})
	if m, _ := cfg.Dictionary.ByName("offered"); !m.Confirmed || m.Label == "" || len(cfg.Dictionary) < 13 {
		t.Errorf("the metrics are not merged into the defaults: %+v", m)
	}
}

func TestFault(t *testing.T) {
	f := Fault{File: "config.yaml", Line: 14, Path: "teams[0].shifts[0].end", Message: `"25:00" is not a time of day`}
	if got, want := f.Error(), `config.yaml:14: teams[0].shifts[0].end: "25:00" is not a time of day`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !errors.Is(Faults{{File: "a"}, f}, f) {
		t.Error("a fault is not found among the faults")
	}
}

// FuzzLoad looks for a file that Load does not survive, and for a fault that
// would not fit on its line.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "config.example.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a, *a]\nteams: &t [*t]\nadmins: &x {<<: *x}\n"))
	f.Add([]byte("teams: [{members: [&p {ids: *p}]}]\n? *p\n: b\n"))
	f.Add([]byte("!!binary dashboard: !!str {base_url: !!int x}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &decoder{report: newReport("config.yaml"), scalars: map[string]string{}}
		cfg := &Config{file: "config.yaml", origins: d.origins}
		d.load(cfg, data, true, LoadOptions{Serving: true})
		for _, fault := range append(d.faults, d.warnings...) {
			if strings.ContainsAny(fault.Error(), "\n\r") || len(fault.Error()) > 2000 {
				t.Errorf("not a line: %q", fault.Error())
			}
		}
		if len(d.faults) > 0 {
			return
		}
		if err := cfg.Print(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
