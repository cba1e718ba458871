package slack

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// judge starts one of the scripts that run others' code as a server, until the
// test ends, and returns its address. Without node or its packages the test is
// skipped.
func judge(t *testing.T, module, script string, args ...string) string {
	t.Helper()
	const dir = "slacktest/testdata/node"
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/slack/" + dir + ")")
	}
	if _, err := fs.Stat(os.DirFS(dir), "node_modules/"+module); err != nil {
		t.Skip("skipped: others' code is not installed (run npm ci in adapters/slack/" + dir + ")")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.Dir, cmd.Stderr = dir, t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() // how it ends is of no interest
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s says no address: %v", script, err)
	}
	return strings.TrimSpace(address)
}

// Slack's own receiver and ours judge the same of every request, but for one
// thing: it takes what is stamped in the future, which we do not.
func TestBoltJudgesTheSame(t *testing.T) {
	bolt := judge(t, "@slack/bolt", "bolt.mjs", "signing-secret")
	srv := workspace(t, slacktest.Options{})
	ours := httptest.NewServer(adapterWith(t, httpConfig(srv, io.Discard)).Handler())
	t.Cleanup(ours.Close)
	ask := func(to string, p post) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to+p.path, strings.NewReader(p.body))
		if err != nil {
			t.Fatal(err)
		}
		if p.at.IsZero() {
			p.at = time.Now()
		}
		fill(req.Header, slacktest.Sign("signing-secret", p.at, []byte(p.body)))
		if p.edit != nil {
			p.edit(req.Header)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	all := map[string]post{
		"genuine":                    {path: pathCommand, body: "command=%2Fmystats&text=gr%C3%BC%C3%9Fe+%26+100+%25"},
		"genuine form":               {path: pathInteract, body: url.Values{"payload": {`{"type":"view_closed"}`}}.Encode()},
		"late":                       {path: pathCommand, body: "text=", at: time.Now().Add(-4 * time.Minute)},
		"a probe that nobody signed": {path: pathCommand, body: "ssl_check=1&token=x", edit: func(h http.Header) { clear(h) }},
		"a probe in words":           {path: pathCommand, body: "text=ssl_check%3D1", edit: func(h http.Header) { clear(h) }},
	}
	maps.Copy(all, forgeries())
	accepted := 0
	for name, p := range all {
		theirs, own := ask(bolt, p), ask(ours.URL, p)
		if name == "early" {
			if theirs != http.StatusOK || own != http.StatusUnauthorized {
				t.Errorf("%s: bolt says %d, we say %d; want 200 and 401, or there is no exception any more", name, theirs, own)
			}
			continue
		}
		if theirs != own {
			t.Errorf("%s: bolt says %d, we say %d", name, theirs, own)
		}
		if own == http.StatusOK {
			accepted++
		}
	}
	if accepted != 4 {
		t.Errorf("%d requests were accepted, want 4", accepted)
	}
}

