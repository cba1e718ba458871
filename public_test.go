package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/adapters/web"
)

// browse gets a page, or sends a form from it, as a browser does.
func (s *slackSite) browse(address string, form url.Values) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.ctx, "GET", address, nil)
	if form != nil {
		r, err = http.NewRequestWithContext(s.ctx, "POST", address, strings.NewReader(form.Encode()))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log.String())
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// button returns the address that a button of a message opens.
func button(t *testing.T, m slacktest.Message) string {
	t.Helper()
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			if e, ok := e.(map[string]any); ok {
				if u, ok := e["url"].(string); ok {
					return u
				}
			}
		}
	}
	t.Fatalf("no button opens a page: %s", m.Plain())
	return ""
}

// TestLinkPage is the way of somebody who links on a page: asked for in chat, a
// wrong token, the right one, and the word in chat.
func TestLinkPage(t *testing.T) {
	at := freeAddress(t)
	s := newSlackSite(t, fmt.Sprintf("http: {listen: %q, public_url: \"http://%s/\"}\n", at, at))
	s.start()
	if _, err := s.slack.WaitSockets(s.ctx, 1); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	page := button(t, s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/floor", "link"), "Open the page"))
	ticket, ours := strings.CutPrefix(page, "http://"+at+"/link/")
	if !ours || len(ticket) != 43 {
		t.Fatalf("the page is at %s", page)
	}
	status, body := s.browse(page, nil)
	for _, want := range []string{"Asha Rao", "Slack · Example", "U0ASHA", "/floor unlink"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page (status %d) does not say %q", status, want)
		}
	}

	asha := s.floor.Agents()[0]
	enter := url.Values{"user_id": {asha.UserID}, "token": {"wrong-token-4711"}, "confirm": {"yes"}}
	if status, body := s.browse(page, enter); status != http.StatusUnprocessableEntity || !strings.Contains(body, "does not accept") {
		t.Errorf("a wrong token: status %d\n%s", status, body)
	}
	enter.Set("token", asha.Token)
	if status, body := s.browse(page, enter); status != http.StatusOK || !strings.Contains(body, "You are linked") {
		t.Errorf("the right token: status %d\n%s\n%s", status, body, s.log.String())
	}
	told := func(m slacktest.Message) bool { return strings.Contains(m.Plain(), "Your account is connected") }
	for !slices.ContainsFunc(s.slack.Ephemerals("U0ASHA"), told) && !slices.ContainsFunc(s.slack.Messages(s.slack.DM("U0ASHA")), told) {
		if s.ctx.Err() != nil { // it comes in the place of the answer or, if that takes Slack too long, in a message
			t.Fatalf("nobody was told in chat\n%s", s.log.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status, _ := s.browse(page, nil); status != http.StatusNotFound {
		t.Errorf("the page is used, and opens with status %d", status)
	}
	s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "today"), "Calls offered")
	if out, status := s.command("", "audit"); status != 0 || !strings.Contains(out, "on a link page") {
		t.Errorf("audit exits %d and says\n%s", status, out)
	}
	metrics := s.scrape()
	for _, want := range []string{`_requests_total{route="/link/…",status="2xx"} 2`, `_requests_total{route="/link/…",status="4xx"} 2`, "_requests_throttled_total 0"} {
		if !strings.Contains(metrics, "floorwalker_public"+want+"\n") || strings.Contains(metrics, ticket) {
			t.Errorf("the metrics have no floorwalker_public%s", want)
		}
	}
	s.noSecrets(asha.Token, "wrong-token-4711", ticket) // the files are open, so this is what a kill would leave
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
	s.noSecrets(asha.Token, "wrong-token-4711", ticket)
	if !strings.Contains(s.log.String(), "route=/link/…") {
		t.Errorf("requests of the page are not logged:\n%s", s.log.String())
	}
}

// TestSlackOverHTTP has Slack call the public listener.
func TestSlackOverHTTP(t *testing.T) {
	at := freeAddress(t)
	s := newSlackSite(t, fmt.Sprintf("http: {listen: %q}\n", at))
	s.rewrite("slack: {bot_token: xoxb-1, app_token: xapp-1,", "slack: {mode: http, bot_token: xoxb-1, signing_secret: signing-secret,")
	s.slack.UseHTTP(slacktest.Endpoints{Command: "http://" + at + "/slack/command", Interact: "http://" + at + "/slack/interact", Event: "http://" + at + "/slack/event"})
	s.start()
	for !strings.Contains(s.log.String(), "signed in") && s.ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	var m slacktest.Message
	for !strings.Contains(m.Plain(), "Not linked yet") { // for a moment it still asks to try again
		var err error
		if m, err = s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "").WaitReply(s.ctx, nil); err != nil {
			t.Fatalf("%v\n%s", err, s.log.String())
		}
	}
	if _, err := s.slack.Press("U0ASHA", m, "Link my account"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", nil); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	for path, want := range map[string]int{"/slack/command": http.StatusUnauthorized, "/link/" + strings.Repeat("x", 43): http.StatusNotFound, "/discord/interactions": http.StatusNotFound} {
		if status, body := s.browse("http://"+at+path, url.Values{"command": {"/mystats"}}); status != want {
			t.Errorf("%s: status %d: %s", path, status, body)
		}
	}
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
}

// TestPublicListenerStarts and stops around the networks: it answers once they
// run, they run until the last request is answered, and readiness knows.
func TestPublicListenerStarts(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	server, err := web.New(web.Config{Callbacks: []web.Callback{{Path: "/slack/command", Methods: "POST", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-goOn
	})}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	health := &Health{}
	p := &public{server, l, health}
	health.Set(publicPart, "not answering yet")
	ctx, cancel := context.WithCancel(t.Context())
	g, ctx := errgroup.WithContext(ctx)
	var networks context.Context
	p.start(ctx, g, func(ctx context.Context) {
		networks = ctx
		if health.Reasons(time.Now())[publicPart] == "" {
			t.Error("it is ready before the networks run")
		}
	})
	if reason := health.Reasons(time.Now())[publicPart]; reason != "" {
		t.Errorf("it is not ready: %s", reason)
	}
	answered := make(chan error, 1)
	go func() {
		resp, err := http.Post("http://"+l.Addr().String()+"/slack/command", "", nil)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	<-began
	cancel()
	select {
	case <-networks.Done():
		t.Error("the networks stop with a request under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	if err := <-answered; err != nil {
		t.Errorf("what was under way: %v", err)
	}
	if err := g.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if networks.Err() == nil || health.Reasons(time.Now())[publicPart] == "" {
		t.Error("it ended, and the networks run on, or readiness does not know")
	}
}

// TestPublicListenerTaken: an address that somebody else has is said by its key.
func TestPublicListenerTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newSlackSite(t, fmt.Sprintf("http: {listen: %q}\n", l.Addr().String()))
	if out, status := s.command("", "serve"); status != 1 || !strings.Contains(out, "http.listen: ") || !strings.Contains(out, "choose another address") {
		t.Errorf("serve exits %d and says\n%s", status, out)
	}
}
