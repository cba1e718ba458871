package discordtest_test

import (
	"slices"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

// listening makes a network where people can use any command, with a peer that
// listens.
func listening(t *testing.T) (*discordtest.Server, *peer) {
	t.Helper()
	s := start(t, discordtest.Options{AnyCommand: true})
	p, _ := connect(t, s)
	return s, p
}

func TestFirstAnswer(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	call(t, s, "POST /interactions/99/"+i.Token+"/callback", obj{"type": 4, "data": obj{"content": "x"}}).wants(404, 10062)
	call(t, s, "POST /interactions/"+i.ID+"/nonsense/callback", obj{"type": 4, "data": obj{"content": "x"}}).wants(404, 10062)
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "x"}).wants(404, 10015) // nothing was answered
	call(t, s, hook(s, i, "POST", ""), obj{"content": "x"}).wants(404, 10015)
	respond(t, s, i, 1, nil, "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, i, 6, nil, "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, i, 7, obj{"content": "x"}, "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, i, 4, obj{}, "").wants(400, 50006)
	call(t, s, "POST /interactions/"+i.ID+"/"+i.Token+"/callback", obj{"type": 4, "data": obj{"content": "x"}, "date": 1}).wrong("date", "UNKNOWN_KEY")
	a := respond(t, s, i, 4, obj{"content": "hello"}, "?with_response=true").wants(200, 0)
	if a.str("resource", "message", "content") != "hello" || a.str("interaction", "id") != i.ID || a.get("interaction", "response_message_ephemeral") != false {
		t.Errorf("answer %s", a.raw)
	}
	respond(t, s, i, 4, obj{"content": "again"}, "").wants(400, 40060)
	respond(t, s, i, 5, nil, "").wants(400, 40060)
	if m := s.Messages(support); len(m) != 1 || m[0].Content != "hello" {
		t.Errorf("the channel shows %v", m)
	}
	if ack, there := i.Ack(); !there || ack.Type != discordtest.AnswerMessage || i.Failure() != "" || len(s.Acks()) != 1 {
		t.Errorf("ack %+v, %v, %q", ack, there, i.Failure())
	}
}

func TestEphemeral(t *testing.T) {
	s, p := listening(t)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	p.event("INTERACTION_CREATE")
	respond(t, s, i, 4, obj{"content": "secret <@" + meera + ">", "flags": 64, "components": list{row(button("b", "B"))}}, "").wants(204, 0)
	id := call(t, s, hook(s, i, "GET", "@original"), nil).wants(200, 0).str("id")
	for _, route := range []string{"GET ", "PATCH ", "DELETE "} {
		call(t, s, route+"/channels/"+support+"/messages/"+id, nil).wants(404, 10008)
	}
	if l := call(t, s, "GET /channels/"+support+"/messages", nil).body.(list); len(l) != 0 {
		t.Errorf("the channel lists %v", l)
	}
	hers, others := s.Ephemerals(asha), s.Ephemerals(meera)
	if len(hers) != 1 || !hers[0].Ephemeral() || len(hers[0].Pings) != 0 || len(others) != 0 || len(s.Messages(support)) != 0 {
		t.Errorf("she sees %v, others %v", hers, others)
	}
	if len(s.Screen(asha)) != 1 || len(s.Screen(meera)) != 0 {
		t.Errorf("screens %v and %v", s.Screen(asha), s.Screen(meera))
	}
	if _, err := s.Press(meera, hers[0], "B"); err == nil {
		t.Error("somebody else pressed its button")
	}
	press := ok(s.Press(asha, hers[0], "B"))(t)
	if e := (answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}); e.get("message", "flags") != 64.0 || e.str("message", "id") != id {
		t.Errorf("press %v", e.body)
	}
	respond(t, s, press, 6, nil, "").wants(204, 0)
	call(t, s, hook(s, press, "PATCH", "@original"), obj{"content": "fresh"}).wants(200, 0)
	if m := ok(press.WaitReply(soon(t), nil))(t); m.ID != id || m.Content != "fresh" || m.For != asha {
		t.Errorf("after a press: %+v", m)
	}
	call(t, s, hook(s, i, "DELETE", "@original"), nil).wants(204, 0)
	call(t, s, hook(s, press, "PATCH", "@original"), obj{"content": "x"}).wants(404, 10008)
	if _, err := s.Press(asha, hers[0], "B"); err == nil {
		t.Error("the button of a deleted message was pressed")
	}
}

