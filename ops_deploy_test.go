package main

import (
	"bytes"
	"encoding/json"
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

	"go.yaml.in/yaml/v3"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/dashboard/sim"
)

// A unit is what a unit file says: the values of each directive, in their order.
type unit map[string][]string

func readUnit(t *testing.T, file string) unit {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	u := unit{}
	for i, line := range strings.Split(string(text), "\n") {
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, "["):
		case !ok || strings.HasSuffix(line, "\\"):
			t.Fatalf("%s:%d: %q is no directive on one line", file, i+1, line)
		default:
			u[key] = append(u[key], value)
		}
	}
	return u
}

// TestUnit: the unit keeps what the documents promise of it, and systemd, where
// it is, understands it and finds little exposed.
func TestUnit(t *testing.T) {
	const file = "deploy/floorwalker.service"
	u := readUnit(t, file)
	for key, want := range map[string]string{
		"Type": "notify-reload", "RestartPreventExitStatus": strconv.Itoa(exitUsage), "DynamicUser": "yes", "StateDirectory": "floorwalker",
		"ProtectSystem": "strict", "NoNewPrivileges": "yes", "LimitCORE": "0", "Restart": "on-failure", "UMask": "0077",
	} {
		if got := u[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %s", key, got, want)
		}
	}
	for _, key := range []string{"SystemCallFilter", "WatchdogSec", "LoadCredential", "RestrictAddressFamilies"} {
		if len(u[key]) == 0 {
			t.Errorf("there is no %s", key)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: systemd's own judgement is left out")
	}
	// It looks for the program, and versions before 253 know no notify-reload.
	program, err := exec.LookPath("floorwalker")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("/usr/local/bin/floorwalker"), []byte(program))
	version := 0
	if out, err := exec.Command(analyze, "--version").Output(); err != nil || !scanned(string(out), "systemd %d", &version) {
		t.Fatalf("%v: %s", err, out)
	}
	if version < 253 {
		text = bytes.ReplaceAll(text, []byte("Type=notify-reload"), []byte("Type=notify"))
	}
	here := filepath.Join(t.TempDir(), "floorwalker.service")
	if err := os.WriteFile(here, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", here).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if version >= 250 { // tenths of points; others judge by 0 to 10
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", here).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, out)
		}
	}
}

// A deploySite is an installation as deploy has it: a directory that stands for
// the machine's root.
type deploySite struct {
	t *testing.T
	*slackSite
	root string
	env  []string
	exe  string
}

