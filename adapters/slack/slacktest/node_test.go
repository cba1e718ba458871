package slacktest_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

// judge prepares one of the scripts that run Slack's own code. Without node or
// its packages the test is skipped; how to get them is said once per test.
func judge(t *testing.T, script string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/slack/slacktest/testdata/node)")
	}
	if _, err := fs.Stat(os.DirFS("testdata/node"), "node_modules/@slack/bolt"); err != nil {
		t.Skip("skipped: Slack's clients are not installed (run npm ci in adapters/slack/slacktest/testdata/node)")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.Dir = "testdata/node"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// Slack's own Socket Mode client connects, acknowledges, follows a recycled
// connection and closes cleanly.
func TestSlackSocketModeClient(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Ack: 30 * time.Second}}) // node may be slow to start
	cmd, out := judge(t, "socket.mjs", s.APIURL())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			t.Logf("node says: %s", out)
		}
	}()
	say := func(text string) {
		t.Helper()
		i := s.Slash("U1", "C1", "/mystats", text)
		if _, err := i.WaitAck(soon(t)); err != nil {
			t.Fatal(err)
		}
		m, err := i.WaitReply(soon(t), nil)
		if err != nil || m.Plain() != "heard /mystats "+text {
			t.Fatalf("reply %q, %v", m.Plain(), err)
		}
	}
	first, err := s.WaitSockets(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	say("today")
	if _, err := s.OpenHome("U1").WaitAck(soon(t)); err != nil {
		t.Fatal(err)
	}
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{actions(button("b", "B"))}}).wants("")
	i, err := s.Press("U1", s.Messages("C1")[0], "B")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.WaitAck(soon(t)); err != nil {
		t.Fatal(err)
	}
	first[0].Disconnect("refresh_requested")
	if _, err := s.WaitSockets(soon(t), 0); err != nil {
		t.Fatal(err)
	}
	second, err := s.WaitSockets(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	say("bye")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitSockets(soon(t), 0); err != nil {
		t.Fatal(err)
	}
	for n, c := range []*slacktest.Socket{first[0], second[0]} {
		if code, closed := c.Closed(); !closed || code != 1000 {
			t.Errorf("connection %d ended with %d, want a clean close", n+1, code)
		}
	}
}

// Slack's own Web API client understands the answers and the errors.
func TestSlackWebAPIClient(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Trigger: 30 * time.Second}})
	s.Fail("conversations.open", slacktest.Fault{}, 1)
	s.Fail("conversations.open", slacktest.Fault{Status: 429, RetryAfter: 7 * time.Second}, 1)
	fresh, stale := s.Slash("U1", "C1", "/mystats", ""), s.Slash("U1", "C1", "/mystats", "")
	stale.Expire()
	cmd, out := judge(t, "webapi.mjs", s.APIURL(), fresh.TriggerID, stale.TriggerID)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := s.Messages("C1")
	if len(m) != 2 || m[0].Plain() != "43 calls" || m[1].Plain() != "all of it\n(file: export.json)" {
		t.Errorf("the channel sees %v", m)
	}
	if f := s.Files(); len(f) != 1 || string(f[0].Data) != "{}" {
		t.Errorf("files %v", f)
	}
	for _, c := range s.Calls("") {
		if c.Token == "" {
			t.Errorf("%s came without the token in the header", c.Method)
		}
	}
}

// Slack's own check accepts what the fake signs and nothing that was changed.
func TestSlackSignatureCheck(t *testing.T) {
	type request struct {
		Name    string      `json:"name"`
		Secret  string      `json:"secret"`
		Body    string      `json:"body"`
		Headers http.Header `json:"headers"`
		Good    bool        `json:"good"`
	}
	a := newApp(t, status(200))
	s := start(t, slacktest.Options{SigningSecret: "shh"})
	s.UseHTTP(a.endpoints())
	for _, i := range []*slacktest.Interaction{s.Slash("U1", "C1", "/mystats", "grüße & 100 %"), s.Event(obj{"type": "x"})} {
		if _, err := i.WaitAck(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	now, body := time.Now(), "payload=x"
	requests := []request{
		{"signed", "shh", body, slacktest.Sign("shh", now, []byte(body)), true},
		{"changed body", "shh", body + "y", slacktest.Sign("shh", now, []byte(body)), false},
		{"301 s old", "shh", body, slacktest.Sign("shh", now.Add(-302*time.Second), []byte(body)), false},
		{"other secret", "shh", body, slacktest.Sign("psst", now, []byte(body)), false},
	}
	for _, r := range a.requests() {
		requests = append(requests, request{"sent to " + r.path, "shh", string(r.body), r.header, true})
	}
	in, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	cmd, out := judge(t, "verify.mjs")
	cmd.Stdin = bytes.NewReader(in)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