func TestDeferred(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	respond(t, s, i, 5, obj{"flags": 64 | 4, "content": "ignored"}, "").wants(204, 0)
	if m := s.Ephemerals(asha); len(m) != 1 || !m[0].Thinking() || m[0].Plain() != "(thinking…)" || len(i.Replies()) != 0 {
		t.Errorf("she sees %+v", m)
	}
	// The first follow-up takes the place of the placeholder, and is as private.
	a := call(t, s, hook(s, i, "POST", ""), obj{"content": "one"}).wants(200, 0)
	b := call(t, s, hook(s, i, "POST", ""), obj{"content": "two"}).wants(200, 0)
	c := call(t, s, hook(s, i, "POST", ""), obj{"content": "three", "flags": 64}).wants(200, 0)
	if m := s.Ephemerals(asha); len(m) != 2 || m[0].ID != a.str("id") || m[0].Content != "one" || m[1].ID != c.str("id") {
		t.Errorf("she sees %+v", m)
	}
	if m := s.Messages(support); len(m) != 1 || m[0].ID != b.str("id") {
		t.Errorf("the channel shows %+v", m)
	}
	call(t, s, hook(s, i, "PATCH", b.str("id")), obj{"content": "TWO"}).wants(200, 0)
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "ONE"}).wants(200, 0)
	call(t, s, hook(s, i, "PATCH", "99"), obj{"content": "x"}).wants(404, 10008)
	call(t, s, hook(s, i, "DELETE", c.str("id")), nil).wants(204, 0)
	var got []string
	for _, m := range i.Replies() {
		got = append(got, m.Content)
	}
	if !slices.Equal(got, []string{"ONE", "TWO"}) {
		t.Errorf("replies %q", got)
	}
	// Who sees it was settled by the deferred answer.
	public := ok(s.Slash(asha, support, "mystats"))(t)
	respond(t, s, public, 5, nil, "").wants(204, 0)
	call(t, s, hook(s, public, "PATCH", "@original"), obj{"content": "<@" + meera + "> @everyone", "flags": 64}).wants(200, 0)
	if m := ok(public.WaitReply(soon(t), nil))(t); m.Ephemeral() || !slices.Equal(m.Pings, []string{meera}) {
		t.Errorf("the public answer is %+v", m)
	}
}

// Answers to interactions notify people by default, and nobody else.
func TestAnswerPings(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	loud := s.AddGuild(discordtest.Guild{Members: []string{asha, meera}, Everyone: 1<<63 - 1})
	c := s.AddChannel(discordtest.Channel{Guild: loud})
	connect(t, s)
	for _, x := range []struct {
		allowed any
		want    []string
	}{{nil, []string{meera}}, {obj{"parse": list{}}, nil}, {obj{"parse": list{"everyone"}}, []string{"everyone"}}} {
		i := ok(s.Slash(asha, c, "x"))(t)
		respond(t, s, i, 4, obj{"content": "@everyone <@" + meera + ">", "allowed_mentions": x.allowed}, "").wants(204, 0)
		if m := i.Replies(); !slices.Equal(m[0].Pings, x.want) {
			t.Errorf("%v notifies %q, want %q", x.allowed, m[0].Pings, x.want)
		}
	}
}

