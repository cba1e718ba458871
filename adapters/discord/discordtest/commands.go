package discordtest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kinds of options of a command.
const (
	optionSub        = 1
	optionGroup      = 2
	optionText       = 3
	optionInteger    = 4
	optionBoolean    = 5
	optionUser       = 6
	optionChannel    = 7
	optionRole       = 8
	optionMention    = 9
	optionNumber     = 10
	optionAttachment = 11
)

// A command is a registered one.
type command struct {
	id      string
	version string
	spec    obj // as it was registered
}

func (c *command) name() string { n, _ := c.spec["name"].(string); return n }

// kind is 1 for a slash command, 2 and 3 for those of a context menu.
func (c *command) kind() int {
	if n, ok := integer(c.spec["type"]); ok {
		return n
	}
	return 1
}

// json returns the command as the API does.
func (c *command) json(s *Server, guild string) obj {
	o := obj{"id": c.id, "application_id": s.o.AppID, "version": c.version, "type": 1, "default_member_permissions": nil, "nsfw": false,
		"description": "", "integration_types": []any{0}}
	maps.Copy(o, c.spec)
	if guild != "" {
		o["guild_id"] = guild
	} else if o["contexts"] == nil {
		o["contexts"] = nil
	}
	return o
}

// Commands returns the names of the registered slash commands, in the order of
// registration: those of a guild, or with "" the global ones.
func (s *Server) Commands(guild string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, c := range s.commands[guild] {
		if c.kind() == 1 {
			names = append(names, c.name())
		}
	}
	return names
}

// scope returns where the commands of a call are registered: a guild, or "".
func (s *Server) scope(q *request) (string, *failure) {
	if q.params["app"] != s.o.AppID {
		return "", fail(50001)
	}
	guild, ok := q.params["guild"]
	if !ok {
		return "", nil
	}
	if s.guilds[guild] == nil {
		return "", fail(50001)
	}
	return guild, nil
}

func (s *Server) listCommands(q *request) (any, *failure) {
	guild, f := s.scope(q)
	if f != nil {
		return nil, f
	}
	all := []any{}
	for _, c := range s.commands[guild] {
		all = append(all, c.json(s, guild))
	}
	return all, nil
}

// commandOf returns the command that a call names, and its place in the list.
func (s *Server) commandOf(q *request) (guild string, at int, f *failure) {
	guild, f = s.scope(q)
	if f != nil {
		return "", 0, f
	}
	at = slices.IndexFunc(s.commands[guild], func(c *command) bool { return c.id == q.params["command"] })
	if at < 0 {
		return "", 0, q.unknown("command", 10063)
	}
	return guild, at, nil
}

func (s *Server) getCommand(q *request) (any, *failure) {
	guild, at, f := s.commandOf(q)
	if f != nil {
		return nil, f
	}
	return s.commands[guild][at].json(s, guild), nil
}

func (s *Server) deleteCommand(q *request) (any, *failure) {
	guild, at, f := s.commandOf(q)
	if f != nil {
		return nil, f
	}
	s.commands[guild] = slices.Delete(s.commands[guild], at, at+1)
	return nil, nil
}

func (s *Server) editCommand(q *request) (any, *failure) {
	guild, at, f := s.commandOf(q)
	if f != nil {
		return nil, f
	}
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	old := s.commands[guild][at]
	spec := maps.Clone(old.spec)
	maps.Copy(spec, body)
	list := slices.Clone(s.commands[guild])
	list[at] = &command{id: old.id, version: s.id(), spec: spec}
	return s.register(guild, list, at, q.at)
}

// createCommand registers one command; one of that name is replaced.
func (s *Server) createCommand(q *request) (any, *failure) {
	guild, f := s.scope(q)
	if f != nil {
		return nil, f
	}
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	list := slices.Clone(s.commands[guild])
	c := s.command(guild, body)
	at := slices.IndexFunc(list, func(old *command) bool { return old.id == c.id })
	if at >= 0 {
		list[at] = c
		return s.register(guild, list, at, q.at)
	}
	answer, f := s.register(guild, append(list, c), len(list), q.at)
	return created{answer}, f
}

