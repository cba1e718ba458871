package discordtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

func command(name string, options ...any) obj {
	return obj{"name": name, "description": "d", "options": options}
}

func opt(kind int, name string, options ...any) obj {
	o := obj{"type": kind, "name": name, "description": "d"}
	if len(options) > 0 {
		o["options"] = options
	}
	return o
}

func text(name string) obj { return opt(3, name) }

func commandsPath(s *discordtest.Server, guild string) string {
	path := "/applications/" + s.Options().AppID
	if guild != "" {
		path += "/guilds/" + guild
	}
	return path + "/commands"
}

// register overwrites the global commands.
func register(t *testing.T, s *discordtest.Server, commands ...any) answer {
	t.Helper()
	return call(t, s, "PUT "+commandsPath(s, ""), append(list{}, commands...))
}

func TestCommands(t *testing.T) {
	s := start(t, discordtest.Options{})
	a := register(t, s, command("mystats", text("period")), command("floor", opt(1, "help"), opt(2, "team", opt(1, "add", opt(6, "who"))))).wants(200, 0)
	if !slices.Equal(s.Commands(""), []string{"mystats", "floor"}) || a.str(0, "application_id") != s.Options().AppID || a.get(0, "type") != 1.0 {
		t.Errorf("commands %s", a.raw)
	}
	b := register(t, s, command("floor", opt(1, "help")), command("new")).wants(200, 0)
	if b.str(0, "id") != a.str(1, "id") || b.str(0, "version") == a.str(1, "version") {
		t.Errorf("a known name has a new id: %s", b.raw)
	}
	path := commandsPath(s, "")
	if l := call(t, s, "GET "+path, nil).wants(200, 0); l.str(0, "name") != "floor" || l.str(1, "name") != "new" {
		t.Errorf("list %s", l.raw)
	}
	made := call(t, s, "POST "+path, command("third")).wants(201, 0).str("id")
	call(t, s, "POST "+path, with(command("third"), "description", "changed")).wants(200, 0)
	if got := call(t, s, "GET "+path+"/"+made, nil).wants(200, 0).str("description"); got != "changed" {
		t.Errorf("description %q", got)
	}
	call(t, s, "PATCH "+path+"/"+made, obj{"description": "again"}).wants(200, 0)
	call(t, s, "PATCH "+path+"/"+made, obj{"description": n(101)}).wrong("description", "BASE_TYPE_BAD_LENGTH")
	call(t, s, "DELETE "+path+"/"+made, nil).wants(204, 0)
	call(t, s, "GET "+path+"/"+made, nil).wants(404, 10063)

	call(t, s, "PUT "+commandsPath(s, guild), list{command("local")}).wants(200, 0)
	if !slices.Equal(s.Commands(guild), []string{"local"}) || !slices.Equal(s.Commands(""), []string{"floor", "new"}) {
		t.Errorf("commands %q and %q", s.Commands(guild), s.Commands(""))
	}
	call(t, s, "GET "+commandsPath(s, "99"), nil).wants(403, 50001)
	call(t, s, "GET /applications/99/commands", nil).wants(403, 50001)
}

