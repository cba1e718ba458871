package discordtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// start completes the payload of an interaction and sends it. s.mu is held.
func (s *Server) start(i *Interaction, user string, c *Channel, data obj) {
	i.s, i.ID, i.User, i.Channel = s, s.id(), user, c.ID
	i.Token = "interaction-token-" + i.ID
	u := s.users[user]
	p := obj{"id": i.ID, "application_id": s.o.AppID, "type": i.Kind, "token": i.Token, "version": 1, "data": data, "channel": s.channelJSON(c),
		"channel_id": c.ID, "locale": u.Locale, "entitlements": []any{}, "attachment_size_limit": maxFile}
	if g := s.guilds[c.Guild]; g != nil {
		member := s.memberJSON(g, user)
		member["user"], member["permissions"] = u.json(), bits(g.permissions(user))
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