// register checks and stores a list in which one command is new.
func (s *Server) register(guild string, list []*command, at int, now time.Time) (any, *failure) {
	var form form
	form.at().command(list[at].spec)
	if f := form.failure(); f != nil {
		return nil, f
	}
	if f := s.store(guild, list, now); f != nil {
		return nil, f
	}
	return list[at].json(s, guild), nil
}

// overwriteCommands replaces all commands of a guild, or all global ones. Those
// whose name is known keep their ids and do not count as created.
func (s *Server) overwriteCommands(q *request) (any, *failure) {
	guild, f := s.scope(q)
	if f != nil {
		return nil, f
	}
	var form form
	list, ok := q.body.([]any)
	if !ok {
		form.at().wrong("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return nil, form.failure()
	}
	fresh := []*command{}
	for i, v := range list {
		o, _ := v.(obj)
		form.at(i).command(o)
		c := s.command(guild, o)
		if slices.ContainsFunc(fresh, func(b *command) bool { return b.name() == c.name() && b.kind() == c.kind() }) {
			form.at(i, "name").wrong("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		}
		fresh = append(fresh, c)
	}
	if f := form.failure(); f != nil {
		return nil, f
	}
	if f := s.store(guild, fresh, q.at); f != nil {
		return nil, f
	}
	return s.listCommands(q)
}

// command makes a command of a body. One of the same name gives it its id.
func (s *Server) command(guild string, spec obj) *command {
	c := &command{version: s.id(), spec: spec}
	for _, old := range s.commands[guild] {
		if old.name() == c.name() && old.kind() == c.kind() {
			c.id = old.id
		}
	}
	if c.id == "" {
		c.id = s.id()
	}
	return c
}

// store takes a list over if there are not too many commands, and not too many
// new ones today.
func (s *Server) store(guild string, list []*command, now time.Time) *failure {
	counts, created := map[int]int{}, 0
	for _, c := range list {
		counts[c.kind()]++
		if !slices.ContainsFunc(s.commands[guild], func(old *command) bool { return old.id == c.id }) {
			created++
		}
	}
	if counts[1] > 100 || counts[2] > 15 || counts[3] > 15 {
		return fail(30032)
	}
	today := slices.DeleteFunc(s.creates[guild], func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
	if created > 0 && len(today)+created > s.o.Creates {
		return fail(30034)
	}
	for range created {
		today = append(today, now)
	}
	s.creates[guild] = today
	s.commands[guild] = list
	return nil
}

var (
	commandKeys = strings.Fields(`id application_id guild_id version type name name_localizations description description_localizations
		options default_member_permissions dm_permission default_permission contexts integration_types nsfw handler`)
	optionKeys = strings.Fields(`type name name_localizations description description_localizations required choices options channel_types
		min_value max_value min_length max_length autocomplete`)
	goodName = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)
)

// command checks a command.
func (p place) command(o obj) {
	p.known(o, commandKeys)
	c := command{spec: o}
	if kind := c.kind(); kind == 1 {
		p.name(o)
		p.text(o, "description", 1, 100)
		p.commandOptions(o, 0)
	} else {
		p.text(o, "name", 1, 32)
		if d, _ := o["description"].(string); d != "" {
			p.at("description").wrong("APPLICATION_COMMANDS_CONTEXT_MENU_DESCRIPTION", "Context menu commands cannot have description")
		}
	}
	if total := commandText(o); total > 8000 {
		p.wrong("APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
	}
	p.contexts(o)
	switch o["default_member_permissions"].(type) {
	case nil, string, float64:
	default:
		p.at("default_member_permissions").wrong("BITFIELD_INVALID", "Must be an integer in a string.")
	}
}

func (p place) contexts(o obj) {
	for i, v := range items(o["contexts"]) {
		if n, ok := integer(v); !ok || n < 0 || n > 2 {
			p.at("contexts", i).wrong("BASE_TYPE_CHOICES", "Value must be one of {0, 1, 2}.")
		}
	}
	for i, v := range items(o["integration_types"]) {
		if n, ok := integer(v); !ok || n < 0 || n > 1 {
			p.at("integration_types", i).wrong("BASE_TYPE_CHOICES", "Value must be one of {0, 1}.")
		}
	}
}

// name checks a name of a command or an option.
func (p place) name(o obj) {
	n := p.text(o, "name", 1, 32)
	if n != "" && (!goodName.MatchString(n) || n != strings.ToLower(n)) {
		p.at("name").wrong("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
	}
}

// commandOptions checks the options of a command or subcommand; depth counts the
// subcommands above.
func (p place) commandOptions(o obj, depth int) {
	var names []string
	subs, others, optional := 0, 0, false
	for i, option := range p.list(o, "options", 25) {
		at := p.at("options", i)
		at.option(option, depth)
		name, _ := option["name"].(string)
		if slices.Contains(names, name) {
			at.at("name").wrong("APPLICATION_COMMAND_OPTIONS_NAME_NOT_UNIQUE", "Option names must be unique")
		}
		names = append(names, name)
		if kind := kindOf(option); kind == optionSub || kind == optionGroup {
			subs++
			continue
		}
		others++
		required, _ := option["required"].(bool)
		if required && optional {
			at.at("required").wrong("APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
		}
		optional = optional || !required
	}
	if subs > 0 && others > 0 {
		p.at("options").wrong("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types")
	}
}

// option checks an option.
func (p place) option(o obj, depth int) {
	p.known(o, optionKeys)
	p.name(o)
	p.text(o, "description", 1, 100)
	kind := kindOf(o)
	switch {
	case kind < optionSub || kind > optionAttachment:
		p.at("type").wrong("BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}.")
	case kind == optionGroup && depth > 0, kind == optionSub && depth > 1:
		p.at("type").wrong("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Options do not nest like this")
	case kind == optionSub:
		p.commandOptions(o, 2)
	case kind == optionGroup:
		for i, sub := range p.list(o, "options", 25) {
			if kindOf(sub) != optionSub {
				p.at("options", i, "type").wrong("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "A group holds subcommands")
			}
		}
		p.commandOptions(o, 1)
	}
	complete, _ := o["autocomplete"].(bool)
	choices := p.list(o, "choices", 25)
	if complete && (len(choices) > 0 || kind != optionText && kind != optionInteger && kind != optionNumber) {
		p.at("autocomplete").wrong("APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "Not with choices, and for texts and numbers only")
	}
	for i, c := range choices {
		p.at("choices", i).choice(c, kind)
	}
}

// choice checks a choice of an option, and a suggestion for one.
func (p place) choice(o obj, kind int) {
	p.known(o, []string{"name", "name_localizations", "value"})
	p.text(o, "name", 1, 100)
	switch v := o["value"].(type) {
	case string:
		if kind != optionText {
			p.at("value").wrong("NUMBER_TYPE_COERCE", "Value is not a number.")
		}
		if length(v) < 1 || length(v) > 100 {
			p.at("value").wrong("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
		}
	case float64:
		if kind == optionText {
			p.at("value").wrong("STRING_TYPE_CONVERT", "Could not interpret %v as string.", v)
		}
	default:
		p.at("value").required()
	}
}

// commandText counts the text of a command: names, descriptions, and the values
// of choices.
func commandText(o obj) int {
	n := 0
	for _, key := range []string{"name", "description", "value"} {
		s, _ := o[key].(string)
		n += length(s)
	}
	for _, key := range []string{"options", "choices"} {
		for _, v := range items(o[key]) {
			child, _ := v.(obj)
			n += commandText(child)
		}
	}
	return n
}
