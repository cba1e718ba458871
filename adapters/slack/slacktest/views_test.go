package slacktest_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

func words(s string) obj { return obj{"type": "plain_text", "text": s} }

// modal is a form with one required and one optional input.
func modal(title string) obj {
	return obj{"type": "modal", "title": words(title), "submit": words("Save"), "close": words("Cancel"), "callback_id": "link",
		"private_metadata": "m", "notify_on_close": true, "blocks": list{
			obj{"type": "input", "block_id": "token", "label": words("Token"), "element": obj{"type": "plain_text_input", "action_id": "t", "max_length": 5}},
			obj{"type": "input", "block_id": "team", "label": words("Team"), "optional": true, "element": obj{"type": "static_select", "action_id": "s",
				"options": list{obj{"text": words("Support"), "value": "support"}}}}}}
}

func with(o obj, key string, v any) obj {
	c := maps.Clone(o)
	c[key] = v
	return c
}

func without(o obj, key string) obj {
	c := maps.Clone(o)
	delete(c, key)
	return c
}

// openModal opens a modal for U1 and returns the trigger it took.
func openModal(t *testing.T, s *slacktest.Server, p *peer, view obj) string {
	t.Helper()
	i := command(t, s, p, "C1", nil)
	call(t, s, "views.open", obj{"trigger_id": i.TriggerID, "view": view}).wants("")
	return i.TriggerID
}

func TestTriggers(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	used := openModal(t, s, p, modal("Link"))
	old := command(t, s, p, "C1", nil)
	old.Expire()
	for trigger, want := range map[string]string{used: "exchanged_trigger_id", old.TriggerID: "expired_trigger_id", "x": "invalid_trigger_id"} {
		call(t, s, "views.open", obj{"trigger_id": trigger, "view": modal("Link")}).wants(want)
	}
	short := start(t, slacktest.Options{Times: slacktest.Times{Trigger: time.Nanosecond}})
	p = connect(t, short)
	p.want("hello")
	i := command(t, short, p, "C1", nil)
	call(t, short, "views.open", obj{"trigger_id": i.TriggerID, "view": modal("Link")}).wants("expired_trigger_id")
}

