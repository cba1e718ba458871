package discordtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// An Option is a value that a person gives to an option of a command: a string
// (also the id of a person, channel or role), a number, or a bool.
type Option struct {
	Name  string
	Value any
}

// Slash uses a command, such as ("…", channel, "floor team add", options…): the
// name, then the group and subcommand, as people see it. An empty channel is the
// person's direct messages with the app. The error tells why Discord's client
// would not let the person: no such command is registered or it does not show
// here, an option is missing, unknown or of the wrong kind, the person cannot
// read the channel.
func (s *Server) Slash(user, channel, name string, options ...Option) (*Interaction, error) {
	return s.typed(user, channel, name, "", options)
}

// Suggest is Slash while the person still types into the option named focus: an
// autocomplete interaction. Required options may still be missing.
func (s *Server) Suggest(user, channel, name, focus string, options ...Option) (*Interaction, error) {
	return s.typed(user, channel, name, focus, options)
}

func (s *Server) typed(user, channel, name, focus string, options []Option) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	if channel == "" {
		channel = user
	}
	c := s.place(channel)
	if !s.reads(user, c) {
		return nil, fmt.Errorf("discordtest: %s cannot read channel %s", user, c.Name)
	}
	path := strings.Fields(name)
	if len(path) == 0 {
		return nil, errors.New("discordtest: a command has a name")
	}
	cmd, guild, err := s.offered(path[0], user, c)
	if err != nil {
		return nil, err
	}
	f := filler{s: s, focus: focus, resolved: obj{}}
	given, err := f.fill(cmd.spec, path[1:], options)
	if err != nil {
		return nil, fmt.Errorf("discordtest: /%s: %w", name, err)
	}
	data := obj{"id": cmd.id, "name": cmd.name(), "type": 1}
	if guild != "" {
		data["guild_id"] = guild
	}
	if len(given) > 0 {
		data["options"] = given
	}
	if len(f.resolved) > 0 {
		data["resolved"] = f.resolved
	}
	i := &Interaction{Kind: KindCommand, command: name, option: f.focused}
	if focus != "" {
		i.Kind = KindAutocomplete
	}
	s.start(i, user, c, data)
	return i, nil
}

// offered returns the command of a name that a person is shown in a channel: the
// guild's before the global one. s.mu is held.
func (s *Server) offered(name, user string, c *Channel) (cmd *command, guild string, err error) {
	scopes := []string{""}
	if c.Guild != "" {
		scopes = []string{c.Guild, ""}
	}
	hidden := false
	for _, scope := range scopes {
		for _, cmd := range s.commands[scope] {
			if cmd.name() != name || cmd.kind() != 1 {
				continue
			}
			if cmd.shows(c) && s.allowed(cmd, user, c) {
				return cmd, scope, nil
			}
			hidden = true
		}
	}
	switch {
	case hidden:
		return nil, "", fmt.Errorf("discordtest: %s is not shown /%s here", user, name)
	case s.o.AnyCommand:
		return &command{id: s.id(), spec: obj{"name": name}}, "", nil
	}
	return nil, "", fmt.Errorf("discordtest: no command /%s is registered", name)
}

// shows reports whether a command is offered in a kind of channel.
func (c *command) shows(ch *Channel) bool {
	list, given := c.spec["contexts"].([]any)
	if !given {
		return ch.With == "" || c.spec["dm_permission"] != false
	}
	want := 0
	if ch.With != "" {
		want = 1
	}
	return slices.ContainsFunc(list, func(v any) bool { n, ok := integer(v); return ok && n == want })
}

// allowed reports whether a person has the permissions that a command asks for.
func (s *Server) allowed(c *command, user string, ch *Channel) bool {
	g := s.guilds[ch.Guild]
	need := idOf(c.spec["default_member_permissions"])
	if g == nil || need == "" {
		return true
	}
	have := g.permissions(user)
	if have&Administrator != 0 {
		return true
	}
	var n uint64
	fmt.Sscan(need, &n) // what is no number asks for nothing
	return n != 0 && have&n == n
}

// A filler fills in the options of a command.
type filler struct {
	s        *Server
	focus    string
	focused  int // kind of the option in focus
	resolved obj
}

// fill returns the options below a command or subcommand. s.mu is held.
func (f *filler) fill(spec obj, path []string, given []Option) ([]any, error) {
	options := items(spec["options"])
	if len(path) > 0 {
		for _, v := range options {
			o, _ := v.(obj)
			if kind := kindOf(o); o["name"] == path[0] && (kind == optionSub || kind == optionGroup) {
				below, err := f.fill(o, path[1:], given)
				if below == nil {
					below = []any{}
				}
				return []any{obj{"name": path[0], "type": kind, "options": below}}, err
			}
		}
		if !f.s.o.AnyCommand {
			return nil, fmt.Errorf("there is no subcommand %q", path[0])
		}
		below, err := f.fill(obj{}, path[1:], given)
		return []any{obj{"name": path[0], "type": optionSub, "options": below}}, err
	}
	return f.values(options, given)
}

