package discordtest_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

// Every route that takes an object refuses a list.
func TestListsAsBodies(t *testing.T) {
	s, _ := listening(t)
	made := call(t, s, "POST "+commandsPath(s, ""), command("a")).wants(201, 0).str("id")
	m := send(t, s, support, obj{"content": "x"}).str("id")
	i := ok(s.Slash(asha, support, "x"))(t)
	callback := "POST /interactions/" + i.ID + "/" + i.Token + "/callback"
	call(t, s, callback, list{}).wrong("", "DICT_TYPE_CONVERT")
	respond(t, s, i, 4, obj{"content": "x"}, "").wants(204, 0)
	for _, route := range []string{
		"POST /users/@me/channels", "POST /channels/" + support + "/messages", "PATCH /channels/" + support + "/messages/" + m,
		"POST " + commandsPath(s, ""), "PATCH " + commandsPath(s, "") + "/" + made, hook(s, i, "POST", ""), hook(s, i, "PATCH", "@original"),
	} {
		call(t, s, route, list{}).wrong("", "DICT_TYPE_CONVERT")
	}
}

// Every route of a place says that it does not exist, or is not for the bot.
func TestUnknownPlaces(t *testing.T) {
	s := start(t, discordtest.Options{})
	app := "/applications/" + s.Options().AppID
	for route, want := range map[string]answerCode{
		"GET /guilds/99": {404, 10004}, "GET /guilds/99/channels": {404, 10004}, "GET /guilds/99/members/" + asha: {404, 10004},
		"GET /channels/99": {404, 10003}, "GET /channels/99/messages": {404, 10003}, "GET /channels/" + ops: {403, 50001},
		"POST /channels/99/typing": {404, 10003}, "DELETE /channels/99/messages/1": {404, 10003},
		"GET " + app + "/guilds/99/commands": {403, 50001}, "GET /applications/99/commands/1": {403, 50001},
		"POST /applications/99/commands": {403, 50001}, "PUT /applications/99/commands": {403, 50001},
		"PATCH " + app + "/commands/99": {404, 10063}, "DELETE " + app + "/commands/99": {404, 10063},
		"POST /webhooks/99/x": {404, 10015}, "GET /webhooks/" + s.Options().AppID + "/x/messages/@original": {404, 10015},
	} {
		t.Run(route, func(t *testing.T) { call(t, s, route, nil).wants(want.status, want.code) })
	}
}

type answerCode struct{ status, code int }

func TestHooks(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "x"))(t)
	respond(t, s, i, 5, nil, "").wants(204, 0)
	call(t, s, "PATCH /webhooks/99/"+i.Token+"/messages/@original", obj{"content": "x"}).wants(404, 10015)
	call(t, s, hook(s, i, "PATCH", "@original"), obj{}).wants(400, 50006)
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "x"}).wants(200, 0)
	call(t, s, hook(s, i, "POST", ""), obj{}).wants(400, 50006)
	call(t, s, hook(s, i, "GET", "99"), nil).wants(404, 10008)
	register(t, s, command("c", with(text("o"), "autocomplete", true))).wants(200, 0)
	typing := ok(s.Suggest(asha, support, "c", "o", val("o", "x")))(t)
	respond(t, s, typing, 8, obj{}, "").wrong("data.choices", "BASE_TYPE_REQUIRED")
	respond(t, s, typing, 8, obj{"choices": list{}}, "").wants(204, 0)
	call(t, s, hook(s, typing, "POST", ""), obj{"content": "x"}).wants(404, 10015) // suggestions are no message
	bad := ok(s.Slash(asha, support, "c"))(t)
	respond(t, s, bad, 5, obj{"flags": "64"}, "").wrong("data.flags", "NUMBER_TYPE_COERCE")
	s.RemoveChannel(support)
	respond(t, s, bad, 5, nil, "").wants(404, 10003)
}

func TestUpdates(t *testing.T) {
	s, _ := listening(t)
	id := send(t, s, support, rows(row(button("b", "B")))).str("id")
	m, _ := s.Message(id)
	press := ok(s.Press(asha, m, "B"))(t)
	respond(t, s, press, 7, obj{"content": n(2001)}, "").wrong("data.content", "BASE_TYPE_MAX_LENGTH")
	respond(t, s, press, 7, obj{"content": ""}, "").wants(400, 50006)
	a := respond(t, s, press, 7, obj{"content": "new"}, "?with_response=true").wants(200, 0)
	if a.get("resource", "type") != 7.0 || a.str("resource", "message", "content") != "new" {
		t.Errorf("answer %s", a.raw)
	}
	gone := ok(s.Press(asha, m, "B"))(t)
	call(t, s, "DELETE /channels/"+support+"/messages/"+id, nil).wants(204, 0)
	respond(t, s, gone, 7, obj{"content": "new"}, "").wants(404, 10008)
	strange := s.Deliver(asha, support, 42, obj{})
	respond(t, s, strange, 7, obj{"content": "new"}, "").wants(404, 10008)
}

