package slacktest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

func TestTokens(t *testing.T) {
	s := start(t, slacktest.Options{})
	for _, c := range []struct{ token, method, want string }{
		{"xoxb-1", "auth.test", ""},
		{"", "auth.test", "not_authed"},
		{"xoxb-2", "auth.test", "invalid_auth"},
		{"xapp-1", "auth.test", "not_allowed_token_type"},
		{"xapp-1", "apps.connections.open", ""},
		{"xoxb-1", "apps.connections.open", "not_allowed_token_type"},
		{"xoxb-1", "chat.sing", "unknown_method"},
	} {
		a := callAs(t, s, c.token, c.method, nil).wants(c.want)
		if a.status != http.StatusOK {
			t.Errorf("%+v: status %d", c, a.status)
		}
	}
	if h := call(t, s, "auth.test", nil).header; h.Get("X-OAuth-Scopes") != "commands,chat:write,im:write,users:read,files:write" {
		t.Errorf("headers %v", h)
	}
}

// A token in the body counts for nothing.
func TestTokenOfTheFormIsNoToken(t *testing.T) {
	s := start(t, slacktest.Options{})
	for _, header := range []string{"", "Bearer xoxb-1"} {
		req, err := http.NewRequest("POST", s.APIURL()+"chat.postMessage?token=xoxb-1",
			strings.NewReader(url.Values{"token": {"xoxb-1"}, "channel": {"C1"}, "text": {"hello"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		want := "not_authed"
		if header != "" {
			req.Header.Set("Authorization", header)
			want = ""
		}
		do(t, req).wants(want)
	}
}

func TestRevoke(t *testing.T) {
	s := start(t, slacktest.Options{})
	call(t, s, "auth.test", nil).wants("")
	s.Revoke("token_revoked")
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x"}).wants("token_revoked")
	callAs(t, s, "xapp-1", "apps.connections.open", nil).wants("token_revoked")
	s.Revoke("")
	call(t, s, "auth.test", nil).wants("")
}

func TestScopes(t *testing.T) {
	s := start(t, slacktest.Options{Scopes: []string{"commands"}})
	for method, needed := range map[string]string{"chat.postMessage": "chat:write", "conversations.open": "im:write",
		"users.info": "users:read", "users.lookupByEmail": "users:read.email", "files.getUploadURLExternal": "files:write",
		"files.info": "files:read", "conversations.info": "channels:read"} {
		a := call(t, s, method, nil).wants("missing_scope")
		if a.str("needed") != needed || a.str("provided") != "commands" {
			t.Errorf("%s: needed %s, provided %s", method, a.str("needed"), a.str("provided"))
		}
	}
	s.SetScopes("users:read")
	if a := call(t, s, "users.info", obj{"user": "U1"}).wants(""); a.str("user", "profile", "email") != "" {
		t.Error("the address is shown without users:read.email")
	}
	s.SetScopes("users:read", "users:read.email")
	if a := call(t, s, "users.info", obj{"user": "U1"}).wants(""); a.str("user", "profile", "email") != "asha@example.com" {
		t.Error("no address in spite of users:read.email")
	}
	if a := call(t, s, "users.lookupByEmail", obj{"email": "asha@example.com"}).wants(""); a.str("user", "id") != "U1" {
		t.Errorf("found %v", a.body)
	}
	call(t, s, "users.lookupByEmail", obj{"email": "nobody@example.com"}).wants("users_not_found")
}

func TestPeople(t *testing.T) {
	s := start(t, slacktest.Options{})
	a := call(t, s, "users.info", obj{"user": "U1"}).wants("")
	if a.str("user", "tz") != "Asia/Kolkata" || a.body["user"].(obj)["tz_offset"] != 19800.0 {
		t.Errorf("zone %v", a.body["user"])
	}
	if a := call(t, s, "users.info", obj{"user": "U2"}).wants(""); a.body["user"].(obj)["tz"] != "" {
		t.Errorf("U2 has a zone: %v", a.body["user"])
	}
	if a := call(t, s, "users.info", obj{"user": "U3"}).wants(""); a.body["user"].(obj)["deleted"] != true {
		t.Errorf("U3 is not deactivated: %v", a.body["user"])
	}
	if a := call(t, s, "users.info", obj{"user": "U4"}).wants(""); a.body["user"].(obj)["is_stranger"] != true || a.str("user", "team_id") != "T0OTHER" {
		t.Errorf("U4 is not foreign: %v", a.body["user"])
	}
	call(t, s, "users.info", obj{"user": "U9"}).wants("user_not_found")
}

func TestOpenConversation(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.AddUser(slacktest.User{ID: "U5", NoDM: true})
	for users, want := range map[string]string{"U1": "", "U3": "user_disabled", "U9": "user_not_found", "U5": "user_not_visible",
		"U0BOT": "cannot_dm_bot", "": "users_list_not_supplied", "U1,U2": "invalid_user_combination"} {
		call(t, s, "conversations.open", obj{"users": users}).wants(want)
	}
	dm := call(t, s, "conversations.open", obj{"users": "U1"}).str("channel", "id")
	if !strings.HasPrefix(dm, "D") || dm != s.DM("U1") {
		t.Errorf("direct messages in %q", dm)
	}
	s.SetScopes("im:read")
	if a := call(t, s, "conversations.info", obj{"channel": dm}).wants(""); a.str("channel", "user") != "U1" {
		t.Errorf("info %v", a.body)
	}
	call(t, s, "conversations.info", obj{"channel": "C1"}).wants("missing_scope")
	call(t, s, "conversations.info", obj{"channel": "G1"}).wants("channel_not_found")
}

func TestDestinations(t *testing.T) {
	s := start(t, slacktest.Options{})
	for channel, want := range map[string]string{"C1": "", "U1": "", "C2": "not_in_channel", "C3": "is_archived", "G1": "channel_not_found",
		"C9": "channel_not_found", "U3": "channel_not_found", "": "channel_not_found"} {
		call(t, s, "chat.postMessage", obj{"channel": channel, "text": "x"}).wants(want)
	}
	s.SetScopes("chat:write", "chat:write.public")
	call(t, s, "chat.postMessage", obj{"channel": "C2", "text": "x"}).wants("")
	call(t, s, "chat.postEphemeral", obj{"channel": "C1", "user": "U1", "text": "x"}).wants("")
	call(t, s, "chat.postEphemeral", obj{"channel": "C1", "user": "U4", "text": "x"}).wants("user_not_in_channel")
	if len(s.Ephemerals("U1")) != 1 || len(s.Ephemerals("U2")) != 0 || len(s.Messages("C1")) != 1 {
		t.Error("an ephemeral message is seen by the wrong people")
	}
}

func TestPostUpdateDelete(t *testing.T) {
	s := start(t, slacktest.Options{})
	a := call(t, s, "chat.postMessage", obj{"channel": "U1", "text": "one", "blocks": list{section("block one")}}).wants("")
	dm, ts := a.str("channel"), a.str("ts")
	if dm != s.DM("U1") {
		t.Fatalf("posted to %q", dm)
	}
	call(t, s, "chat.update", obj{"channel": "U1", "ts": ts, "text": "two"}).wants("channel_not_found") // a user's id is not a channel's
	call(t, s, "chat.update", obj{"channel": dm, "ts": "1.1", "text": "two"}).wants("message_not_found")
	call(t, s, "chat.update", obj{"channel": dm, "ts": ts, "text": strings.Repeat("é", 4001)}).wants("msg_too_long")
	call(t, s, "chat.update", obj{"channel": dm, "ts": ts}).wants("no_text")
	call(t, s, "chat.update", obj{"channel": dm, "ts": ts, "text": "two"}).wants("")
	if m := s.Messages("U1")[0]; m.Plain() != "block one" || m.Text != "two" || m.Edits != 1 {
		t.Errorf("blocks that were not given are gone: %q", m.Plain())
	}
	call(t, s, "chat.update", obj{"channel": dm, "ts": ts, "text": "two", "blocks": list{}}).wants("")
	if m := s.Messages("U1")[0]; m.Plain() != "two" {
		t.Errorf("empty blocks left %q", m.Plain())
	}
	call(t, s, "chat.delete", obj{"channel": dm, "ts": ts}).wants("")
	call(t, s, "chat.delete", obj{"channel": dm, "ts": ts}).wants("message_not_found")
	call(t, s, "chat.update", obj{"channel": dm, "ts": ts, "text": "three"}).wants("message_not_found")
	if len(s.Messages("U1")) != 0 {
		t.Error("a deleted message stands")
	}
}

func TestContentLimits(t *testing.T) {
	s := start(t, slacktest.Options{})
	many := make(list, 101)
	for i := range many {
		many[i] = obj{"text": "x"}
	}
	meta := func(v any) obj { return obj{"channel": "C1", "text": "x", "metadata": v} }
	for want, arguments := range map[string]obj{
		"no_text":                 {"channel": "C1", "blocks": list{}},
		"invalid_blocks_format":   {"channel": "C1", "blocks": "section"},
		"too_many_attachments":    {"channel": "C1", "attachments": many},
		"invalid_attachments":     {"channel": "C1", "attachments": list{obj{"blocks": list{obj{"type": "nonsense"}}}}},
		"invalid_metadata_format": meta("x"),
		"invalid_metadata_schema": meta(obj{"event_type": "card"}),
		"metadata_too_large":      meta(obj{"event_type": "card", "event_payload": obj{"x": strings.Repeat("x", 16_000)}}),
		"thread_not_found":        {"channel": "C1", "text": "x", "thread_ts": "1.2"},
		"msg_blocks_too_long": {"channel": "C1", "blocks": list{section(strings.Repeat("x", 3000)), section(strings.Repeat("x", 3000)),
			section(strings.Repeat("x", 3000)), section(strings.Repeat("x", 3000)), section(strings.Repeat("x", 1201))}},
	} {
		call(t, s, "chat.postMessage", arguments).wants(want)
	}
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": strings.Repeat("é", 40_001),
		"metadata": obj{"event_type": "card", "event_payload": obj{"key": "k"}}}).wants("")
	m := s.Messages("C1")
	if len(m) != 1 || len([]rune(m[0].Text)) != 40_000 || m[0].Metadata["event_type"] != "card" {
		t.Errorf("%d messages, the last of %d characters", len(m), len(m[0].Text))
	}
}

func TestRateLimits(t *testing.T) {
	s := start(t, slacktest.Options{RateLimits: true})
	say := func() answer { return call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x"}) }
	a, stored := say(), 0
	for ; a.status == http.StatusOK && stored < 100; a = say() {
		stored++
	}
	a.wants("ratelimited")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" {
		t.Errorf("status %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	if n := len(s.Messages("C1")); n != stored || n < 3 {
		t.Errorf("%d messages stand of %d, want at least the burst of 3", n, stored)
	}
	call(t, s, "chat.postMessage", obj{"channel": "U1", "text": "x"}).wants("") // another channel is not limited
	opens := 0
	for opens < 100 && callAs(t, s, "xapp-1", "apps.connections.open", nil).status == http.StatusOK {
		opens++
	}
	if opens < 10 || opens == 100 {
		t.Errorf("%d opens at once, want about 10", opens)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, slacktest.Options{})
	say := func() answer { return call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x"}) }
	s.Fail("chat.postMessage", slacktest.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, 1)
	s.Fail("chat.postMessage", slacktest.Fault{Status: 429, Error: "message_limit_exceeded"}, 1)
	s.Fail("chat.postMessage", slacktest.Fault{Error: "fatal_error"}, 1)
	s.Fail("chat.postMessage", slacktest.Fault{Status: 503, Stored: true}, 1)
	s.Fail("chat.postMessage", slacktest.Fault{Error: "invalid_auth", Channel: "C2"}, 1)
	if a := say().wants("ratelimited"); a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	if a := say().wants("message_limit_exceeded"); a.status != 429 || a.header.Get("Retry-After") != "" {
		t.Errorf("status %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	say().wants("fatal_error")
	if len(s.Messages("C1")) != 0 {
		t.Error("a refused message stands")
	}
	if a := say().wants("service_unavailable"); a.status != 503 || len(s.Messages("C1")) != 1 {
		t.Errorf("status %d, %d messages, want a 503 and the message", a.status, len(s.Messages("C1")))
	}
	say().wants("") // the fault of C2 is not ours
	s.Fail("", slacktest.Fault{Delay: time.Millisecond}, -1)
	say().wants("")
	s.Fail("", slacktest.Fault{Error: "internal_error"}, -1)
	s.Heal()
	say().wants("")
	if c := s.Calls("chat.postMessage"); len(c) != 7 || c[2].Error != "fatal_error" || c[3].Status != 503 || c[6].Args["text"] != "x" {
		t.Errorf("calls %+v", c)
	}
}

func TestAcceptThenReset(t *testing.T) {
	s := start(t, slacktest.Options{})
	for _, stored := range []bool{false, true} {
		s.Fail("chat.postMessage", slacktest.Fault{Reset: true, Stored: stored}, 1)
		req, err := http.NewRequest("POST", s.APIURL()+"chat.postMessage", strings.NewReader(`{"channel":"C1","text":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer xoxb-1"}, "Content-Type": {"application/json"}}
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
			t.Error("answered")
		}
		if n := len(s.Messages("C1")); (n == 1) != stored {
			t.Errorf("stored %v: %d messages", stored, n)
		}
	}
	if c, err := s.WaitCall(soon(t), "chat.postMessage", func(c slacktest.Call) bool { return c.Status == 0 }); err != nil || c.Args["channel"] != "C1" {
		t.Errorf("call %+v, %v", c, err)
	}
}

func TestFiles(t *testing.T) {
	s := start(t, slacktest.Options{FileReadyAfter: 2, Scopes: []string{"chat:write", "files:write", "files:read"}})
	call(t, s, "files.getUploadURLExternal", obj{"filename": "x.png"}).wants("invalid_arguments")
	a := call(t, s, "files.getUploadURLExternal", obj{"filename": "x.png", "length": 4, "alt_txt": "a chart"}).wants("")
	id := a.str("file_id")
	complete := obj{"files": list{obj{"id": id, "title": "X"}}, "channel_id": "C1", "initial_comment": "here"}
	call(t, s, "files.completeUploadExternal", complete).wants("file_not_found") // nothing uploaded yet
	resp, err := http.Post(a.str("upload_url"), "application/octet-stream", strings.NewReader("\x89PNG"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != 200 || string(body) != "OK - 4" {
		t.Fatalf("upload: %d %q %v", resp.StatusCode, body, errors.Join(err))
	}
	complete["channel_id"] = "U1"
	call(t, s, "files.completeUploadExternal", complete).wants("channel_not_found")
	complete["channel_id"] = "C1"
	call(t, s, "files.completeUploadExternal", complete).wants("")
	if m := s.Messages("C1"); len(m) != 1 || m[0].Plain() != "here\n(file: x.png)" {
		t.Errorf("the channel sees %v", m)
	}
	image := obj{"channel": "C1", "blocks": list{obj{"type": "image", "slack_file": obj{"id": id}, "alt_text": "a chart"}}}
	e := call(t, s, "chat.postMessage", image).wants("invalid_blocks").body["errors"].(list)
	if e[0] != "invalid slack file [json-pointer:/blocks/0/slack_file]" {
		t.Errorf("errors %v", e)
	}
	if kind := call(t, s, "files.info", obj{"file": id}).wants("").str("file", "mimetype"); kind != "" {
		t.Errorf("ready too soon: %q", kind)
	}
	call(t, s, "chat.postMessage", image).wants("")
	if f := s.Files(); len(f) != 1 || string(f[0].Data) != "\x89PNG" || f[0].Alt != "a chart" || f[0].Channels[0] != "C1" {
		t.Errorf("files %+v", f)
	}
}
