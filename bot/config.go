package bot

import (
	"context"
	"slices"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// Config is what the bot needs to know, already validated. The bot never
// changes it; [Bot.Configure] swaps it whole.
type Config struct {
	Metrics  stats.Dictionary
	Rules    []*alert.Rule  // all, the disabled and the built-in ones too
	Zone     *time.Location // the vendor's day: when counters start again
	Admins   []chat.Address
	Teams    []Team
	Commands map[chat.Network]map[string]string // how a network calls a command, where not "/" and its name

	// LinkPage is where the link pages are, such as https://floor.example/link/;
	// "" is nowhere: then credentials are asked for in chat, where that is allowed.
	LinkPage string

	// Lookup asks a network what it calls a person; nil asks nobody.
	Lookup func(context.Context, chat.Address) (chat.Person, error)

	PollInterval      time.Duration // between two polls of one agent
	RequestsPerSecond float64       // what the source lets through, all agents together
	MaxInFlight       int           // polls at the same time

	memberships map[chat.Address][]string // the teams of an address, as Teams has them; made by Configure
}

// membershipsOf returns the names of the teams that each address is a member of.
// To look through all members for each agent would take seconds where there are
// ten thousand.
func membershipsOf(teams []Team) map[chat.Address][]string {
	of := map[chat.Address][]string{}
	for _, t := range teams {
		for _, p := range t.Members {
			for _, addr := range p.Addresses {
				if !slices.Contains(of[addr], t.Name) {
					of[addr] = append(of[addr], t.Name)
				}
			}
		}
	}
	return of
}

// A Team is a group of agents with its supervisors.
type Team struct {
	Name        string
	Zone        *time.Location
	Channels    []chat.Address
	Supervisors []Person
	Members     []Person

	Rota           schedule.Rota // its shifts and holidays; Team and Zone as above
	Poll           bool          // whether its agents are watched
	MinCoverage    float64       // the share of a window that must have been polled for its totals to be taken for whole
	Digests        []Digest
	Leaderboard    int                 // how many are named as the best; 0: none
	LeaderboardBy  string              // the metric that decides
	NamesInChannel bool                // whether public posts name people
	QuietHours     schedule.QuietHours // for its supervisors, in Zone; zero: none
}

// A Digest is a post that a team gets by itself.
type Digest struct {
	Name          string // unique in the team
	Schedule      schedule.Digest
	ToSupervisors bool // to each supervisor instead of the team's channels
}

// A Person is somebody with one or more addresses, the first of which is tried
// first.
type Person struct {
	Name      string // may be empty
	Addresses []chat.Address
}

// Has reports whether the address is the person's.
func (p Person) Has(addr chat.Address) bool { return slices.Contains(p.Addresses, addr) }

// typed returns how people type a command on a network, such as "/floor link".
func (c *Config) typed(network chat.Network, command, rest string) string {
	name := "/" + command
	if own := c.Commands[network][command]; own != "" {
		name = own
	}
	if rest == "" {
		return name
	}
	return name + " " + rest
}

// isAdmin reports whether the address is an administrator's.
func (c *Config) isAdmin(addr chat.Address) bool { return slices.Contains(c.Admins, addr) }

// supervises returns the names of the teams that the address supervises.
func (c *Config) supervises(addr chat.Address) []string {
	return c.teamsWith(func(t Team) []Person { return t.Supervisors }, addr)
}

// memberOf returns the names of the teams that the configuration puts the
// address in.
func (c *Config) memberOf(addr chat.Address) []string { return c.memberships[addr] }

func (c *Config) teamsWith(people func(Team) []Person, addr chat.Address) []string {
	var names []string
	for _, t := range c.Teams {
		if slices.ContainsFunc(people(t), func(p Person) bool { return p.Has(addr) }) {
			names = append(names, t.Name)
		}
	}
	return names
}

// samePerson returns the other addresses that the configuration gives the
// person behind addr.
func (c *Config) samePerson(addr chat.Address) []chat.Address {
	for _, t := range c.Teams {
		for _, p := range slices.Concat(t.Members, t.Supervisors) {
			if p.Has(addr) && len(p.Addresses) > 1 {
				return slices.DeleteFunc(slices.Clone(p.Addresses), func(a chat.Address) bool { return a == addr })
			}
		}
	}
	return nil
}

// teamsOf returns the names of an agent's teams, configured and added, sorted.
func (c *Config) teamsOf(a Agent) []string {
	names := slices.Clone(a.Teams)
	for _, addr := range a.Addresses {
		names = append(names, c.memberOf(addr)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// zoneOf returns the zone in which a person reads times: that of their first
// team, for others that of the first team there is, else the vendor's.
func (c *Config) zoneOf(addr chat.Address) *time.Location {
	for _, t := range c.Teams {
		for _, p := range slices.Concat(t.Members, t.Supervisors) {
			if p.Has(addr) && t.Zone != nil {
				return t.Zone
			}
		}
	}
	if len(c.Teams) > 0 && c.Teams[0].Zone != nil {
		return c.Teams[0].Zone
	}
	return c.Zone
}
