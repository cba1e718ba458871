package discord

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// commandSpec is a command as Discord registers it. Only what we set is
// compared with what is registered.
type commandSpec struct {
	Name        string       `json:"name"`
	Type        int          `json:"type"` // commandTyped
	Description string       `json:"description"`
	Options     []optionSpec `json:"options,omitempty"`

	// Everywhere only; a server's own commands are offered there and nowhere else.
	Contexts []int `json:"contexts,omitempty"`
	Installs []int `json:"integration_types,omitempty"`

	// nil is everybody: the bot itself decides who may do what, subcommand by
	// subcommand, which Discord cannot.
	Permissions *string `json:"default_member_permissions"`
}

type optionSpec struct {
	Type        int          `json:"type"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Required    bool         `json:"required,omitempty"`
	Choices     []choice     `json:"choices,omitempty"`
	Complete    bool         `json:"autocomplete,omitempty"`
	Options     []optionSpec `json:"options,omitempty"`
}

const commandTyped = 1

// Where a command is offered, and by which kind of installation.
const (
	inServers        = 0
	inDirectMessages = 1
	byServer         = 0
)

// specs returns the commands as Discord registers them.
func specs(all []chat.Command, guild bool) []commandSpec {
	list := []commandSpec{}
	for _, c := range all {
		spec := commandSpec{
			Name: c.Name, Type: commandTyped, Description: summary(c.Summary, c.Name),
			Contexts: []int{inServers, inDirectMessages}, Installs: []int{byServer},
		}
		if guild {
			spec.Contexts, spec.Installs = nil, nil
		}
		for _, sub := range c.Sub {
			spec.Options = append(spec.Options, subSpec(sub))
		}
		if len(c.Sub) == 0 {
			spec.Options = optionSpecs(c.Options)
		}
		list = append(list, spec)
	}
	return list
}

func subSpec(c chat.Command) optionSpec {
	o := optionSpec{Type: optionSub, Name: c.Name, Description: summary(c.Summary, c.Name), Options: optionSpecs(c.Options)}
	if len(c.Sub) > 0 {
		o.Type, o.Options = optionGroup, nil
	}
	for _, sub := range c.Sub {
		o.Options = append(o.Options, subSpec(sub))
	}
	return o
}

// optionSpecs returns the options with those that are required first, as Discord
// wants them.
func optionSpecs(all []chat.Option) []optionSpec {
	var list []optionSpec
	for _, o := range all {
		spec := optionSpec{
			Type: optionString, Name: o.Name, Description: summary(o.Summary, o.Name), Required: o.Required,
			Complete: o.Complete && len(o.Choices) == 0 && o.Kind == chat.OptionText, // not both
		}
		if o.Kind == chat.OptionPerson {
			spec.Type = optionUser
		} else {
			spec.Choices = choiceSpecs(o.Choices)
		}
		list = append(list, spec)
	}
	slices.SortStableFunc(list, func(a, b optionSpec) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		default:
			return 1
		}
	})
	return list
}

func choiceSpecs(all []chat.Choice) []choice {
	var list []choice
	for _, c := range all {
		list = append(list, choice{or(plain(c.Label, maxChoice), c.Value), c.Value})
	}
	return list
}

func summary(s, name string) string { return or(plain(s, maxSummary), name) }

// fingerprint returns a hash of the commands that is the same for what we would
// register and for what Discord says is registered.
func fingerprint(list []commandSpec, guild bool) string {
	list = slices.Clone(list)
	for i := range list {
		c := &list[i]
		if guild {
			c.Contexts, c.Installs = nil, nil
		}
		c.Contexts, c.Installs = slices.Sorted(slices.Values(c.Contexts)), slices.Sorted(slices.Values(c.Installs))
		if c.Type == 0 {
			c.Type = commandTyped // Discord's default
		}
	}
	slices.SortFunc(list, func(a, b commandSpec) int { return strings.Compare(a.Name, b.Name) })
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// commandsAt returns a call about the commands of the configured place.
func (a *Adapter) commandsAt(method string) call {
	if a.config.GuildID != "" {
		return at(method, "/applications/{}/guilds/{}/commands", a.config.ApplicationID, a.config.GuildID)
	}
	return at(method, "/applications/{}/commands", a.config.ApplicationID)
}

// register registers the commands, trying again until it is done or hopeless.
func (s *session) register(ctx context.Context) {
	for pause := 5 * time.Second; ; pause = min(2*pause, 10*time.Minute) {
		changed, err := s.sync(ctx)
		switch {
		case err == nil && changed:
			s.log.InfoContext(ctx, "discord: commands registered", "server", or(s.config.GuildID, "all"))
			return
		case err == nil, ctx.Err() != nil, errors.Is(err, chat.ErrFinal):
			return
		case errors.Is(err, chat.ErrRejected):
			s.log.ErrorContext(ctx, "discord: the commands were refused, people see the earlier ones", "err", err)
			return
		}
		wait := pause
		if retry, ok := errors.AsType[*chat.RetryError](err); ok {
			wait = max(wait, retry.After)
		}
		s.log.ErrorContext(ctx, "discord: the commands are not registered, trying again; if access is missing, open the invite link of floorwalker manifest discord", "err", err, "in", wait)
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// sync registers the commands if Discord has others, and reports whether it did.
// It asks first: Discord counts 200 new commands a day.
func (s *session) sync(ctx context.Context) (changed bool, err error) {
	guild := s.config.GuildID != ""
	want := specs(s.app.Commands(), guild)
	if problems := commandProblems(want); len(problems) > 0 {
		return false, fmt.Errorf("discord: commands: %s: %w", problems[0], chat.ErrRejected)
	}
	have, err := ask[[]commandSpec](ctx, s.Adapter, s.commandsAt("GET"))
	if err != nil {
		return false, err
	}
	if fingerprint(have, guild) == fingerprint(want, guild) {
		return false, nil
	}
	_, err = s.call(ctx, s.commandsAt("PUT").with(want))
	return err == nil, err
}

// commandProblems returns what Discord would refuse commands for.
func commandProblems(list []commandSpec) []string {
	k := &checker{ids: map[string]bool{}}
	k.count("", len(list), maxCommands)
	for i, c := range list {
		at := fmt.Sprintf("/%d", i)
		k.total = 0
		k.named(at, c.Name, c.Description)
		k.options(at, c.Options)
		if k.total > maxCommandText {
			k.bad(at, "%d characters, at most %d", k.total, maxCommandText)
		}
	}
	return k.problems
}

func (k *checker) named(at, name, description string) {
	if !commandName.MatchString(name) || strings.ToLower(name) != name {
		k.bad(at+"/name", "%q is no name: up to 32 lower-case letters, digits, - and _", name)
	}
	k.length(at+"/description", description, 1, maxSummary)
	k.total += units(name) + units(description)
}

func (k *checker) options(at string, list []optionSpec) {
	k.count(at+"/options", len(list), maxOptions)
	names, optional := map[string]bool{}, false
	for i, o := range list {
		at := fmt.Sprintf("%s/options/%d", at, i)
		k.named(at, o.Name, o.Description)
		if names[o.Name] {
			k.bad(at+"/name", "used twice")
		}
		if o.Required && optional {
			k.bad(at+"/required", "after one that is not")
		}
		names[o.Name], optional = true, optional || !o.Required
		k.count(at+"/choices", len(o.Choices), maxOptions)
		for j, c := range o.Choices {
			k.length(fmt.Sprintf("%s/choices/%d/name", at, j), c.Name, 1, maxChoice)
			k.length(fmt.Sprintf("%s/choices/%d/value", at, j), c.Value, 1, maxChoice)
			k.total += units(c.Name) + units(c.Value)
		}
		k.options(at, o.Options)
	}
}
