package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/dashboard/sim"
)

// syncBuffer is a buffer for a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A slackSite is an installation on the fake Slack with the simulated API.
type slackSite struct {
	t      *testing.T
	ctx    context.Context
	slack  *slacktest.Server
	floor  *sim.Sim
	dir    string
	config string
	ops    string // where the ops listener is
	log    syncBuffer
	stop   func() int // stops serve and returns its exit status
}

// newSlackSite writes a configuration as the README has it, and starts nothing.
func newSlackSite(t *testing.T, extra string) *slackSite {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	s := &slackSite{t: t, ctx: ctx, dir: t.TempDir(), floor: sim.New(sim.Config{Seed: 1})}
	s.slack = slacktest.New(slacktest.Options{})
	t.Cleanup(s.slack.Close)
	s.ops = freeAddress(t)
	api := httptest.NewServer(s.floor)
	t.Cleanup(api.Close)
	for _, u := range []slacktest.User{{ID: "U0ASHA", Real: "Asha Rao", TZ: "Asia/Kolkata"}, {ID: "U0MEERA", Real: "Meera Nair"}, {ID: "U0DEV", Real: "Dev Patel"}} {
		s.slack.AddUser(u)
	}
	s.slack.AddChannel(slacktest.Channel{ID: "C0SUPPORT", Members: []string{"U0ASHA", "U0MEERA"}})
	s.config = filepath.Join(s.dir, "config.yaml")
	text := fmt.Sprintf(`
dashboard: {base_url: %q}
slack: {bot_token: xoxb-1, app_token: xapp-1, api_url: %q}
ops: {listen: %q}
admins: [slack:U0DEV]
teams:
  - name: support
    channels: [slack:C0SUPPORT]
    supervisors: [slack:U0MEERA]
    members: [slack:U0ASHA]
%s`, api.URL, s.slack.APIURL(), s.ops, extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// look asks the ops listener.
func (s *slackSite) look(path string) (status int, body string) {
	s.t.Helper()
	resp, err := http.Get("http://" + s.ops + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// awaitReady waits until the program says that nothing is wrong with it.
func (s *slackSite) awaitReady() {
	s.t.Helper()
	for {
		status, body := s.look("/readyz")
		if status == http.StatusOK {
			return
		}
		select {
		case <-s.ctx.Done():
			s.t.Fatalf("the program does not get ready: %s", body)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// scrape reads the metrics.
func (s *slackSite) scrape() string {
	s.t.Helper()
	_, body := s.look("/metrics")
	return body
}

// serve runs the program until the test ends or stop is called.
func (s *slackSite) serve() {
	s.t.Helper()
	s.start()
	if _, err := s.slack.WaitSockets(s.ctx, 2); err != nil {
		s.t.Fatalf("serve did not connect: %v\n%s", err, s.log.String())
	}
}

// start is serve without waiting for a connection.
func (s *slackSite) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--config", s.config}, streams{strings.NewReader(""), &s.log, &s.log})
	}()
	var once sync.Once
	status := 0
	s.stop = func() int {
		once.Do(func() {
			cancel()
			status = <-done
		})
		return status
	}
	s.t.Cleanup(func() { s.stop() })
}

// command runs another command of the program.
func (s *slackSite) command(in string, args ...string) (string, int) {
	var out bytes.Buffer
	status := run(s.ctx, append(args, "--config", s.config), streams{strings.NewReader(in), &out, &out})
	return out.String(), status
}

// expect waits for an answer that holds a text, and returns it.
func (s *slackSite) expect(i *slacktest.Interaction, text string) slacktest.Message {
	s.t.Helper()
	m, err := i.WaitReply(s.ctx, func(m slacktest.Message) bool { return strings.Contains(m.Plain(), text) })
	if err != nil {
		var all []string
		for _, r := range i.Replies() {
			all = append(all, r.Plain())
		}
		s.t.Fatalf("no answer with %q: %v\n%s\nlog:\n%s", text, err, strings.Join(all, "\n---\n"), s.log.String())
	}
	if !m.Ephemeral() || m.For != "U0ASHA" {
		s.t.Errorf("the answer is not for its reader alone: %+v", m)
	}
	return m
}

// TestSlackFirstDay is the way of the README: serve, link in chat, ask for
// numbers, and what an administrator sees of it.
func TestSlackFirstDay(t *testing.T) {
	s := newSlackSite(t, "")
	s.serve()
	m := s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", ""), "Not linked yet")
	if _, err := s.slack.Press("U0ASHA", m, "Link my account"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", nil); err != nil {
		t.Fatal(err)
	}
	asha := s.floor.Agents()[0]
	if _, err := s.slack.SubmitView("U0ASHA", map[string]string{"User id": asha.UserID, "Token": asha.Token}); err != nil {
		t.Fatal(err)
	}
	view, err := s.slack.WaitView(s.ctx, "U0ASHA", func(v slacktest.View) bool { return strings.Contains(v.Plain(), "Your account is connected") })
	if err != nil {
		v, _ := s.slack.View("U0ASHA")
		t.Fatalf("%v\n%s\n%s", err, v.Plain(), s.log.String())
	}
	if strings.Contains(view.PrivateMetadata, asha.Token) {
		t.Error("the token is in the view's metadata")
	}
	card := s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "today"), "Calls offered")
	row, err := s.floor.Row(asha.UserID, time.Now())
	if err != nil || !strings.Contains(card.Plain(), row["TH"]) {
		t.Errorf("the card does not show the floor's %s calls: %v\n%s", row["TH"], err, card.Plain())
	}
	if out, status := s.command("", "links"); status != 0 || !strings.Contains(out, "slack:U0ASHA") {
		t.Errorf("links exits %d and says\n%s", status, out)
	}
	if out, status := s.command("", "doctor", "slack:U0ASHA", "--post"); status != 0 {
		t.Errorf("doctor exits %d and says\n%s", status, out)
	}
	if out, status := s.command("", "links", "--json"); status != 0 || !strings.Contains(out, `"name": "Asha Rao"`) {
		t.Errorf("the name is not the one that people know: exit %d\n%s", status, out)
	}
	for _, want := range []string{
		`floorwalker_network_connections{network="slack"} 2`, "floorwalker_network_heard_timestamp_seconds", "floorwalker_network_calls_total{",
		`floorwalker_command_duration_seconds_count{command="mystats",result="ok"}`, `floorwalker_api_calls_total{result="ok"}`,
	} {
		if !strings.Contains(s.scrape(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
	s.noSecrets(asha.Token)
}

// home waits until somebody's home page says something, and returns it.
func (s *slackSite) home(user, text string) slacktest.View {
	s.t.Helper()
	v, err := s.slack.WaitHome(s.ctx, user, func(v slacktest.View) bool { return strings.Contains(v.Plain(), text) })
	if err != nil {
		v, _ := s.slack.Home(user)
		s.t.Fatalf("the home page never says %q: %v\n%s\nlog:\n%s", text, err, v.Plain(), s.log.String())
	}
	return v
}

// TestSlackHome: somebody links on the home page, which then has their numbers,
// and stands as it is as long as nothing changes.
func TestSlackHome(t *testing.T) {
	s := newSlackSite(t, "")
	s.start()
	if _, err := s.slack.WaitSockets(s.ctx, 1); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	s.slack.OpenHome("U0ASHA")
	page := s.home("U0ASHA", "Not linked yet")
	if _, err := s.slack.Press("U0ASHA", page, "Link my account"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", nil); err != nil {
		t.Fatal(err)
	}
	asha := s.floor.Agents()[0]
	if _, err := s.slack.SubmitView("U0ASHA", map[string]string{"User id": asha.UserID, "Token": asha.Token}); err != nil {
		t.Fatal(err)
	}
	page = s.home("U0ASHA", "Calls offered")
	if _, err := s.slack.Press("U0ASHA", page, "Week"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", func(v slacktest.View) bool { return strings.Contains(v.Plain(), "this week") }); err != nil {
		t.Errorf("%v\n%s", err, s.log.String())
	}
	s.slack.OpenHome("U0MEERA")
	if page := s.home("U0MEERA", "Nothing fires now"); !strings.Contains(page.Plain(), "Quiet hours") {
		t.Errorf("a supervisor's page is\n%s", page.Plain())
	}
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
	s.noSecrets(asha.Token)
}

// noSecrets looks for secrets in the log and in every stored byte.
func (s *slackSite) noSecrets(secrets ...string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, secret := range append(secrets, "xoxb-1", "xapp-1") {
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("the log holds %q", secret)
		}
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && file != s.config && bytes.Contains(data, []byte(secret)) {
				s.t.Errorf("%s holds %q", filepath.Base(file), secret)
			}
		}
	}
}

// TestSlackRevoked: with its only network's token revoked, serve ends with
// status 2, so that nobody restarts it into a dead token.
func TestSlackRevoked(t *testing.T) {
	s := newSlackSite(t, "")
	s.slack.Revoke("token_revoked")
	out, status := s.command("", "serve")
	if status != exitUsage || !strings.Contains(out, "no chat network is left") {
		t.Errorf("serve exits %d and says\n%s", status, out)
	}
}