// values returns the given options in the form of a payload.
func (f *filler) values(options []any, given []Option) ([]any, error) {
	specs := map[string]obj{}
	for _, v := range options {
		o, _ := v.(obj)
		name, _ := o["name"].(string)
		if kind := kindOf(o); kind == optionSub || kind == optionGroup {
			return nil, fmt.Errorf("it has subcommands such as %q, and none was given", name)
		}
		specs[name] = o
	}
	var all []any
	for _, g := range given {
		v, err := f.value(specs[g.Name], g)
		if err != nil {
			return nil, fmt.Errorf("option %q: %w", g.Name, err)
		}
		all = append(all, v)
		delete(specs, g.Name)
	}
	for name, o := range specs {
		if o["required"] == true && f.focus == "" {
			return nil, fmt.Errorf("option %q is required", name)
		}
	}
	if f.focus != "" && f.focused == 0 {
		return nil, fmt.Errorf("option %q is not given a value, or does not autocomplete", f.focus)
	}
	return all, nil
}

// value checks one option and returns it in the form of a payload.
func (f *filler) value(spec obj, g Option) (obj, error) {
	kind := kindOf(spec)
	if spec == nil {
		if !f.s.o.AnyCommand {
			return nil, errors.New("there is no such option, or it was given twice")
		}
		kind = guess(g.Value)
	}
	out := obj{"name": g.Name, "type": kind, "value": g.Value}
	if g.Name == f.focus {
		if spec["autocomplete"] == true || f.s.o.AnyCommand {
			f.focused = kind
			out["focused"] = true
		}
		return out, nil // half-typed values are not checked
	}
	return out, f.check(spec, kind, g.Value)
}

// check compares a value with what the option wants.
func (f *filler) check(spec obj, kind int, v any) error {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	if n, ok := v.(int); ok {
		number, isNumber = float64(n), true
	}
	switch kind {
	case optionText:
		return checkText(spec, text, isText)
	case optionInteger, optionNumber:
		return checkNumber(spec, number, isNumber && (kind == optionNumber || number == float64(int(number))))
	case optionBoolean:
		if _, ok := v.(bool); !ok {
			return errors.New("wants true or false")
		}
	default:
		return f.resolve(kind, text)
	}
	return nil
}

func checkText(spec obj, text string, isText bool) error {
	n := utf8.RuneCountInString(text)
	least, _ := integer(spec["min_length"])
	most, bounded := integer(spec["max_length"])
	switch {
	case !isText:
		return errors.New("wants a text")
	case n < max(least, 1), n > 6000, bounded && n > most:
		return fmt.Errorf("a text of %d characters is too short or too long", n)
	}
	return chosen(spec, text)
}

func checkNumber(spec obj, number float64, ok bool) error {
	least, hasLeast := spec["min_value"].(float64)
	most, hasMost := spec["max_value"].(float64)
	switch {
	case !ok:
		return errors.New("wants a number")
	case hasLeast && number < least, hasMost && number > most:
		return fmt.Errorf("%v is too small or too large", number)
	}
	return chosen(spec, number)
}

// chosen checks that a value is one of the choices, if there are any.
func chosen(spec obj, v any) error {
	choices := items(spec["choices"])
	for _, c := range choices {
		if o, _ := c.(obj); o["value"] == v {
			return nil
		}
	}
	if len(choices) > 0 {
		return fmt.Errorf("%v is none of the choices", v)
	}
	return nil
}

// resolve adds what an id stands for to the payload.
func (f *filler) resolve(kind int, id string) error {
	u, c := f.s.users[id], f.s.channels[id]
	switch {
	case u != nil && (kind == optionUser || kind == optionMention):
		f.add("users", id, u.json())
	case c != nil && kind == optionChannel:
		f.add("channels", id, obj{"id": c.ID, "name": c.Name, "type": c.Type, "permissions": bits(everyonePermissions)})
	default:
		return fmt.Errorf("nothing of that kind has the id %q", id)
	}
	return nil
}

func (f *filler) add(what, id string, o obj) {
	m, ok := f.resolved[what].(obj)
	if !ok {
		m = obj{}
		f.resolved[what] = m
	}
	m[id] = o
}

// guess returns the kind of option that a value fits.
func guess(v any) int {
	switch v := v.(type) {
	case bool:
		return optionBoolean
	case int:
		return optionInteger
	case float64:
		return optionNumber
	case string:
		if len(v) >= 17 && isSnowflake(v) {
			return optionUser
		}
	}
	return optionText
}