func TestViewLimits(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	blocks := make(list, 101)
	for i := range blocks {
		blocks[i] = obj{"type": "divider"}
	}
	big := make(list, 90)
	for i := range big {
		big[i] = section(strings.Repeat("x", 3000))
	}
	i := command(t, s, p, "C1", nil)
	for name, c := range map[string]struct {
		view obj
		code string
		says string
	}{
		"title":    {modal("a title that is far too long"), "invalid_arguments", "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"},
		"blocks":   {with(modal("x"), "blocks", blocks), "invalid_arguments", "[ERROR] no more than 100 items allowed [json-pointer:/view/blocks]"},
		"metadata": {with(modal("x"), "private_metadata", strings.Repeat("x", 3001)), "invalid_arguments", "[ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		"submit":   {without(modal("x"), "submit"), "invalid_arguments", "[ERROR] missing required field: submit [json-pointer:/view]"},
		"unknown":  {with(modal("x"), "colour", "red"), "invalid_arguments", "[ERROR] invalid additional property: colour [json-pointer:/view]"},
		"chart":    {with(modal("x"), "blocks", list{lineChart()}), "invalid_arguments", "[ERROR] unsupported type: data_visualization [json-pointer:/view/blocks/0/type]"},
		"size":     {with(modal("x"), "blocks", big), "view_too_large", ""},
	} {
		a := call(t, s, "views.open", obj{"trigger_id": i.TriggerID, "view": c.view}).wants(c.code)
		if c.says == "" {
			continue
		}
		meta, _ := a.body["response_metadata"].(obj)
		if m, _ := meta["messages"].(list); len(m) == 0 || m[0] != c.says {
			t.Errorf("%s: %v, want %s", name, m, c.says)
		}
	}
	call(t, s, "views.open", obj{"trigger_id": i.TriggerID, "view": modal("x")}).wants("") // none of them used the trigger up
}

func TestViewStack(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	openModal(t, s, p, modal("one"))
	for n, want := range []string{"", "", "push_limit_reached"} {
		i := command(t, s, p, "C1", nil)
		a := call(t, s, "views.push", obj{"trigger_id": i.TriggerID, "view": modal("more")}).wants(want)
		if n == 0 && a.str("view", "root_view_id") == a.str("view", "id") {
			t.Error("a pushed view is its own root")
		}
	}
	for range 3 {
		i, err := s.CloseView("U1")
		if err != nil {
			t.Fatal(err)
		}
		e := p.want("interactive")
		if e["payload"].(obj)["type"] != "view_closed" {
			t.Errorf("payload %v", e)
		}
		p.ack(e, nil)
		if _, err := i.WaitAck(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if _, open := s.View("U1"); open {
		t.Error("a modal is left")
	}
	if _, err := s.CloseView("U1"); err == nil {
		t.Error("nothing was closed without an error")
	}
}

func TestViewUpdate(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	openModal(t, s, p, with(modal("one"), "external_id", "e1"))
	v, _ := s.View("U1")
	call(t, s, "views.update", obj{"view_id": v.ID, "hash": v.Hash, "view": modal("two")}).wants("")
	call(t, s, "views.update", obj{"view_id": v.ID, "hash": v.Hash, "view": modal("three")}).wants("hash_conflict")
	call(t, s, "views.update", obj{"external_id": "e1", "view": modal("three")}).wants("not_found") // the update took the id away
	call(t, s, "views.update", obj{"view_id": v.ID, "view": with(modal("three"), "external_id", "e2")}).wants("")
	call(t, s, "views.update", obj{"external_id": "e2", "view": with(modal("four"), "external_id", "e2")}).wants("")
	if v, _ = s.View("U1"); v.Title != "four" || v.PrivateMetadata != "m" {
		t.Errorf("shown %+v", v)
	}
	i := command(t, s, p, "C1", nil)
	call(t, s, "views.push", obj{"trigger_id": i.TriggerID, "view": with(modal("x"), "external_id", "e2")}).wants("duplicate_external_id")
	if _, err := s.CloseView("U1"); err != nil {
		t.Fatal(err)
	}
	call(t, s, "views.update", obj{"view_id": v.ID, "view": modal("five")}).wants("not_found")
}

func TestSubmit(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	openModal(t, s, p, modal("Link"))
	for _, bad := range []map[string]string{{}, {"token": "123456"}, {"token": "1", "team": "sales"}, {"token": "1", "colour": "red"}} {
		if _, err := s.SubmitView("U1", bad); err == nil {
			t.Errorf("%v was sent", bad)
		}
	}
	submit := func(values map[string]string, answer any) obj {
		t.Helper()
		i, err := s.SubmitView("U1", values)
		if err != nil {
			t.Fatal(err)
		}
		e := p.want("interactive")
		if e["accepts_response_payload"] != true {
			t.Error("the ack of a submission may not carry an answer")
		}
		p.ack(e, answer)
		if _, err := i.WaitAck(soon(t)); err != nil {
			t.Fatal(err)
		}
		return e["payload"].(obj)
	}
	state := submit(map[string]string{"Token": "abc", "s": "Support"}, obj{"response_action": "errors", "errors": obj{"token": "wrong"}})["view"].(obj)["state"].(obj)["values"].(obj)
	if state["token"].(obj)["t"].(obj)["value"] != "abc" || state["team"].(obj)["s"].(obj)["selected_option"].(obj)["value"] != "support" {
		t.Errorf("state %v", state)
	}
	if v, _ := s.View("U1"); v.Errors["token"] != "wrong" || !strings.Contains(v.Plain(), "! wrong") {
		t.Errorf("the person sees %q", v.Plain())
	}
	submit(map[string]string{"token": "abc"}, obj{"response_action": "errors", "errors": obj{"t": "an action_id is no block_id"}})
	if v, _ := s.View("U1"); v.Failure == "" || v.Errors != nil {
		t.Errorf("errors at an unknown block: failure %q, errors %v", v.Failure, v.Errors)
	}
	submit(map[string]string{"token": "abc"}, obj{"response_action": "update", "view": modal("a title that is far too long")})
	if v, _ := s.View("U1"); v.Failure == "" || v.Title != "Link" {
		t.Errorf("an invalid update: failure %q, title %q", v.Failure, v.Title)
	}
	submit(map[string]string{"token": "abc"}, obj{"response_action": "push", "view": modal("Sure?")})
	submit(map[string]string{"token": "abc"}, obj{"response_action": "update", "view": modal("Done")})
	if v, _ := s.View("U1"); v.Title != "Done" {
		t.Errorf("on top: %q", v.Title)
	}
	submit(map[string]string{"token": "abc"}, nil)
	if v, _ := s.View("U1"); v.Title != "Link" {
		t.Errorf("an empty answer did not close the top view: %q", v.Title)
	}
	submit(map[string]string{"token": "abc"}, obj{"response_action": "clear"})
	if _, open := s.View("U1"); open {
		t.Error("a modal is left after clear")
	}
}

// Nobody acknowledges the submission: the person is told, the modal stays.
func TestSubmitInVain(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{}, Ack: time.Millisecond}})
	p := connect(t, s)
	p.want("hello")
	i := s.Slash("U1", "C1", "/mystats", "")
	call(t, s, "views.open", obj{"trigger_id": i.TriggerID, "view": modal("Link")}).wants("")
	i, err := s.SubmitView("U1", map[string]string{"token": "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.WaitOver(soon(t)); err != nil {
		t.Fatal(err)
	}
	if v, open := s.View("U1"); !open || v.Failure == "" || i.Failure() != "operation_timeout" {
		t.Errorf("open %v, the person sees %q", open, v.Plain())
	}
}

func TestHome(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	s.OpenHome("U1")
	e := p.want("events_api")
	p.ack(e, nil)
	inner := e["payload"].(obj)["event"].(obj)
	if inner["type"] != "app_home_opened" || inner["user"] != "U1" || inner["tab"] != "home" || inner["view"] != nil {
		t.Errorf("event %v", inner)
	}
	home := obj{"type": "home", "blocks": list{section("Hello"), actions(button("go", "Go"))}}
	call(t, s, "views.publish", obj{"user_id": "U9", "view": home}).wants("user_not_found")
	call(t, s, "views.publish", obj{"user_id": "U1", "view": modal("x")}).wants("invalid_arguments")
	call(t, s, "views.publish", obj{"user_id": "U1", "view": with(home, "blocks", list{lineChart()})}).wants("invalid_arguments")
	if _, ok := s.Home("U1"); ok {
		t.Error("a refused home is shown")
	}
	hash := call(t, s, "views.publish", obj{"user_id": "U1", "view": home}).wants("").str("view", "hash")
	call(t, s, "views.publish", obj{"user_id": "U1", "view": home, "hash": hash}).wants("")
	call(t, s, "views.publish", obj{"user_id": "U1", "view": home, "hash": hash}).wants("hash_conflict")
	v, err := s.WaitHome(soon(t), "U1", nil)
	if err != nil || v.Plain() != "Hello\n[Go]" {
		t.Fatalf("home %q, %v", v.Plain(), err)
	}
	if _, err := s.Press("U2", v, "go"); err == nil {
		t.Error("somebody else's home can be pressed")
	}
	if _, err := s.Press("U1", v, "go"); err != nil {
		t.Fatal(err)
	}
	payload := p.want("interactive")["payload"].(obj)
	if payload["response_url"] != nil || payload["container"].(obj)["view_id"] != v.ID || payload["view"].(obj)["type"] != "home" {
		t.Errorf("payload %v", payload)
	}
	s.OpenHome("U1")
	if inner := p.want("events_api")["payload"].(obj)["event"].(obj); inner["view"].(obj)["id"] != v.ID {
		t.Errorf("event %v", inner)
	}
}