func TestComponents(t *testing.T) {
	s, p := listening(t)
	link := obj{"type": 2, "style": 5, "label": "Link", "url": "https://example.com"}
	off := with(button("off", "Off"), "disabled", true)
	pick := with(with(menu(list{obj{"label": "One", "value": "1"}, obj{"label": "Two", "value": "2"}}), "placeholder", "Pick"), "max_values", 2)
	send(t, s, support, rows(row(button("b", "B"), button("x", "b"), link, off), row(pick))).wants(200, 0)
	m := s.Messages(support)[0]
	if !slices.Equal(m.Buttons(), []string{"B", "b", "Link", "Off"}) {
		t.Errorf("buttons %q", m.Buttons())
	}
	next := func() answer { return answer{t: t, body: p.event("INTERACTION_CREATE")["d"]} }
	press := ok(s.Press(asha, m, "b"))(t) // a label before a custom id
	if e := next(); e.get("type") != 3.0 || e.str("data", "custom_id") != "x" || e.get("data", "component_type") != 2.0 || e.str("message", "content") != "x" {
		t.Errorf("press %v", e.body)
	}
	ok(s.Press(asha, m, "x"))(t)
	next()
	ok(s.Choose(asha, m, "Pick", "Two", "1"))(t)
	if e := next(); e.str("data", "values", 0) != "2" || e.str("data", "values", 1) != "1" {
		t.Errorf("choice %v", e.get("data"))
	}
	for _, bad := range []string{"Link", "Off", "off", "C"} {
		if _, err := s.Press(asha, m, bad); err == nil {
			t.Errorf("%q was pressed", bad)
		}
	}
	for _, bad := range [][]string{{"Three"}, {"One", "Two", "1"}} {
		if _, err := s.Choose(asha, m, "m", bad...); err == nil {
			t.Errorf("%q was chosen", bad)
		}
	}
	if _, err := s.Press(nobody, m, "B"); err == nil {
		t.Error("somebody pressed who cannot read the channel")
	}
	respond(t, s, press, 8, obj{"choices": list{}}, "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, press, 7, obj{"content": "new", "components": list{}}, "").wants(204, 0)
	if got := ok(press.WaitReply(soon(t), nil))(t); got.ID != m.ID || got.Plain() != "new" {
		t.Errorf("updated to %q", got.Plain())
	}
	if _, err := s.Press(asha, m, "B"); err == nil {
		t.Error("a button was pressed that the message no longer has")
	}
}

// A command's answer needs no permission in the channel, unlike a message.
func TestAnswerWithoutPermission(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(meera, ops, "x"))(t)
	respond(t, s, i, 4, obj{"content": "hello"}, "").wants(204, 0)
	s.RemoveChannel(ops)
	call(t, s, hook(s, i, "POST", ""), obj{"content": "x"}).wants(404, 10003)
}

func TestRedeliver(t *testing.T) {
	s, p := listening(t)
	i := ok(s.Slash(asha, support, "x"))(t)
	s.Redeliver(i)
	for range 2 {
		if e := p.event("INTERACTION_CREATE")["d"].(obj); e["id"] != i.ID || e["token"] != i.Token {
			t.Errorf("delivered %v", e)
		}
	}
	if all := s.Interactions(); len(all) != 1 || all[0] != i {
		t.Errorf("interactions %v", all)
	}
}

func TestDeliver(t *testing.T) {
	s, p := listening(t)
	i := s.Deliver(asha, "", 42, obj{"custom_id": "x", "components": list{obj{"type": 99}}})
	if e := (answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}); e.get("type") != 42.0 || e.get("data", "components", 0, "type") != 99.0 || e.str("user", "id") != asha {
		t.Errorf("delivered %v", e.body)
	}
	respond(t, s, i, 4, obj{"content": "whatever"}, "").wants(204, 0)
}

func TestNobodyListens(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	i := ok(s.Slash(asha, support, "x"))(t)
	if err := i.WaitOver(soon(t)); err != nil || i.Failure() != "The application did not respond" {
		t.Errorf("%v, she sees %q", err, i.Failure())
	}
	respond(t, s, i, 4, obj{"content": "x"}, "").wants(404, 10062)
}