// newDeploySite puts the configuration and the secrets of deploy into their
// places.
func newDeploySite(t *testing.T) *deploySite {
	t.Helper()
	d := &deploySite{t: t, slackSite: newSlackSite(t, ""), root: t.TempDir()}
	api := httptest.NewServer(sim.New(sim.Config{Seed: 1}))
	t.Cleanup(api.Close)
	var err error
	if d.exe, err = exec.LookPath("floorwalker"); err != nil {
		t.Fatal(err)
	}
	d.slack.AddChannel(slacktest.Channel{ID: "C0123456789"})
	d.env = []string{"PATH=", "FLOORWALKER_DASHBOARD_BASE_URL=" + api.URL, "FLOORWALKER_SLACK_API_URL=" + d.slack.APIURL()}
	text, err := os.ReadFile("deploy/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d.write("/etc/floorwalker/config.yaml", string(text), 0o644)
	for _, dir := range []string{"/var/lib/floorwalker", "/run/secrets"} {
		if err := os.MkdirAll(d.root+dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *deploySite) write(path, text string, mode os.FileMode) {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.root+path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.root+path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chmod(d.root+path, mode); err != nil {
		d.t.Fatal(err)
	}
}

// here is a value of a deployment, with paths below our root.
func (d *deploySite) here(value string) string {
	return regexp.MustCompile(`(^|=)/(etc|var|run)/`).ReplaceAllString(value, "${1}"+d.root+"/$2/")
}

// start runs a command line of a deployment.
func (d *deploySite) start(args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := d.program(args...)
	cmd.Stdout, cmd.Stderr = &d.log, &d.log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

func (d *deploySite) program(args ...string) *exec.Cmd {
	for i := range args {
		args[i] = d.here(args[i])
	}
	cmd := exec.Command(d.exe, args...)
	for _, e := range d.env {
		cmd.Env = append(cmd.Env, d.here(e))
	}
	return cmd
}

// secrets are what a deployment needs, by the end of their files' names.
var deploySecrets = map[string]string{"key": killKey, "slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}

// TestUnitRuns runs the unit's own command line with the unit's own environment,
// credentials included, under a service manager of ours: start, reload, stop.
func TestUnitRuns(t *testing.T) {
	d, n, u := newDeploySite(t), newNotified(t), readUnit(t, "deploy/floorwalker.service")
	specifiers := strings.NewReplacer("%d", "/run/credentials/floorwalker.service", "%S", "/var/lib")
	for _, e := range u["Environment"] {
		d.env = append(d.env, specifiers.Replace(e))
	}
	for _, c := range u["LoadCredential"] {
		name, from, _ := strings.Cut(c, ":")
		if filepath.Base(from) != name {
			t.Errorf("LoadCredential=%s: two names for one thing", c)
		}
		text, known := deploySecrets[strings.TrimPrefix(name, "floorwalker.")]
		if !known {
			t.Fatalf("what is %s?", name)
		}
		d.write("/run/credentials/floorwalker.service/"+name, text+"\n", 0o440)
	}
	d.env = append(d.env, "FLOORWALKER_OPS_LISTEN="+d.ops, "NOTIFY_SOCKET="+n.path, "WATCHDOG_USEC=120000000",
		"CREDENTIALS_DIRECTORY=/run/credentials/floorwalker.service")
	line := strings.Fields(u["ExecStart"][0])
	if line[0] != "/usr/local/bin/floorwalker" {
		t.Errorf("the program is %s", line[0])
	}
	cmd := d.start(line[1:]...)
	if got := n.until("READY=1"); got != "READY=1\nSTATUS=ready" {
		t.Errorf("%q\n%s", got, d.log.String())
	}
	tell(t, cmd, syscall.SIGHUP)
	n.until("RELOADING=1")
	n.until("READY=1")
	tell(t, cmd, syscall.SIGTERM)
	n.until("STOPPING=1")
	if err := cmd.Wait(); err != nil || strings.Contains(d.log.String(), "level=ERROR") {
		t.Errorf("it ends with %v\n%s", err, d.log.String())
	}
	if _, err := os.Stat(d.root + "/var/lib/floorwalker/floorwalker.db"); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(d.root + "/etc/floorwalker"); err != nil || len(entries) != 1 {
		t.Errorf("it wrote beside its configuration: %v %v", entries, err)
	}
	// Root's own commands find the same database and the same secrets.
	for name, text := range deploySecrets {
		if name == "key" {
			name = "floorwalker.key"
		}
		d.write("/etc/floorwalker/credentials/"+name, text+"\n", 0o600)
	}
	d.env = append(d.env[:3:3], "FLOORWALKER_STORE_PATH=/var/lib/floorwalker/floorwalker.db")
	if out, err := d.program("links", "--config", "/etc/floorwalker/config.yaml").CombinedOutput(); err != nil {
		t.Errorf("root's links: %v\n%s", err, out)
	}
}

// dockerfile is the last stage of a Dockerfile: instructions in their order.
func dockerfile(t *testing.T, file string) (stage [][2]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		instruction, rest, _ := strings.Cut(line, " ")
		if instruction == "FROM" {
			stage = nil
		}
		stage = append(stage, [2]string{instruction, strings.TrimSpace(rest)})
	}
	return stage
}

// composeFile is what we look at of compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Build       struct{ Dockerfile string } `yaml:"build"`
		User        string                      `yaml:"user"`
		ReadOnly    bool                        `yaml:"read_only"`
		CapDrop     []string                    `yaml:"cap_drop"`
		Environment map[string]string           `yaml:"environment"`
		Secrets     []string                    `yaml:"secrets"`
		Volumes     []string                    `yaml:"volumes"`
		Ports       []string                    `yaml:"ports"`
	} `yaml:"services"`
	Volumes map[string]any                   `yaml:"volumes"`
	Secrets map[string]struct{ File string } `yaml:"secrets"`
}

// A containerImage is how its Dockerfile starts the program.
type containerImage struct {
	user         string
	env          []string
	args, health []string // without the program itself
}

func readImage(t *testing.T, file string) (m containerImage) {
	t.Helper()
	words := func(list string) (words []string) {
		if err := json.Unmarshal([]byte(list), &words); err != nil || len(words) == 0 {
			t.Fatalf("%s: %q is no list of words: %v", file, list, err)
		}
		return words
	}
	var entry []string
	for _, i := range dockerfile(t, file) {
		switch i[0] {
		case "FROM":
			if i[1] != "scratch" {
				t.Errorf("the image stands on %s", i[1])
			}
		case "USER":
			m.user = i[1]
		case "ENV":
			m.env = append(m.env, strings.Fields(i[1])...)
		case "ENTRYPOINT":
			entry = words(i[1])
		case "CMD":
			m.args = words(i[1])
		case "HEALTHCHECK":
			_, list, _ := strings.Cut(i[1], " CMD ")
			m.health = words(list)
		}
	}
	if !slices.Equal(entry, []string{"/floorwalker"}) || len(m.health) == 0 || m.health[0] != entry[0] {
		t.Fatalf("the program is %q, the health check %q", entry, m.health)
	}
	m.health = m.health[1:]
	return m
}

// TestContainerRuns runs the image's own command line and health check with the
// image's and the compose file's environment and secrets.
func TestContainerRuns(t *testing.T) {
	d, m := newDeploySite(t), readImage(t, "deploy/Dockerfile")
	d.env = append(d.env, m.env...)
	var c composeFile
	text, err := os.ReadFile("deploy/compose.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := c.Services["floorwalker"]
	if s.Build.Dockerfile != "deploy/Dockerfile" || s.User != m.user || strings.HasPrefix(m.user, "0") || m.user == "" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
		t.Errorf("the service is not as safe as it should be: %+v, the image's user is %q", s, m.user)
	}
	for _, port := range s.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("port %s is open to everybody", port)
		}
	}
	for _, name := range s.Secrets {
		if filepath.Base(c.Secrets[name].File) != name {
			t.Errorf("the secret %s has no file of its name", name)
		}
		d.write("/run/secrets/"+name, deploySecrets[strings.TrimPrefix(name, "floorwalker_")]+"\n", 0o400)
	}
	for name, value := range s.Environment {
		d.env = append(d.env, name+"="+value)
	}
	_, port, _ := strings.Cut(d.ops, ":")
	for i := range d.env { // the port of this test; the address is the image's
		d.env[i] = strings.Replace(d.env[i], "0.0.0.0:9477", "0.0.0.0:"+port, 1)
	}
	cmd := d.start(m.args...)
	d.awaitSockets(1)
	if err := d.slack.Wait(d.ctx, func() bool { return d.program(m.health...).Run() == nil }); err != nil {
		out, _ := d.program(m.health...).CombinedOutput()
		t.Fatalf("it is never healthy: %s\n%s", out, d.log.String())
	}
	tell(t, cmd, syscall.SIGTERM)
	if err := cmd.Wait(); err != nil || strings.Contains(d.log.String(), "level=ERROR") {
		t.Errorf("it ends with %v\n%s", err, d.log.String())
	}
	if err := d.program(m.health...).Run(); err == nil {
		t.Error("it is healthy although it does not run")
	}
}