// What an interaction made tells so.
func TestMetadata(t *testing.T) {
	s, p := listening(t)
	i := ok(s.Slash(asha, support, "floor help"))(t)
	a := respond(t, s, i, 4, obj{"content": "x", "components": list{row(button("b", "B"))}}, "?with_response=true").wants(200, 0)
	m := answer{t: t, body: a.get("resource", "message")}
	if m.get("type") != 20.0 || m.str("interaction_metadata", "user", "id") != asha || m.str("interaction", "name") != "floor help" || m.str("webhook_id") != s.Options().AppID {
		t.Errorf("message %v", m.body)
	}
	plain := send(t, s, support, obj{"content": "x"})
	if plain.get("type") != 0.0 || plain.get("interaction_metadata") != nil {
		t.Errorf("message %s", plain.raw)
	}
	press := ok(s.Press(asha, i.Replies()[0], "B"))(t)
	respond(t, s, press, 5, nil, "").wants(204, 0)
	b := call(t, s, hook(s, press, "PATCH", "@original"), obj{"content": "y"}).wants(200, 0)
	if b.get("type") != 0.0 || b.str("interaction_metadata", "interacted_message_id") != m.str("id") {
		t.Errorf("message %s", b.raw)
	}
	call(t, s, "PUT "+commandsPath(s, guild), list{command("local")}).wants(200, 0)
	ok(s.Slash(asha, support, "local"))(t)
	ok(s.Slash(asha, support, "global"))(t)
	for {
		e := answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
		if name := e.str("data", "name"); name == "local" && e.str("data", "guild_id") != guild || name == "global" && e.get("data", "guild_id") != nil {
			t.Errorf("%s: %v", name, e.get("data"))
		} else if name == "global" {
			break
		}
	}
}

