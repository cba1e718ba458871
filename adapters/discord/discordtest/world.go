package discordtest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Permissions, as bits.
const (
	Administrator   = 1 << 3
	ViewChannel     = 1 << 10
	SendMessages    = 1 << 11
	ManageMessages  = 1 << 13
	EmbedLinks      = 1 << 14
	AttachFiles     = 1 << 15
	MentionEveryone = 1 << 17
	UseCommands     = 1 << 31

	everyonePermissions = ViewChannel | SendMessages | EmbedLinks | AttachFiles | 1<<6 | 1<<16 | UseCommands
)

// typeCategory is a channel that only holds others.
const typeCategory = 4

// A User is a person, or the bot.
type User struct {
	ID     string // a snowflake; default a new one
	Name   string // the handle; default "user" and the id
	Global string // the display name; default Name
	Locale string // default "en-US"
	Bot    bool
	NoDM   bool // cannot be sent direct messages (50007)
}

// A Guild is a server.
type Guild struct {
	ID       string   // a snowflake; default a new one
	Name     string   // default "guild" and the id
	Members  []string // default all people that were added before it
	Admins   []string // members with all permissions
	Everyone uint64   // permissions of everyone, the bot too; default the usual ones

	out bool // not available
}

// A Channel is a place for messages. Direct messages are channels too; they are
// made when the app or a person opens one.
type Channel struct {
	ID      string // a snowflake; default a new one
	Guild   string
	Name    string   // default "channel" and the id
	Type    int      // 0 is text; a direct message is 1
	Deny    uint64   // permissions the bot does not have here
	Members []string // who can read it; default the guild's members
	With    string   // a direct message: the person
}

// AddUser adds a person or replaces the one with that id, and returns the id.
func (s *Server) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.ID = s.snowflake(u.ID)
	u.Name = cmp.Or(u.Name, "user"+u.ID)
	u.Global = cmp.Or(u.Global, u.Name)
	u.Locale = cmp.Or(u.Locale, "en-US")
	s.users[u.ID] = &u
	return u.ID
}

// AddGuild adds a guild that the app is in, or replaces the one with that id, and
// returns the id. Apps that are connected are told with GUILD_CREATE.
func (s *Server) AddGuild(g Guild) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.ID = s.snowflake(g.ID)
	g.Name = cmp.Or(g.Name, "guild"+g.ID)
	g.Everyone = cmp.Or(g.Everyone, everyonePermissions)
	if g.Members == nil {
		for id, u := range s.users {
			if !u.Bot {
				g.Members = append(g.Members, id)
			}
		}
		slices.Sort(g.Members)
	}
	g.Members, g.Admins = slices.Clone(g.Members), slices.Clone(g.Admins)
	s.guilds[g.ID] = &g
	s.broadcast(intentGuilds, "GUILD_CREATE", s.guildCreate(&g))
	return g.ID
}

// AddChannel adds a channel or replaces the one with that id, and returns the id.
// If the network has one guild, that is the default.
func (s *Server) AddChannel(c Channel) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = s.snowflake(c.ID)
	c.Name = cmp.Or(c.Name, "channel"+c.ID)
	if c.Guild == "" && len(s.guilds) == 1 {
		for id := range s.guilds {
			c.Guild = id
		}
	}
	if s.guilds[c.Guild] == nil {
		panic(fmt.Sprintf("discordtest: channel %s is in no guild: add it with AddGuild", c.Name))
	}
	c.Members = slices.Clone(c.Members)
	s.channels[c.ID] = &c
	s.broadcast(intentGuilds, "CHANNEL_CREATE", s.channelJSON(&c))
	return c.ID
}

// RemoveChannel deletes a channel and tells the app with CHANNEL_DELETE.
func (s *Server) RemoveChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.place(id)
	delete(s.channels, c.ID)
	s.broadcast(intentGuilds, "CHANNEL_DELETE", s.channelJSON(c))
	s.changed.ring()
}