// TestDeployVariables: every variable of ours that deploy sets is a setting.
func TestDeployVariables(t *testing.T) {
	known := []string{envConfig, envNewKey}
	for _, s := range settings(&Config{}) {
		known = append(known, s.env())
	}
	files, err := filepath.Glob("deploy/*")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`FLOORWALKER_[A-Z_]+`).FindAllString(string(text), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: %s is no setting", file, name)
			}
		}
	}
}

// TestWorkflow: the workflow runs our checks with the Go of go.mod, and may read
// the repository and do nothing else.
func TestWorkflow(t *testing.T) {
	var w struct {
		On          map[string]any    `yaml:"on"`
		Permissions map[string]string `yaml:"permissions"`
		Jobs        map[string]struct {
			Steps []struct {
				Uses string            `yaml:"uses"`
				Run  string            `yaml:"run"`
				With map[string]string `yaml:"with"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	text, err := os.ReadFile(".github/workflows/ci.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &w)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("its permissions are %v", w.Permissions)
	}
	runs, goes := 0, 0
	for _, job := range w.Jobs {
		for _, s := range job.Steps {
			if s.Uses != "" && !regexp.MustCompile(`^actions/[a-z-]+@v\d+$`).MatchString(s.Uses) {
				t.Errorf("%s is not pinned to a major version of GitHub's own", s.Uses)
			}
			if strings.Contains(s.Run, ".ci/run") {
				runs++
			}
			if s.With["go-version-file"] == "go.mod" {
				goes++
			}
		}
	}
	if runs != 1 || goes != 1 || w.On["pull_request"] == nil && !strings.Contains(string(text), "pull_request:") {
		t.Errorf("it runs our checks %d times, with go.mod's Go %d times, on %v", runs, goes, w.On)
	}
	if _, err := os.Stat(".ci/run"); err != nil {
		t.Error(err)
	}
}