func TestCommandShapes(t *testing.T) {
	s := start(t, discordtest.Options{})
	global := register(t, s, command("a")).wants(200, 0)
	if _, there := global.get(0).(obj)["contexts"]; !there || global.get(0, "guild_id") != nil {
		t.Errorf("global %s", global.raw)
	}
	local := call(t, s, "PUT "+commandsPath(s, guild), list{command("a")}).wants(200, 0)
	if local.str(0, "guild_id") != guild {
		t.Errorf("local %s", local.raw)
	}
	for _, c := range []struct {
		body       obj
		path, code string
	}{
		{with(command("x"), "integration_types", list{2}), "0.integration_types.0", "BASE_TYPE_CHOICES"},
		{command("x", opt(1, "a", opt(2, "b", opt(1, "c")))), "0.options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		{command("x", with(opt(4, "a"), "choices", list{obj{"name": "n", "value": "1"}})), "0.options.0.choices.0.value", "NUMBER_TYPE_COERCE"},
		{command("x", with(text("a"), "choices", list{obj{"name": "n", "value": ""}})), "0.options.0.choices.0.value", "BASE_TYPE_BAD_LENGTH"},
		{command("x", with(text("a"), "choices", list{obj{"name": "n"}})), "0.options.0.choices.0.value", "BASE_TYPE_REQUIRED"},
	} {
		register(t, s, c.body).wrong(c.path, c.code)
	}
}

func TestOptionTexts(t *testing.T) {
	s := start(t, discordtest.Options{})
	short := with(with(text("short"), "min_length", 2), "max_length", 3)
	number := with(opt(10, "number"), "max_value", 5)
	register(t, s, command("c", short, text("any"), number)).wants(200, 0)
	for _, c := range []struct {
		option discordtest.Option
		good   bool
	}{
		{val("short", "ab"), true}, {val("short", "abc"), true}, {val("short", "a"), false}, {val("short", "abcd"), false},
		{val("any", ""), false}, {val("any", n(6000)), true}, {val("any", n(6001)), false}, {val("any", 1), false},
		{val("number", 5), true}, {val("number", 5.5), false},
	} {
		if _, err := s.Slash(asha, support, "c", c.option); (err == nil) != c.good {
			t.Errorf("%s of %.10q: %v", c.option.Name, c.option.Value, err)
		}
	}
	if _, err := s.Slash(asha, support, "c", val("any", 1)); err == nil || !strings.Contains(err.Error(), "wants a text") {
		t.Errorf("a number as a text: %v", err)
	}
}

// More bodies with one fault each.
var moreBadMessages = []struct {
	name string
	body obj
	path string
	code string
}{
	{"empty container", v2Body(obj{"type": 17}), "components.0.components", "BASE_TYPE_REQUIRED"},
	{"empty section", v2Body(obj{"type": 9, "accessory": button("x", "X")}), "components.0.components", "BASE_TYPE_REQUIRED"},
	{"button in a section", v2Body(obj{"type": 9, "components": list{button("x", "X")}, "accessory": button("y", "Y")}), "components.0.components.0.type", "UNION_TYPE_CHOICES"},
	{"select as accessory", v2Body(obj{"type": 9, "components": list{words("x")}, "accessory": menu(list{option(1)})}), "components.0.accessory.type", "UNION_TYPE_CHOICES"},
	{"empty gallery", v2Body(gallery(nil)), "components.0.items", "BASE_TYPE_REQUIRED"},
	{"picture without media", v2Body(gallery(list{obj{}})), "components.0.items.0.media", "BASE_TYPE_REQUIRED"},
	{"file without address", v2Body(obj{"type": 13, "file": obj{}}), "components.0.file.url", "BASE_TYPE_REQUIRED"},
	{"unknown kind", v2Body(obj{"type": 99}), "components.0.type", "UNION_TYPE_CHOICES"},
	{"premium button without sku", rows(row(obj{"type": 2, "style": 6})), "components.0.components.0.sku_id", "BASE_TYPE_REQUIRED"},
	{"button with address", rows(row(with(button("x", "X"), "url", "https://example.com"))), "components.0.components.0.url", "BUTTON_COMPONENT_INVALID_STYLE"},
	{"text as mentions", obj{"content": "x", "allowed_mentions": "none"}, "allowed_mentions", "DICT_TYPE_CONVERT"},
	{"text as parse", obj{"content": "x", "allowed_mentions": obj{"parse": "users"}}, "allowed_mentions.parse", "LIST_TYPE_CONVERT"},
	{"number as a person", obj{"content": "x", "allowed_mentions": obj{"users": list{1}}}, "allowed_mentions.users.0", "STRING_TYPE_CONVERT"},
	{"boolean as nonce", obj{"content": "x", "nonce": true}, "nonce", "NONCE_TYPE"},
	{"text as attachment", obj{"content": "x", "attachments": list{"x"}}, "attachments.0", "DICT_TYPE_CONVERT"},
	{"number as time", embed("timestamp", 7), "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE"},
	{"text as footer", embed("footer", "x"), "embeds.0.footer", "DICT_TYPE_CONVERT"},
	{"text as image", embed("image", "x"), "embeds.0.image", "DICT_TYPE_CONVERT"},
	{"address without host", embed("url", "https://"), "embeds.0.url", "URL_TYPE_INVALID_URL"},
}

func TestMoreBadMessages(t *testing.T) {
	s := start(t, discordtest.Options{})
	for _, c := range moreBadMessages {
		t.Run(c.name, func(t *testing.T) { send(t, s, support, c.body).wrong(c.path, c.code) })
	}
}

// What Discord adds to a message is there, and what was given stays.
func TestDefaults(t *testing.T) {
	s := start(t, discordtest.Options{})
	a := send(t, s, support, rows(row(with(menu(list{option(1), option(2)}), "max_values", 2)))).wants(200, 0)
	pick := answer{t: t, body: a.get("components", 0, "components", 0)}
	if pick.get("min_values") != 1.0 || pick.get("max_values") != 2.0 || pick.get("id") != 2.0 || a.get("components", 0, "id") != 1.0 {
		t.Errorf("select %v", pick.body)
	}
	b := upload(t, s, "POST /channels/"+support+"/messages", v2Body(gallery(list{obj{"media": obj{"url": "attachment://a.png"}}, picture(1)}),
		obj{"type": 9, "components": list{words("x")}, "accessory": button("b", "B")}), file{"files[0]", "a.png", "x"}).wants(200, 0)
	item := answer{t: t, body: b.get("components", 0, "items", 0)}
	if item.str("media", "url") != b.str("attachments", 0, "url") || item.get("spoiler") != false || item.get("id") != nil {
		t.Errorf("item %v", item.body)
	}
	if b.get("components", 1, "accessory", "id") == nil || b.str("components", 0, "items", 1, "media", "url") != "https://example.com/x.png" {
		t.Errorf("message %s", b.raw)
	}
	c := send(t, s, support, obj{"embeds": list{obj{"title": "T", "image": obj{"url": "https://example.com/x.png"}, "fields": list{obj{"name": "n", "value": "v", "inline": true}}}}})
	if c.get("embeds", 0, "thumbnail") != nil || c.str("embeds", 0, "image", "url") != "https://example.com/x.png" || c.get("embeds", 0, "fields", 0, "inline") != true {
		t.Errorf("embed %s", c.raw)
	}
	d := upload(t, s, "POST /channels/"+support+"/messages", obj{"attachments": list{obj{"id": 0, "description": "alt"}}}, file{"files[0]", "a", "x"}, file{"files[1]", "b", "x"})
	if d.str("attachments", 0, "description") != "alt" || d.get("attachments", 0, "ephemeral") != nil || d.get("attachments", 1).(obj)["description"] != nil {
		t.Errorf("attachments %s", d.raw)
	}
	for i := range 2 {
		if id := d.str("attachments", i, "id"); strings.Trim(id, "0123456789") != "" || len(id) < 17 {
			t.Errorf("the id of attachment %d is %q", i, id)
		}
	}
}

// A private message's files are private, and a message holds ten.
func TestAttachmentEdges(t *testing.T) {
	s, _ := listening(t)
	i := ok(s.Slash(asha, support, "x"))(t)
	respond(t, s, i, 5, obj{"flags": 64}, "").wants(204, 0)
	a := upload(t, s, hook(s, i, "PATCH", "@original"), obj{}, file{"files[0]", "a", "x"}).wants(200, 0)
	if a.get("attachments", 0, "ephemeral") != true {
		t.Errorf("attachments %s", a.raw)
	}
	keep := list{obj{"id": a.str("attachments", 0, "id")}}
	var ten []file
	for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		ten = append(ten, file{"files[" + n + "]", n, "x"})
	}
	upload(t, s, hook(s, i, "PATCH", "@original"), obj{"attachments": keep}, ten...).wrong("attachments", "BASE_TYPE_MAX_LENGTH")
	bare := s.AddChannel(discordtest.Channel{Deny: discordtest.EmbedLinks})
	m := send(t, s, bare, obj{"content": "x"}).str("id")
	call(t, s, "PATCH /channels/"+bare+"/messages/"+m, obj{"embeds": list{obj{"title": "T"}}}).wants(403, 50013)
	resp, err := http.Get(strings.Replace(a.str("attachments", 0, "url"), support, floor, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 404 {
		t.Errorf("a wrong address gave %d %s, %v", resp.StatusCode, b, err)
	}
}

func TestModalEdges(t *testing.T) {
	s, _ := listening(t)
	label := func(name string, component obj) obj { return obj{"type": 18, "label": name, "component": component} }
	group := func(kind int) obj {
		return obj{"type": kind, "custom_id": "g", "options": list{option(1), option(2)}}
	}
	open := func(components ...any) discordtest.Modal {
		t.Helper()
		i := ok(s.Slash(asha, support, "x"))(t)
		respond(t, s, i, 9, form(components...), "").wants(204, 0)
		m, _ := s.Modal(asha)
		return m
	}
	if m := open(row(with(input("x", "L"), "placeholder", "like this"))); m.Plain() != "Form\nL: {like this}" {
		t.Errorf("form %q", m.Plain())
	}
	open(label("F", obj{"type": 19, "custom_id": "f"}))
	for _, c := range []struct {
		component obj
		value     string
		good      bool
	}{
		{menu(list{option(1), option(2)}), "2", true}, {menu(list{option(1), option(2)}), "", false}, {menu(list{option(1)}), "9", false},
		{group(21), "1", true}, {group(21), "9", false}, {group(21), "", false}, {group(22), "1", true}, {group(22), "", false},
		{with(group(22), "required", false), "", true}, {with(group(21), "required", false), "", true},
	} {
		m := open(label("G", c.component))
		_, err := s.Submit(asha, m, map[string]string{"G": c.value})
		if (err == nil) != c.good {
			t.Errorf("%v with %q: %v", c.component, c.value, err)
		}
		if c.value == "9" && (err == nil || !strings.Contains(err.Error(), "no option") && !strings.Contains(err.Error(), "nothing is chosen")) {
			t.Errorf("%v with %q: %v", c.component, c.value, err)
		}
	}
	bad := ok(s.Slash(asha, support, "x"))(t)
	respond(t, s, bad, 9, form(row()), "").wrong("data.components.0.components", "BASE_TYPE_REQUIRED")
	m := open(row(input("x", "L")))
	s.RemoveChannel(support)
	if _, err := s.Submit(asha, m, map[string]string{"L": "x"}); err == nil {
		t.Error("a form was sent from a channel that is gone")
	}
}

// People are chosen by id, and one at a time unless the select says otherwise.
func TestChoosePeople(t *testing.T) {
	s, p := listening(t)
	send(t, s, support, rows(row(obj{"type": 5, "custom_id": "who"}))).wants(200, 0)
	m := s.Messages(support)[0]
	ok(s.Choose(asha, m, "who", meera))(t)
	if e := (answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}); e.str("data", "values", 0) != meera || e.get("data", "component_type") != 5.0 {
		t.Errorf("choice %v", e.get("data"))
	}
	if _, err := s.Choose(asha, m, "who", meera, asha); err == nil {
		t.Error("two were chosen of one")
	}
	send(t, s, support, rows(row(button("b", "B")))).wants(200, 0)
	ok(s.Press(asha, s.Messages(support)[1], "B"))(t)
	e := answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
	if _, there := e.get("data").(obj)["values"]; there {
		t.Errorf("press %v", e.get("data"))
	}
}

// The gateway's address wants a WebSocket.
func TestPlainGateway(t *testing.T) {
	s := start(t, discordtest.Options{})
	resp, err := http.Get("http://" + hostOf(s) + "/gateway/?v=9")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || s.Connections() != 0 {
		t.Errorf("status %d, %d connections", resp.StatusCode, s.Connections())
	}
}

// A session that was taken over stays with the new connection when the old one
// ends.
func TestTakeover(t *testing.T) {
	s := start(t, discordtest.Options{})
	old, ready := connect(t, s)
	p := resume(t, s, ready, 2)
	p.event("RESUMED")
	old.closed(1006)
	if err := s.Wait(soon(t), func() bool { return len(s.Conns()) == 1 }); err != nil {
		t.Fatal(err)
	}
	s.Event("STILL_HERE", nil)
	p.event("STILL_HERE")
}

// A subcommand without options has an empty list of them.
func TestBareSubcommand(t *testing.T) {
	s := start(t, discordtest.Options{})
	register(t, s, command("floor", opt(1, "help"))).wants(200, 0)
	p, _ := connect(t, s)
	ok(s.Slash(asha, support, "floor help"))(t)
	e := answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
	if l, isList := e.get("data", "options", 0, "options").(list); !isList || len(l) != 0 {
		t.Errorf("options %v", e.get("data", "options"))
	}
}

// The content that a deferred answer gets notifies people by default, and nobody
// else, whatever the app may do.
func TestDeferredPings(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	loud := s.AddGuild(discordtest.Guild{Members: []string{asha, meera}, Everyone: 1<<63 - 1})
	c := s.AddChannel(discordtest.Channel{Guild: loud})
	connect(t, s)
	i := ok(s.Slash(asha, c, "x"))(t)
	respond(t, s, i, 5, nil, "").wants(204, 0)
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "@everyone <@" + meera + ">"}).wants(200, 0)
	if m := i.Replies(); !slices.Equal(m[0].Pings, []string{meera}) {
		t.Errorf("%q are notified", m[0].Pings)
	}
}

func TestShapes(t *testing.T) {
	s := start(t, discordtest.Options{})
	p := dialTo(t, "ws://"+hostOf(s)+"/gateway?v=10&encoding=json")
	p.op(10)
	p.send(2, identify(s))
	if v := p.event("READY")["d"].(obj)["v"]; v != 10.0 {
		t.Errorf("version %v", v)
	}
	if place := call(t, s, "GET /channels/"+group, nil).body.(obj); place["topic"] != nil || len(place) != 8 {
		t.Errorf("a category is %v", place)
	}
	dm := call(t, s, "GET /channels/"+s.DM(asha), nil).wants(200, 0)
	if dm.get("type") != 1.0 || dm.str("recipients", 0, "id") != asha || dm.get("guild_id") != nil {
		t.Errorf("direct messages are %s", dm.raw)
	}
	s.Fail("", discordtest.Fault{Status: 429}, 1)
	if a := call(t, s, "GET /users/@me", nil); a.str("message") != "You are being rate limited." {
		t.Errorf("answer %s", a.raw)
	}
}
