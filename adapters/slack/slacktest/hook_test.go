package slacktest_test

import (
	"net/http"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

// command types a command that the app acknowledges with an answer.
func command(t *testing.T, s *slacktest.Server, p *peer, channel string, answer any) *slacktest.Interaction {
	t.Helper()
	i := s.Slash("U1", channel, "/mystats", "today")
	p.ack(p.want("slash_commands"), answer)
	if _, err := i.WaitAck(soon(t)); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestResponseURL(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	i := command(t, s, p, "C2", nil) // the bot is not in C2
	say := func(body obj) string {
		t.Helper()
		status, text, kind := post(t, i.ResponseURL, body)
		if status == http.StatusOK {
			if text != "" || kind != "" {
				t.Errorf("success is %q of type %q, want nothing", text, kind)
			}
			return ""
		}
		if status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("status %d", status)
		}
		return text
	}
	for n, c := range []struct {
		body obj
		want string
	}{
		{obj{"text": "one"}, ""},
		{obj{"text": "two", "replace_original": true}, ""}, // a command has no original
		{obj{"delete_original": true}, ""},
		{obj{"blocks": list{obj{"type": "nonsense"}}}, "invalid_blocks"},
		{obj{"text": "three", "response_type": "in_channel"}, ""},
		{obj{"text": "four"}, "used_url"},
	} {
		if got := say(c.body); got != c.want {
			t.Errorf("use %d: %q, want %q", n+1, got, c.want)
		}
	}
	if m := s.Ephemerals("U1"); len(m) != 2 || m[0].Plain() != "one" || m[1].Plain() != "two" {
		t.Errorf("the person sees %v", m)
	}
	m := s.Messages("C2")
	if len(m) != 2 || m[0].User != "U1" || m[0].Plain() != "/mystats today" || m[1].Plain() != "three" {
		t.Errorf("the channel sees %v, want the command and the answer", m)
	}
	if r := i.Replies(); len(r) != 3 {
		t.Errorf("%d replies", len(r))
	}
	i = command(t, s, p, "C2", nil)
	i.Expire()
	if got := say(obj{"text": "late"}); got != "expired_url" {
		t.Errorf("late: %q", got)
	}
}

func TestResponseURLExpires(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Response: time.Nanosecond}})
	p := connect(t, s)
	p.want("hello")
	i := command(t, s, p, "", nil)
	if status, text, _ := post(t, i.ResponseURL, obj{"text": "x"}); status != http.StatusNotFound || text != "expired_url" {
		t.Errorf("%d %q", status, text)
	}
}

func TestCommandReplace(t *testing.T) {
	s := start(t, slacktest.Options{CommandReplace: true})
	p := connect(t, s)
	p.want("hello")
	i := command(t, s, p, "C1", obj{"text": "from the ack"})
	post(t, i.ResponseURL, obj{"text": "fresh", "replace_original": true})
	if m := s.Ephemerals("U1"); len(m) != 1 || m[0].Plain() != "fresh" || m[0].Edits != 1 {
		t.Errorf("the person sees %v", m)
	}
	post(t, i.ResponseURL, obj{"delete_original": true})
	if m := s.Ephemerals("U1"); len(m) != 0 {
		t.Errorf("the person still sees %v", m)
	}
}

func TestPress(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	menu := obj{"type": "overflow", "action_id": "more", "options": list{
		obj{"text": obj{"type": "plain_text", "text": "Share"}, "value": "share"},
		obj{"text": obj{"type": "plain_text", "text": "Week"}, "value": "week"}}}
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{section("stats"), actions(button("refresh", "Refresh"), menu)}}).wants("")
	m := s.Messages("C1")[0]
	if m.Plain() != "stats\n[Refresh] {Share, Week}" {
		t.Errorf("shown as %q", m.Plain())
	}
	for _, what := range []string{"refresh", "Refresh"} {
		i, err := s.Press("U2", m, what)
		if err != nil {
			t.Fatal(err)
		}
		e := p.want("interactive")
		payload := e["payload"].(obj)
		action := payload["actions"].(list)[0].(obj)
		if payload["type"] != "block_actions" || action["value"] != "v-refresh" || action["block_id"] == "" ||
			payload["user"].(obj)["id"] != "U2" || payload["container"].(obj)["message_ts"] != m.TS ||
			payload["message"].(obj)["text"] != "x" || payload["response_url"] != i.ResponseURL {
			t.Errorf("payload %v", payload)
		}
		p.ack(e, nil)
	}
	i, err := s.Choose("U2", m, "more", "Week")
	if err != nil {
		t.Fatal(err)
	}
	e := p.want("interactive")
	p.ack(e, nil)
	if o := e["payload"].(obj)["actions"].(list)[0].(obj)["selected_option"].(obj); o["value"] != "week" {
		t.Errorf("chosen %v", o)
	}
	post(t, i.ResponseURL, obj{"text": "new", "replace_original": true})
	if now := s.Messages("C1"); len(now) != 1 || now[0].Plain() != "new" || len(i.Replies()) != 1 {
		t.Errorf("the channel sees %v", now)
	}
	if _, err := s.Press("U2", m, "refresh"); err == nil {
		t.Error("a button that is gone can be pressed")
	}
	post(t, i.ResponseURL, obj{"delete_original": true})
	if len(s.Messages("C1")) != 0 {
		t.Error("a deleted message stands")
	}
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{actions(button("refresh", "Refresh"))}}).wants("")
	m = s.Messages("C1")[0]
	call(t, s, "chat.delete", obj{"channel": "C1", "ts": m.TS}).wants("")
	if _, err := s.Press("U2", m, "refresh"); err == nil {
		t.Error("a message that is gone can be pressed")
	}
}

// The payload of a press on an ephemeral message does not repeat the message.
func TestPressEphemeral(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	command(t, s, p, "C1", obj{"text": "x", "blocks": list{actions(button("refresh", "Refresh"))}})
	m := s.Ephemerals("U1")[0]
	if _, err := s.Press("U2", m, "refresh"); err == nil {
		t.Error("others can press on an ephemeral message")
	}
	i, err := s.Press("U1", m, "refresh")
	if err != nil {
		t.Fatal(err)
	}
	e := p.want("interactive")
	payload := e["payload"].(obj)
	if payload["message"] != nil || payload["container"].(obj)["is_ephemeral"] != true {
		t.Errorf("payload %v", payload)
	}
	p.ack(e, nil)
	post(t, i.ResponseURL, obj{"text": "fresh", "replace_original": "true"})
	if now := s.Ephemerals("U1"); len(now) != 1 || now[0].Plain() != "fresh" {
		t.Errorf("the person sees %v", now)
	}
	if _, err := i.WaitReply(soon(t), func(m slacktest.Message) bool { return m.Plain() == "fresh" }); err != nil {
		t.Error(err)
	}
}