// RemoveGuild throws the app out of a guild and tells it with GUILD_DELETE.
func (s *Server) RemoveGuild(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guild(id)
	delete(s.guilds, g.ID)
	s.broadcast(intentGuilds, "GUILD_DELETE", obj{"id": g.ID})
	s.changed.ring()
}

// Outage makes a guild unavailable, which the app is told with a GUILD_DELETE
// that says so, and available again. It is still in the guild.
func (s *Server) Outage(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guild(id)
	g.out = on
	if on {
		s.broadcast(intentGuilds, "GUILD_DELETE", obj{"id": g.ID, "unavailable": true})
	} else {
		s.broadcast(intentGuilds, "GUILD_CREATE", s.guildCreate(g))
	}
	s.changed.ring()
}

// Leave takes a person out of a guild.
func (s *Server) Leave(guild, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guild(guild)
	g.Members = slices.DeleteFunc(g.Members, func(id string) bool { return id == user })
}

// DM returns the id of the direct messages between the app and a person, which
// it opens if need be. It panics if there is no such person.
func (s *Server) DM(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dm(s.person(user).ID).ID
}

// dm is DM for a user that is known to exist. s.mu is held.
func (s *Server) dm(user string) *Channel {
	for _, c := range s.channels {
		if c.With == user {
			return c
		}
	}
	c := &Channel{ID: s.id(), Type: 1, With: user, Members: []string{user}}
	s.channels[c.ID] = c
	return c
}

// snowflake returns the id, or a new one for "". A test that makes ids up must
// make up snowflakes: clients take them apart.
func (s *Server) snowflake(id string) string {
	if id == "" {
		return s.id()
	}
	if !isSnowflake(id) {
		panic(fmt.Sprintf("discordtest: the id %q is no snowflake: use 17 to 20 digits", id))
	}
	return id
}

func isSnowflake(id string) bool {
	n, err := strconv.ParseUint(id, 10, 64)
	return err == nil && n > 0 && !strings.HasPrefix(id, "0")
}

// person returns a user that a test named. A wrong name is a fault of the test.
func (s *Server) person(id string) *User {
	u := s.users[id]
	if u == nil {
		panic(fmt.Sprintf("discordtest: no user %q: add it with AddUser", id))
	}
	return u
}

func (s *Server) guild(id string) *Guild {
	g := s.guilds[id]
	if g == nil {
		panic(fmt.Sprintf("discordtest: no guild %q: add it with AddGuild", id))
	}
	return g
}

// place returns a channel that a test named; a user's id means their direct
// messages.
func (s *Server) place(id string) *Channel {
	if s.users[id] != nil {
		return s.dm(id)
	}
	c := s.channels[id]
	if c == nil {
		panic(fmt.Sprintf("discordtest: no channel %q: add it with AddChannel", id))
	}
	return c
}

// reads reports whether a person can read a channel.
func (s *Server) reads(user string, c *Channel) bool {
	if c.With != "" {
		return c.With == user
	}
	g := s.guilds[c.Guild]
	if g == nil || !slices.Contains(g.Members, user) {
		return false
	}
	return c.Members == nil || slices.Contains(c.Members, user) || slices.Contains(g.Admins, user)
}

// may returns the bot's permissions in a channel.
func (s *Server) may(c *Channel) uint64 {
	if c.With != "" {
		return everyonePermissions
	}
	g := s.guilds[c.Guild]
	if g == nil {
		return 0
	}
	return g.Everyone &^ c.Deny
}

// permissions returns those of a person in a guild.
func (g *Guild) permissions(user string) uint64 {
	if slices.Contains(g.Admins, user) {
		return g.Everyone | Administrator
	}
	return g.Everyone
}

// stranger reports whether a person shares no guild with the app.
func (s *Server) stranger(user string) bool {
	for _, g := range s.guilds {
		if slices.Contains(g.Members, user) {
			return false
		}
	}
	return true
}
