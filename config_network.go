package main

import (
	"fmt"
	"slices"

	"floorwalker/bot/chat"
)

// On reports whether a network is on: whether it has a bot token. The console
// is on if no other is.
func (c *Config) On(n chat.Network) bool {
	slack, discord := !c.Slack.BotToken.IsZero(), !c.Discord.BotToken.IsZero()
	switch n {
	case chat.Slack:
		return slack
	case chat.Discord:
		return discord
	}
	return !slack && !discord
}

// off says why nobody can be reached on a network, "" if it is on.
func (c *Config) off(n chat.Network) string {
	switch {
	case !slices.Contains(chat.Networks(), n):
		return "there is no network " + quote(string(n))
	case c.On(n):
		return ""
	case n == chat.Console:
		return "the console is there only while no other network is on"
	}
	token := string(n) + ".bot_token"
	return fmt.Sprintf("%s is missing (or set %s)", token, setting{path: token}.env())
}

// networks notes what the networks lack that are on, or that somebody is on.
func (v validator) networks() {
	s, d, listens := v.cfg.Slack, v.cfg.Discord, v.cfg.HTTP.Listen != ""
	if v.wanted(chat.Slack) {
		v.needs("slack.app_token", s.Mode == "socket", !s.AppToken.IsZero(), "slack.mode socket")
		v.needs("slack.signing_secret", s.Mode == "http", !s.SigningSecret.IsZero(), "slack.mode http")
		v.needs("http.listen", s.Mode == "http", listens, "slack.mode http")
	}
	if v.wanted(chat.Discord) {
		v.needs("discord.application_id", true, d.ApplicationID != "", "Discord")
		v.needs("discord.public_key", d.Mode == "http", d.PublicKey != "", "discord.mode http")
		v.needs("http.listen", d.Mode == "http", listens, "discord.mode http")
	}
	if len(v.cfg.Admins) == 0 && !v.faulty["admins"] {
		v.warn("admins", "there are none, so nobody is told when the bot cannot deliver, or may ask how it is; write at least one address")
	}
	for _, p := range v.cfg.addresses() {
		if p.address.Network == chat.Console && !v.cfg.On(chat.Console) {
			v.fault(p.path, "%s cannot be reached: %s", p.address, v.cfg.off(chat.Console))
		}
	}
}

// wanted reports whether a network is on, or ought to be. One that is off and
// has addresses lacks its token: the cause is one, however many they are.
func (v validator) wanted(n chat.Network) bool {
	if v.cfg.On(n) {
		return true
	}
	there := slices.DeleteFunc(v.cfg.addresses(), func(p placed) bool { return p.address.Network != n })
	if len(there) == 0 {
		return false
	}
	who := there[0].address.String() + " needs"
	if more := len(there) - 1; more > 0 {
		who = fmt.Sprintf("%s and %d more need", there[0].address, more)
	}
	path := string(n) + ".bot_token"
	v.missing(path, who)
	return true
}

// needs notes a value that is missing for a reason.
func (v validator) needs(path string, required, there bool, why string) {
	if required && !there {
		v.missing(path, why+" needs")
	}
}

// missing notes a value that is missing, unless why its file gave none is noted.
func (v validator) missing(path, who string) {
	if !v.faulty[path+"_file"] {
		v.fault(path, "missing; %s it (or set %s)", who, setting{path: path}.env())
	}
}

// A placed address is one with its place in the configuration.
type placed struct {
	path    string
	address chat.Address
}

// addresses returns all addresses of the configuration.
func (c *Config) addresses() []placed {
	all := placeAll("admins", c.Admins)
	for i, t := range c.Teams {
		at := fmt.Sprintf("teams[%d].", i)
		all = slices.Concat(all,
			placeAll(at+"channels", t.Channels),
			c.placePeople(at+"supervisors", t.Supervisors),
			c.placePeople(at+"members", t.Members))
	}
	return all
}

func placeAll(path string, addresses []chat.Address) []placed {
	all := make([]placed, len(addresses))
	for i, a := range addresses {
		all[i] = placed{fmt.Sprintf("%s[%d]", path, i), a}
	}
	return all
}

// placePeople returns the addresses of people, who are written as one address
// each, or with a list of ids.
func (c *Config) placePeople(path string, people []PersonConfig) []placed {
	var all []placed
	for i, p := range people {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, list := c.origins[at+".ids"]; list {
			all = append(all, placeAll(at+".ids", p.IDs)...)
		} else if len(p.IDs) > 0 {
			all = append(all, placed{at, p.IDs[0]})
		}
	}
	return all
}