// A Slack that others wrote takes our calls: names, messages and edits, direct
// messages, files, windows and the home page, with the scopes that the manifest
// asks for and no other.
func TestEmulatedSlack(t *testing.T) {
	const admin, team = "U000000001", "T000000001"
	at := judge(t, "emulate", "emulate.mjs")
	witness := func(method string, args url.Values, into any) {
		t.Helper()
		emulated(t, at, "xoxp-witness", method, args, into)
	}
	a := adapterWith(t, Config{
		Mode: ModeHTTP, BotToken: secret.New("xoxb-emulated"), SigningSecret: secret.New("signing-secret"), APIURL: at + "/api/",
	})
	var list struct {
		Channels []struct{ ID, Name string }
	}
	witness("conversations.list", nil, &list)
	channel := ""
	for _, c := range list.Channels {
		if c.Name == "support" {
			channel = c.ID
		}
	}
	var workspace string
	ctx := t.Context()
	srv := slacktest.New(slacktest.Options{}) // for running's sake: it is never called
	t.Cleanup(srv.Close)
	bot := &app{handle: func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind == chat.KindHome {
			return chat.Reply{Page: []chat.Message{note("Today", "42 calls")}}, nil
		}
		return chat.Ask(linkForm()), nil
	}}
	a.config.Workspace = func(_ context.Context, id string) error { workspace = id; return nil }
	r := run(t, srv, a, bot)
	if workspace != team {
		t.Errorf("the workspace is %q", workspace)
	}
	if p, err := a.Lookup(ctx, admin); err != nil || p.Name != "admin" {
		t.Errorf("Lookup: %+v, %v", p, err)
	}
	m := chat.Message{Title: "Shift summary <!channel>", Tone: chat.Warning, Blocks: []chat.Block{chat.Fields{{Label: "Calls", Value: "42"}}},
		Actions: []chat.Action{{ID: "x", Label: "Press"}}}
	sent, err := a.Send(ctx, chat.Outgoing{To: person(channel), Message: m, Key: "digest/1"})
	r.must(err)
	m.Title = "Shift summary, complete"
	r.must(a.Edit(ctx, sent, m))
	var history struct {
		Messages []struct{ Text, TS string }
	}
	witness("conversations.history", url.Values{"channel": {channel}}, &history)
	if len(history.Messages) != 1 || !strings.Contains(history.Messages[0].Text, "Shift summary, complete") || channel+":"+history.Messages[0].TS != sent.ID {
		t.Errorf("the channel reads %+v", history.Messages)
	}
	private := note("Just you", "psst")
	private.Files = []chat.File{{Name: "export.json", Type: "application/json", Data: []byte(`{"a":1}`)}}
	_, err = a.Send(ctx, chat.Outgoing{To: person(admin), Message: private})
	r.must(err)
	if _, err := a.Send(ctx, chat.Outgoing{To: person("C0NOWHERE"), Message: m}); !errors.Is(err, chat.ErrGone) {
		t.Errorf("a channel that does not exist: %v, want ErrGone", err)
	}
	var trigger struct {
		ID string `json:"trigger_id"`
	}
	emulated(t, at, "xoxb-emulated", "views.generateTriggerId", url.Values{"user_id": {admin}}, &trigger)
	command := url.Values{"command": {"/floor"}, "text": {"link"}, "team_id": {team}, "user_id": {admin}, "channel_id": {channel}, "trigger_id": {trigger.ID}}
	home := `{"type":"event_callback","team_id":"` + team + `","event_id":"Ev1","event":{"type":"app_home_opened","tab":"home","user":"` + admin + `"}}`
	for _, p := range []post{{path: pathCommand, body: command.Encode()}, {path: pathEvent, body: home}, {path: pathEvent, body: strings.Replace(home, "Ev1", "Ev2", 1)}} {
		if w := p.to(a.Handler(), "signing-secret"); w.Code != http.StatusOK {
			t.Errorf("%s: answered %d %s", p.path, w.Code, w.Body)
		}
	}
	r.must(r.stop())
	calls := a.Stats().Calls
	for method, want := range map[string]int64{"views.open": 1, "views.publish": 2, "files.completeUploadExternal": 1, "chat.update": 1} {
		if calls[method] != want {
			t.Errorf("%s was called %d times, want %d", method, calls[method], want)
		}
	}
	poor := adapterWith(t, Config{Mode: ModeHTTP, BotToken: secret.New("xoxb-poor"), APIURL: at + "/api/"})
	if _, err := poor.Send(ctx, chat.Outgoing{To: person(channel), Message: m}); !errors.Is(err, chat.ErrRefused) || !strings.Contains(err.Error(), "chat:write") {
		t.Errorf("without a scope: %v, want ErrRefused that names it", err)
	}
}

// emulated calls a method of the emulated Slack.
func emulated(t *testing.T, at, token, method string, args url.Values, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/api/"+method, strings.NewReader(args.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil || !strings.Contains(string(body), `"ok":true`) {
		t.Fatalf("%s: %v: %s", method, err, body)
	}
}