func TestExpire(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "x"))(t)
	respond(t, s, i, 5, nil, "").wants(204, 0)
	i.Expire()
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "x"}).wants(401, 50027)
	call(t, s, hook(s, i, "POST", ""), obj{"content": "x"}).wants(401, 50027)
	late := ok(s.Slash(asha, support, "x"))(t)
	late.Expire()
	respond(t, s, late, 4, obj{"content": "x"}, "").wants(404, 10062)
}

func TestModals(t *testing.T) {
	s, p := listening(t)
	next := func() answer { return answer{t: t, body: p.event("INTERACTION_CREATE")["d"]} }
	open := func(components ...any) discordtest.Modal {
		t.Helper()
		i := ok(s.Slash(asha, support, "link"))(t)
		next()
		respond(t, s, i, 9, form(components...), "").wants(204, 0)
		return ok(i.WaitModal(soon(t)))(t)
	}
	label := func(name string, component any) obj {
		return obj{"type": 18, "label": name, "description": "d", "component": component}
	}
	bare := obj{"type": 4, "style": 1, "custom_id": "name", "value": "pre"}

	m := open(words("**Read** this"), row(input("name", "Name")))
	if m.Plain() != "Form\nRead this\nName: {}" {
		t.Errorf("form %q", m.Plain())
	}
	if _, err := s.Submit(asha, m, nil); err == nil {
		t.Error("a required field was left empty")
	}
	ok(s.Submit(asha, m, map[string]string{"Name": "Asha"}))(t)
	if e := next(); e.get("type") != 5.0 || e.str("data", "custom_id") != "form" || e.get("data", "components", 0, "type") != 1.0 ||
		e.str("data", "components", 0, "components", 0, "value") != "Asha" || e.get("message") != nil {
		t.Errorf("submit %v", e.get("data"))
	}
	m = open(label("Name", bare), label("Team", with(menu(list{option(1), option(2)}), "required", false)), label("Sure", obj{"type": 23, "custom_id": "c"}))
	if m.Plain() != "Form\nName: {pre}\nd\nTeam: {L, L}\nd\nSure: (component 23)\nd" {
		t.Errorf("form %q", m.Plain())
	}
	ok(s.Submit(asha, m, map[string]string{"Team": "2", "Sure": "true"}))(t)
	e := next()
	if e.get("data", "components", 0, "type") != 18.0 || e.str("data", "components", 0, "component", "value") != "pre" ||
		e.str("data", "components", 1, "component", "values", 0) != "2" || e.get("data", "components", 2, "component", "value") != true {
		t.Errorf("submit %v", e.get("data"))
	}
	m = open(row(input("name", "Name")))
	m.Shape = discordtest.ShapeLabels
	sent := ok(s.Submit(asha, m, map[string]string{"name": "Asha"}))(t)
	if e := next(); e.get("data", "components", 0, "type") != 18.0 || e.str("data", "components", 0, "component", "value") != "Asha" {
		t.Errorf("the other shape is %v", e.get("data"))
	}
	if _, open := s.Modal(asha); !open {
		t.Error("the form closed before it was answered")
	}
	respond(t, s, sent, 9, form(row(input("name", "Name"))), "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, sent, 7, obj{"content": "x"}, "").wrong("type", "BASE_TYPE_CHOICES") // it did not come from a message
	respond(t, s, sent, 4, obj{"content": "thanks", "flags": 64}, "").wants(204, 0)
	if _, open := s.Modal(asha); open {
		t.Error("the form is still open")
	}
	if _, err := s.Submit(asha, m, nil); err == nil {
		t.Error("a closed form was sent")
	}
}

func TestModalFromMessage(t *testing.T) {
	s, _ := listening(t)
	send(t, s, support, rows(row(button("b", "B"))))
	press := ok(s.Press(asha, s.Messages(support)[0], "B"))(t)
	respond(t, s, press, 9, form(row(input("name", "Name"))), "").wants(204, 0)
	m, _ := s.Modal(asha)
	sent := ok(s.Submit(asha, m, map[string]string{"name": "x"}))(t)
	respond(t, s, sent, 7, obj{"content": "done", "components": list{}}, "").wants(204, 0)
	if got := s.Messages(support); len(got) != 1 || got[0].Plain() != "done" {
		t.Errorf("the channel shows %v", got)
	}
	call(t, s, hook(s, press, "PATCH", "@original"), obj{"content": "x"}).wants(404, 10008) // a form is no message
	press = ok(s.Slash(asha, support, "link"))(t)
	respond(t, s, press, 9, form(row(input("name", "Name"))), "").wants(204, 0)
	s.Dismiss(asha)
	if _, open := s.Modal(asha); open {
		t.Error("a dismissed form is open")
	}
}

func TestBadModals(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "link"))(t)
	in := input("x", "L")
	label := func(c any) obj { return obj{"type": 18, "label": "L", "component": c} }
	for _, c := range []struct {
		name string
		data obj
		path string
		code string
	}{
		{"title of 46", with(form(row(in)), "title", n(46)), "data.title", "BASE_TYPE_BAD_LENGTH"},
		{"no title", with(form(row(in)), "title", ""), "data.title", "BASE_TYPE_REQUIRED"},
		{"custom id of 101", with(form(row(in)), "custom_id", n(101)), "data.custom_id", "BASE_TYPE_BAD_LENGTH"},
		{"nothing", form(), "data.components", "BASE_TYPE_BAD_LENGTH"},
		{"6 components", form(many(6, func(i int) any { return row(input(n(i+1), "L")) })...), "data.components", "BASE_TYPE_MAX_LENGTH"},
		{"2 in a row", form(row(in, input("y", "L"))), "data.components.0.components", "BASE_TYPE_MAX_LENGTH"},
		{"label of 46", form(row(input("x", n(46)))), "data.components.0.components.0.label", "BASE_TYPE_BAD_LENGTH"},
		{"placeholder of 101", form(row(with(in, "placeholder", n(101)))), "data.components.0.components.0.placeholder", "BASE_TYPE_MAX_LENGTH"},
		{"value of 4001", form(row(with(in, "value", n(4001)))), "data.components.0.components.0.value", "BASE_TYPE_MAX_LENGTH"},
		{"lengths crossed", form(row(with(with(in, "min_length", 5), "max_length", 4))), "data.components.0.components.0.max_length", "NUMBER_TYPE_MAX"},
		{"style 3", form(row(with(in, "style", 3))), "data.components.0.components.0.style", "BASE_TYPE_CHOICES"},
		{"same custom id", form(row(in), row(in)), "data.components.1.components.0.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"},
		{"button", form(row(button("x", "L"))), "data.components.0.components.0.type", "UNION_TYPE_CHOICES"},
		{"bare input", form(in), "data.components.0.type", "UNION_TYPE_CHOICES"},
		{"label around a label", form(label(in)), "data.components.0.component.label", "COMPONENT_LABEL_NOT_ALLOWED"},
		{"description of 101", form(with(label(with(in, "label", nil)), "description", n(101))), "data.components.0.description", "BASE_TYPE_MAX_LENGTH"},
		{"empty label", form(label(nil)), "data.components.0.component", "BASE_TYPE_REQUIRED"},
		{"button in a label", form(label(button("x", "L"))), "data.components.0.component.type", "UNION_TYPE_CHOICES"},
		{"one radio button", form(label(obj{"type": 21, "custom_id": "x", "options": list{option(1)}})), "data.components.0.component.options", "BASE_TYPE_BAD_LENGTH"},
		{"unknown key", with(form(row(in)), "content", "x"), "data.content", "UNKNOWN_KEY"},
	} {
		t.Run(c.name, func(t *testing.T) { respond(t, s, i, 9, c.data, "").wrong(c.path, c.code) })
	}
	respond(t, s, i, 9, form(many(5, func(i int) any { return row(with(input(n(i+1), n(45)), "placeholder", n(100))) })...), "").wants(204, 0)
}