// start completes the payload of an interaction and sends it. s.mu is held.
func (s *Server) start(i *Interaction, user string, c *Channel, data obj) {
	i.s, i.ID, i.User, i.Channel = s, s.id(), user, c.ID
	i.Token = "interaction-token-" + i.ID
	u := s.users[user]
	channel := s.channelJSON(c)
	p := obj{"id": i.ID, "application_id": s.o.AppID, "type": i.Kind, "token": i.Token, "version": 1, "data": data, "channel": channel,
		"channel_id": c.ID, "locale": u.Locale, "entitlements": []any{}, "entitlement_sku_ids": []any{}, "attachment_size_limit": maxFile}
	if g := s.guilds[c.Guild]; g != nil {
		member := s.memberJSON(g, user)
		member["user"], member["permissions"] = u.json(), bits(g.permissions(user))
		channel["permissions"] = bits(g.permissions(user))
		p["member"], p["guild_id"], p["context"], p["guild_locale"] = member, g.ID, 0, "en-US"
		p["guild"] = obj{"id": g.ID, "locale": "en-US", "features": []any{}}
		p["app_permissions"] = bits(s.may(c))
		p["authorizing_integration_owners"] = obj{"0": g.ID}
	} else {
		p["user"], p["context"], p["app_permissions"] = u.json(), 1, bits(everyonePermissions)
		p["authorizing_integration_owners"] = obj{"0": "0"}
	}
	if i.message != nil {
		p["message"] = i.message.json()
	}
	if s.o.Aliens {
		alienate(p)
	}
	i.Payload = p
	s.launch(i)
}

// alienate adds to a payload what Discord may add tomorrow.
func alienate(p obj) {
	alien := obj{"type": 99, "id": 9999, "custom_id": "alien", "tentacles": []any{1, "two", nil}}
	p["invented_tomorrow"] = obj{"by": "somebody"}
	for _, key := range []string{"message", "data"} {
		o, ok := p[key].(obj)
		if !ok {
			continue
		}
		if list, ok := o["components"].([]any); ok {
			o = maps.Clone(o)
			o["components"] = append(append([]any{alien}, list...), obj{"type": kindRow, "id": 9998, "components": []any{alien}})
			p[key] = o
		}
	}
}

// Press presses the button with this label or, failing that, this custom id. The
// message is looked up again: it is an error when it is gone, not for this
// person, or has no such button any more.
func (s *Server) Press(user string, on Message, button string) (*Interaction, error) {
	return s.act(user, on, button, nil)
}

// Choose picks options, by value or label, of the select with this custom id or
// placeholder.
func (s *Server) Choose(user string, on Message, menu string, options ...string) (*Interaction, error) {
	return s.act(user, on, menu, append([]string{}, options...))
}

func (s *Server) act(user string, on Message, what string, options []string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	m := s.look(on.ID)
	var c *Channel
	if m != nil {
		c = s.channels[m.Channel]
	}
	switch {
	case m == nil || c == nil:
		return nil, errors.New("discordtest: that message is gone")
	case m.For != "" && m.For != user, !s.reads(user, c):
		return nil, fmt.Errorf("discordtest: %s does not see that message", user)
	}
	data, err := take(m, what, options)
	if err != nil {
		return nil, err
	}
	i := &Interaction{Kind: KindComponent, message: m}
	s.start(i, user, c, data)
	return i, nil
}

// take makes the data of a component's interaction.
func take(m *Message, what string, options []string) (obj, error) {
	o := component(m, what, options != nil)
	switch style, _ := integer(o["style"]); {
	case o == nil:
		return nil, fmt.Errorf("discordtest: nothing on that message is called %q", what)
	case o["disabled"] == true:
		return nil, fmt.Errorf("discordtest: %q is disabled", what)
	case kindOf(o) == kindButton && style >= styleLink:
		return nil, fmt.Errorf("discordtest: %q leads elsewhere; the app is not told", what)
	}
	data := obj{"component_type": kindOf(o), "custom_id": o["custom_id"], "id": o["id"]}
	if options == nil {
		return data, nil
	}
	values, err := pick(o, options)
	data["values"] = values
	return data, err
}

// component finds a button by label, a select by placeholder, or either by its
// custom id.
func component(m *Message, what string, menu bool) (found obj) {
	for _, id := range []bool{false, true} {
		for _, c := range m.Components {
			each(c, func(c obj) {
				fits := kindOf(c) == kindButton && buttonLabel(c) == what
				if menu {
					fits = c["placeholder"] == what
				}
				if id {
					fits = c["custom_id"] == what
				}
				if found == nil && fits && menu == isSelect(kindOf(c)) {
					found = c
				}
			})
		}
	}
	return found
}

// pick returns the values of the options chosen.
func pick(menu obj, options []string) ([]any, error) {
	var values []any
	for _, want := range options {
		value := ""
		for _, v := range items(menu["options"]) {
			o, _ := v.(obj)
			if s, _ := o["value"].(string); s == want || o["label"] == want {
				value = s
			}
		}
		if kindOf(menu) != kindSelect {
			value = want
		}
		if value == "" {
			return nil, fmt.Errorf("discordtest: there is no option %q", want)
		}
		values = append(values, value)
	}
	most, ok := integer(menu["max_values"])
	if !ok {
		most = 1
	}
	if len(values) > most {
		return nil, fmt.Errorf("discordtest: %d options are more than %d", len(values), most)
	}
	return values, nil
}

// Deliver sends an interaction of any kind with any data, also such as Discord
// does not send today. An empty channel is the person's direct messages.
func (s *Server) Deliver(user, channel string, kind int, data map[string]any) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	if channel == "" {
		channel = user
	}
	i := &Interaction{Kind: kind}
	s.start(i, user, s.place(channel), data)
	return i
}
