package discordtest

import (
	"slices"
	"strconv"
	"time"
)

func (s *Server) getMe(*request) (any, *failure) {
	o := s.users[s.o.AppID].json()
	o["mfa_enabled"], o["locale"], o["verified"], o["email"] = false, "en-US", true, nil
	return o, nil
}

func (s *Server) getMyGuilds(*request) (any, *failure) {
	all := []any{}
	for _, g := range s.visibleGuilds() {
		all = append(all, obj{"id": g.ID, "name": g.Name, "icon": nil, "banner": nil, "owner": false, "permissions": bits(g.Everyone), "features": []any{}})
	}
	return all, nil
}

// getApplication is GET /applications/@me. The key in it is the one that
// interactions are signed with.
func (s *Server) getApplication(*request) (any, *failure) {
	bot := s.users[s.o.AppID].json()
	var endpoint any
	if s.endpoint != "" {
		endpoint = s.endpoint
	}
	return obj{"id": s.o.AppID, "name": s.o.BotName, "icon": nil, "description": "", "type": nil, "verify_key": s.PublicKey(), "flags": 0,
		"flags_new": "0", "bot": bot, "bot_public": true, "bot_require_code_grant": false, "redirect_uris": []any{},
		"interactions_endpoint_url": endpoint, "role_connections_verification_url": nil, "owner": bot, "team": nil, "tags": []any{},
		"approximate_guild_count": len(s.guilds), "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
		"explicit_content_filter": 0, "eligible_oauth2_scopes": []any{}, "integration_types_config": obj{"0": obj{}, "1": obj{}}}, nil
}

func (s *Server) getUser(q *request) (any, *failure) {
	u := s.users[q.params["user"]]
	if u == nil {
		return nil, q.unknown("user", 10013)
	}
	return u.json(), nil
}

// unknown is the failure of a thing that does not exist, or whose id is none.
func (q *request) unknown(param string, code int) *failure {
	if isSnowflake(q.params[param]) {
		return fail(code)
	}
	var f form
	f.at(param+"_id").wrong("NUMBER_TYPE_COERCE", "Value %q is not snowflake.", q.params[param])
	return f.failure()
}

// openDM is POST /users/@me/channels. It succeeds for people who cannot be sent
// to: that shows when sending.
func (s *Server) openDM(q *request) (any, *failure) {
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	id := idOf(body["recipient_id"])
	u := s.users[id]
	switch {
	case id == "":
		var form form
		form.at("recipient_id").required()
		return nil, form.failure()
	case u == nil:
		q.params["recipient"] = id
		return nil, q.unknown("recipient", 10013)
	case u.Bot:
		return nil, &failure{status: 400, code: 50007, message: fail(50007).message}
	}
	if !s.hasDM(id) {
		if s.o.OpenLimit > 0 && s.openedLately(q.at) >= s.o.OpenLimit {
			return nil, fail(40003)
		}
		s.opened = append(s.opened, q.at)
	}
	return s.channelJSON(s.dm(id)), nil
}

func (s *Server) hasDM(user string) bool {
	for _, c := range s.channels {
		if c.With == user {
			return true
		}
	}
	return false
}

func (s *Server) openedLately(now time.Time) int {
	s.opened = slices.DeleteFunc(s.opened, func(t time.Time) bool { return now.Sub(t) >= s.o.Times.Open })
	return len(s.opened)
}

// guildOf returns the guild that a call names. One that the app is not in does
// not exist for it.
func (s *Server) guildOf(q *request) (*Guild, *failure) {
	g := s.guilds[q.params["guild"]]
	if g == nil {
		return nil, q.unknown("guild", 10004)
	}
	return g, nil
}

func (s *Server) getGuild(q *request) (any, *failure) {
	g, f := s.guildOf(q)
	if f != nil {
		return nil, f
	}
	return s.guildJSON(g), nil
}

func (s *Server) getGuildChannels(q *request) (any, *failure) {
	g, f := s.guildOf(q)
	if f != nil {
		return nil, f
	}
	return s.guildCreate(g)["channels"], nil
}

func (s *Server) getMember(q *request) (any, *failure) {
	g, f := s.guildOf(q)
	if f != nil {
		return nil, f
	}
	id := q.params["user"]
	u := s.users[id]
	switch {
	case u == nil:
		return nil, q.unknown("user", 10013)
	case id != s.o.AppID && !slices.Contains(g.Members, id):
		return nil, fail(10007)
	}
	o := s.memberJSON(g, id)
	o["user"] = u.json()
	return o, nil
}