func TestBadCommands(t *testing.T) {
	s := start(t, discordtest.Options{})
	for _, c := range []struct {
		name string
		body obj
		path string
		code string
	}{
		{"upper case", command("MyStats"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"},
		{"space", command("my stats"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"},
		{"slash", command("/x"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"},
		{"name of 33", command(n(33)), "0.name", "BASE_TYPE_BAD_LENGTH"},
		{"no name", command(""), "0.name", "BASE_TYPE_REQUIRED"},
		{"no description", with(command("x"), "description", ""), "0.description", "BASE_TYPE_REQUIRED"},
		{"description of 101", with(command("x"), "description", n(101)), "0.description", "BASE_TYPE_BAD_LENGTH"},
		{"unknown key", with(command("x"), "nmae", "x"), "0.nmae", "UNKNOWN_KEY"},
		{"26 options", command("x", many(26, func(i int) any { return text(fmt.Sprint(i)) })...), "0.options", "BASE_TYPE_MAX_LENGTH"},
		{"upper case in an option", command("x", text("Period")), "0.options.0.name", "APPLICATION_COMMAND_INVALID_NAME"},
		{"same option", command("x", text("a"), text("a")), "0.options.1.name", "APPLICATION_COMMAND_OPTIONS_NAME_NOT_UNIQUE"},
		{"required last", command("x", text("a"), with(text("b"), "required", true)), "0.options.1.required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"},
		{"subcommand beside option", command("x", text("a"), opt(1, "b")), "0.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		{"group in group", command("x", opt(2, "a", opt(2, "b", opt(1, "c")))), "0.options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		{"subcommand in subcommand", command("x", opt(1, "a", opt(1, "b"))), "0.options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		{"option in group", command("x", opt(2, "a", text("b"))), "0.options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		{"kind 12", command("x", opt(12, "a")), "0.options.0.type", "BASE_TYPE_CHOICES"},
		{"26 choices", command("x", with(text("a"), "choices", many(26, func(i int) any { return obj{"name": "n", "value": fmt.Sprint(i)} }))), "0.options.0.choices", "BASE_TYPE_MAX_LENGTH"},
		{"choice of 101", command("x", with(text("a"), "choices", list{obj{"name": n(101), "value": "v"}})), "0.options.0.choices.0.name", "BASE_TYPE_BAD_LENGTH"},
		{"number for a text", command("x", with(text("a"), "choices", list{obj{"name": "n", "value": 1}})), "0.options.0.choices.0.value", "STRING_TYPE_CONVERT"},
		{"autocomplete with choices", command("x", with(with(text("a"), "autocomplete", true), "choices", list{obj{"name": "n", "value": "v"}})), "0.options.0.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID"},
		{"autocomplete of a person", command("x", with(opt(6, "a"), "autocomplete", true)), "0.options.0.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID"},
		{"8001 characters", command("x", many(25, func(i int) any {
			return opt(1, fmt.Sprint("o", i), many(4, func(j int) any { return with(text(fmt.Sprint("p", j)), "description", n(80)) })...)
		})...), "0", "APPLICATION_COMMAND_TOO_LARGE"},
		{"context 3", with(command("x"), "contexts", list{3}), "0.contexts.0", "BASE_TYPE_CHOICES"},
		{"boolean permissions", with(command("x"), "default_member_permissions", true), "0.default_member_permissions", "BITFIELD_INVALID"},
		{"menu with description", obj{"type": 2, "name": "x", "description": "d"}, "0.description", "APPLICATION_COMMANDS_CONTEXT_MENU_DESCRIPTION"},
	} {
		t.Run(c.name, func(t *testing.T) { register(t, s, c.body).wrong(c.path, c.code) })
	}
	register(t, s, command("x"), command("x")).wrong("1.name", "APPLICATION_COMMANDS_DUPLICATE_NAME")
	call(t, s, "PUT "+commandsPath(s, ""), obj{}).wrong("", "LIST_TYPE_CONVERT")
	if c := s.Commands(""); len(c) != 0 {
		t.Errorf("bad commands are registered: %q", c)
	}
	for _, good := range []string{"grüße", "मेरेआंकड़े", "สถิติ", "a-b_c'd", n(32), "王小明"} {
		register(t, s, command(good)).wants(200, 0)
	}
}

func TestCommandLimits(t *testing.T) {
	s := start(t, discordtest.Options{Creates: 150})
	batch := func(prefix string, count int) list {
		return many(count, func(i int) any { return command(fmt.Sprint(prefix, i)) })
	}
	register(t, s, batch("a", 101)...).wants(400, 30032)
	register(t, s, batch("a", 100)...).wants(200, 0)
	register(t, s, batch("a", 100)...).wants(200, 0) // creates nothing
	register(t, s, batch("b", 51)...).wants(400, 30034)
	call(t, s, "PUT "+commandsPath(s, guild), batch("b", 51)).wants(200, 0) // counts by itself
	register(t, s, batch("b", 50)...).wants(200, 0)
	call(t, s, "POST "+commandsPath(s, ""), command("one-more")).wants(400, 30034)
	call(t, s, "POST "+commandsPath(s, ""), command("b1")).wants(200, 0)
	if c := s.Commands(""); len(c) != 50 || c[0] != "b0" {
		t.Errorf("%d commands", len(c))
	}
}

func val(name string, v any) discordtest.Option { return discordtest.Option{Name: name, Value: v} }

func TestSlash(t *testing.T) {
	s := start(t, discordtest.Options{})
	required := with(opt(6, "who"), "required", true)
	add := opt(1, "add", required, with(text("team"), "autocomplete", true))
	set := opt(1, "set", with(opt(4, "minutes"), "min_value", 1), opt(5, "loud"), opt(7, "where"), with(text("how"), "choices", list{obj{"name": "N", "value": "n"}}))
	register(t, s, command("floor", opt(1, "help"), opt(2, "team", add), set), with(command("dm"), "contexts", list{1}),
		with(command("admins"), "default_member_permissions", "0"), with(command("movers"), "default_member_permissions", "16")).wants(200, 0)
	call(t, s, "PUT "+commandsPath(s, guild), list{command("local")}).wants(200, 0)
	p, _ := connect(t, s)
	for _, c := range []struct {
		user, channel, name string
		options             []discordtest.Option
		want                string // part of the error; "" = none
	}{
		{asha, support, "floor help", nil, ""},
		{asha, "", "floor help", nil, ""},
		{asha, support, "floor team add", []discordtest.Option{val("who", meera), val("team", "support")}, ""},
		{asha, support, "floor set", []discordtest.Option{val("minutes", 5), val("loud", true), val("where", floor), val("how", "n")}, ""},
		{asha, support, "local", nil, ""},
		{asha, "", "dm", nil, ""},
		{meera, support, "admins", nil, ""},
		{asha, support, "stats", nil, "no command /stats"},
		{asha, support, "", nil, "has a name"},
		{asha, support, "floor", nil, "has subcommands"},
		{asha, support, "floor away", nil, `no subcommand "away"`},
		{asha, support, "floor team add", nil, `"who" is required`},
		{asha, support, "floor team add", []discordtest.Option{val("who", "99")}, "nothing of that kind"},
		{asha, support, "floor team add", []discordtest.Option{val("whom", meera)}, "no such option"},
		{asha, support, "floor set", []discordtest.Option{val("minutes", 0)}, "too small"},
		{asha, support, "floor set", []discordtest.Option{val("minutes", "5")}, "wants a number"},
		{asha, support, "floor set", []discordtest.Option{val("minutes", 1.5)}, "wants a number"},
		{asha, support, "floor set", []discordtest.Option{val("loud", 1)}, "wants true or false"},
		{asha, support, "floor set", []discordtest.Option{val("where", asha)}, "nothing of that kind"},
		{asha, support, "floor set", []discordtest.Option{val("how", "N")}, "none of the choices"},
		{asha, ops, "floor help", nil, "cannot read"},
		{nobody, support, "floor help", nil, "cannot read"},
		{asha, "", "local", nil, "no command /local"},
		{asha, support, "dm", nil, "is not shown /dm"},
		{asha, support, "admins", nil, "is not shown /admins"},
		{asha, support, "movers", nil, "is not shown /movers"},
	} {
		i, err := s.Slash(c.user, c.channel, c.name, c.options...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("/%s %v: %v, want %q", c.name, c.options, err, c.want)
		}
		if i != nil && p.event("INTERACTION_CREATE")["d"].(obj)["id"] != i.ID {
			t.Errorf("/%s did not come", c.name)
		}
	}
}

func TestPayloads(t *testing.T) {
	s := start(t, discordtest.Options{})
	add := opt(1, "add", opt(6, "who"), with(text("team"), "autocomplete", true))
	register(t, s, command("floor", opt(2, "team", add))).wants(200, 0)
	p, _ := connect(t, s)
	next := func() answer { return answer{t: t, body: p.event("INTERACTION_CREATE")["d"]} }

	i := ok(s.Slash(meera, support, "floor team add", val("who", asha)))(t)
	e := next()
	if e.get("type") != 2.0 || e.str("token") != i.Token || e.str("member", "user", "id") != meera || e.get("user") != nil ||
		e.str("guild_id") != guild || e.get("context") != 0.0 || e.str("channel_id") != support {
		t.Errorf("in a guild: %v", e.body)
	}
	if e.str("data", "options", 0, "options", 0, "options", 0, "value") != asha || e.str("data", "resolved", "users", asha, "global_name") != "Asha Rao" {
		t.Errorf("options: %v", e.get("data"))
	}
	ok(s.Slash(asha, "", "floor team add"))(t)
	if e = next(); e.str("user", "id") != asha || e.get("member") != nil || e.get("guild_id") != nil || e.get("context") != 1.0 {
		t.Errorf("in direct messages: %v", e.body)
	}
	if _, err := s.Suggest(asha, support, "floor team add", "who", val("who", "x")); err == nil {
		t.Error("an option without autocomplete was completed")
	}
	typing := ok(s.Suggest(asha, support, "floor team add", "team", val("team", "sup")))(t)
	e = next()
	if e.get("type") != 4.0 || e.get("data", "options", 0, "options", 0, "options", 0, "focused") != true {
		t.Errorf("while typing: %v", e.body)
	}
	respond(t, s, typing, 4, obj{"content": "x"}, "").wrong("type", "BASE_TYPE_CHOICES")
	respond(t, s, typing, 8, obj{"choices": many(26, func(int) any { return obj{"name": "n", "value": "v"} })}, "").wrong("data.choices", "BASE_TYPE_MAX_LENGTH")
	respond(t, s, typing, 8, obj{"choices": list{obj{"name": n(101), "value": "v"}}}, "").wrong("data.choices.0.name", "BASE_TYPE_BAD_LENGTH")
	respond(t, s, typing, 8, obj{"choices": list{obj{"name": "n", "value": 1}}}, "").wrong("data.choices.0.value", "STRING_TYPE_CONVERT")
	respond(t, s, typing, 8, obj{"choices": list{obj{"name": "Support", "value": "support"}}}, "").wants(204, 0)
	if c := ok(typing.WaitChoices(soon(t)))(t); len(c) != 1 || c[0] != (discordtest.Choice{Name: "Support", Value: "support"}) {
		t.Errorf("choices %v", c)
	}
}

// With AnyCommand people use what was never registered, and its options have the
// kinds that their values suggest.
func TestAnyCommand(t *testing.T) {
	s, p := listening(t)
	ok(s.Slash(asha, support, "floor team add", val("who", meera), val("n", 3), val("x", 1.5), val("b", true), val("t", "12")))(t)
	e := answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
	var kinds list
	for _, o := range e.get("data", "options", 0, "options", 0, "options").(list) {
		kinds = append(kinds, o.(obj)["type"])
	}
	if want := (list{6.0, 4.0, 10.0, 5.0, 3.0}); !slices.Equal(kinds, want) || e.str("data", "options", 0, "name") != "team" {
		t.Errorf("options of the kinds %v, want %v: %v", kinds, want, e.get("data"))
	}
}

func TestAliens(t *testing.T) {
	s := start(t, discordtest.Options{Aliens: true, AnyCommand: true})
	p, _ := connect(t, s)
	send(t, s, support, rows(row(button("b", "B")))).wants(200, 0)
	press := ok(s.Press(asha, s.Messages(support)[0], "B"))(t)
	e := answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
	if e.get("message", "components", 0, "type") != 99.0 || e.str("message", "components", 1, "components", 0, "custom_id") != "b" {
		t.Errorf("message %v", e.get("message"))
	}
	respond(t, s, press, 9, form(row(input("name", "Name"))), "").wants(204, 0)
	modal, _ := s.Modal(asha)
	ok(s.Submit(asha, modal, map[string]string{"name": "Asha"}))(t)
	e = answer{t: t, body: p.event("INTERACTION_CREATE")["d"]}
	if e.get("data", "components", 0, "type") != 99.0 || e.str("data", "components", 1, "components", 0, "value") != "Asha" {
		t.Errorf("submit %v", e.get("data"))
	}
}