// channelOf returns the channel that a call names, if the bot has the
// permissions there.
func (s *Server) channelOf(q *request, need uint64) (*Channel, *failure) {
	c := s.channels[q.params["channel"]]
	if c == nil {
		return nil, q.unknown("channel", 10003)
	}
	have := s.may(c)
	switch {
	case have&ViewChannel == 0:
		return nil, fail(50001)
	case have&need != need:
		return nil, fail(50013)
	}
	return c, nil
}

func (s *Server) getChannel(q *request) (any, *failure) {
	c, f := s.channelOf(q, 0)
	if f != nil {
		return nil, f
	}
	return s.channelJSON(c), nil
}

func (s *Server) startTyping(q *request) (any, *failure) {
	_, f := s.channelOf(q, SendMessages)
	return nil, f
}

// messageOf returns the message that a call names. What is ephemeral does not
// exist here.
func (s *Server) messageOf(q *request) (*Channel, *Message, *failure) {
	c, f := s.channelOf(q, 0)
	if f != nil {
		return nil, nil, f
	}
	m := s.look(q.params["message"])
	if m == nil || m.Channel != c.ID || m.For != "" {
		return nil, nil, q.unknown("message", 10008)
	}
	return c, m, nil
}

func (s *Server) getMessages(q *request) (any, *failure) {
	c, f := s.channelOf(q, 0)
	if f != nil {
		return nil, f
	}
	most := 50
	if text := q.query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			var form form
			form.at("limit").wrong("NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
			return nil, form.failure()
		}
		most = n
	}
	all := []any{}
	for _, m := range slices.Backward(s.messages) {
		if m.Channel == c.ID && m.For == "" && !m.Deleted && len(all) < most {
			all = append(all, m.json())
		}
	}
	return all, nil
}

func (s *Server) getMessage(q *request) (any, *failure) {
	_, m, f := s.messageOf(q)
	if f != nil {
		return nil, f
	}
	return m.json(), nil
}

// createMessage is POST /channels/{channel}/messages.
func (s *Server) createMessage(q *request) (any, *failure) {
	c, f := s.channelOf(q, SendMessages)
	if f != nil {
		return nil, f
	}
	if f := s.writable(c); f != nil {
		return nil, f
	}
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	var form form
	d := s.draft(writing{place: form.at(), body: body, request: q, flags: FlagSuppressEmbeds | FlagSilent | FlagV2})
	if f := form.failure(); f != nil {
		return nil, f
	}
	if m := s.repeated(d, q.at); m != nil {
		return m.json(), nil
	}
	if d.empty(nil) {
		return nil, fail(50006)
	}
	if f := s.permits(c, d); f != nil {
		return nil, f
	}
	return s.post(c, "", d).json(), nil
}

// writable reports why nothing can be sent to a channel by anyone.
func (s *Server) writable(c *Channel) *failure {
	switch {
	case c.With != "" && s.users[c.With].NoDM:
		return fail(50007)
	case c.With != "" && s.stranger(c.With):
		return fail(50278)
	case c.Type == typeCategory:
		return fail(50008)
	}
	return nil
}

// permits reports whether the bot may post what is in a draft.
func (s *Server) permits(c *Channel, d *draft) *failure {
	have := s.may(c)
	if len(d.embeds) > 0 && have&EmbedLinks == 0 || len(d.attachments) > 0 && have&AttachFiles == 0 {
		return fail(50013)
	}
	return nil
}

// repeated returns the message that was posted with this enforced nonce.
func (s *Server) repeated(d *draft, now time.Time) *Message {
	if !d.enforce {
		return nil
	}
	for _, m := range slices.Backward(s.messages) {
		if m.Nonce == d.nonce && !m.Deleted && now.Sub(m.At) < s.o.Times.Nonce {
			return m
		}
	}
	return nil
}

func (s *Server) editMessage(q *request) (any, *failure) {
	c, m, f := s.messageOf(q)
	if f != nil {
		return nil, f
	}
	d, f := s.editDraft(q, m)
	if f != nil {
		return nil, f
	}
	if f := s.permits(c, d); f != nil {
		return nil, f
	}
	s.edit(m, d)
	return m.json(), nil
}

// editDraft reads the body of an edit.
func (s *Server) editDraft(q *request, m *Message) (*draft, *failure) {
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	var form form
	d := s.draft(writing{place: form.at(), body: body, request: q, flags: FlagSuppressEmbeds | FlagV2, before: m})
	if f := form.failure(); f != nil {
		return nil, f
	}
	if d.empty(m) {
		return nil, fail(50006)
	}
	return d, nil
}

func (s *Server) deleteMessage(q *request) (any, *failure) {
	_, m, f := s.messageOf(q)
	if f != nil {
		return nil, f
	}
	s.remove(m)
	return nil, nil
}
