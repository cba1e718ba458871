package discordtest

import (
	"regexp"
	"slices"
	"strings"
)

var (
	userMention = regexp.MustCompile(`<@!?(\d{1,20})>`)
	roleMention = regexp.MustCompile(`<@&(\d{1,20})>`)
	shout       = regexp.MustCompile(`@(everyone|here)\b`)
	anyMention  = regexp.MustCompile(`<(?:@[!&]?|#)\d{1,20}>|</[^<>\n]{1,40}:\d{1,20}>|@(?:everyone|here)\b`)
	maskedLink  = regexp.MustCompile(`\[[^\[\]\n]+\]\((?:<[^<>\s]+>|[^()\s]+(?:\([^()\s]*\))?[^()\s]*)\)`)
)

// mentions is allowed_mentions.
type mentions struct {
	parse, users, roles []string
}

// mentions reads and checks allowed_mentions.
func (p place) mentions(body obj) *mentions {
	v := body["allowed_mentions"]
	if v == nil {
		return nil
	}
	p = p.at("allowed_mentions")
	o, ok := v.(obj)
	if !ok {
		p.wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return nil
	}
	p.known(o, []string{"parse", "users", "roles", "replied_user"})
	m := &mentions{parse: p.words(o, "parse"), users: p.words(o, "users"), roles: p.words(o, "roles")}
	for i, kind := range m.parse {
		if !slices.Contains([]string{"users", "roles", "everyone"}, kind) {
			p.at("parse", i).wrong("BASE_TYPE_CHOICES", "Value must be one of {'roles', 'users', 'everyone'}.")
		}
	}
	for kind, ids := range map[string][]string{"users": m.users, "roles": m.roles} {
		if slices.Contains(m.parse, kind) && len(ids) > 0 {
			p.wrong("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse:[%q] and %s: [ids...] are mutually exclusive.", kind, kind)
		}
		if len(ids) > 100 {
			p.at(kind).wrong("BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
		}
	}
	if isNull(o, "parse") {
		m.parse = []string{"users", "roles", "everyone"}
	}
	return m
}

// words reads a list of texts; null is none.
func (p place) words(o obj, key string) []string {
	if _, ok := o[key].([]any); !ok && o[key] != nil {
		p.at(key).wrong("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
	}
	var all []string
	for i, v := range items(o[key]) {
		s, ok := v.(string)
		if !ok {
			p.at(key, i).wrong("STRING_TYPE_CONVERT", "Could not interpret %v as string.", v)
		}
		all = append(all, s)
	}
	return all
}

// pings returns whom a new message notifies. What stands in code or behind a
// backslash is taken for a mention too: the clients differ there.
func (s *Server) pings(content string, allowed *mentions, c *Channel) []string {
	if allowed == nil {
		allowed = &mentions{parse: []string{"users", "roles", "everyone"}}
	}
	var who []string
	add := func(id string) {
		if !slices.Contains(who, id) {
			who = append(who, id)
		}
	}
	if slices.Contains(allowed.parse, "everyone") && c.With == "" && s.may(c)&MentionEveryone != 0 {
		for _, m := range shout.FindAllStringSubmatch(content, -1) {
			add(m[1])
		}
	}
	for _, m := range userMention.FindAllStringSubmatch(content, -1) {
		if s.users[m[1]] != nil && s.reads(m[1], c) && (slices.Contains(allowed.parse, "users") || slices.Contains(allowed.users, m[1])) {
			add(m[1])
		}
	}
	for _, m := range roleMention.FindAllStringSubmatch(content, -1) {
		if s.may(c)&MentionEveryone != 0 && (slices.Contains(allowed.parse, "roles") || slices.Contains(allowed.roles, m[1])) {
			add(m[1])
		}
	}
	return who
}

// mentionedPeople returns the people that a text names, notified or not.
func mentionedPeople(content string) []string {
	var ids []string
	for _, m := range userMention.FindAllStringSubmatch(content, -1) {
		if !slices.Contains(ids, m[1]) {
			ids = append(ids, m[1])
		}
	}
	return ids
}

// live returns what Discord acts on in a message's texts.
func live(m *Message) []string {
	var found []string
	eachText(m, func(text string) {
		text = unescapable(text)
		found = append(found, anyMention.FindAllString(text, -1)...)
		found = append(found, maskedLink.FindAllString(text, -1)...)
	})
	return found
}

// unescapable takes out code, and what stands behind a backslash.
func unescapable(text string) string {
	var b strings.Builder
	for _, part := range splitCode(text) {
		if part.code {
			b.WriteByte(' ')
			continue
		}
		b.WriteString(escaped.ReplaceAllString(part.text, " "))
	}
	return b.String()
}

// eachText calls f for every text of a message in which Discord reads markdown.
func eachText(m *Message, f func(string)) {
	f(m.Content)
	for _, e := range m.Embeds {
		for _, key := range []string{"title", "description"} {
			s, _ := e[key].(string)
			f(s)
		}
		for _, v := range items(e["fields"]) {
			field, _ := v.(obj)
			for _, key := range []string{"name", "value"} {
				s, _ := field[key].(string)
				f(s)
			}
		}
	}
	for _, c := range m.Components {
		each(c, func(c obj) {
			if kindOf(c) == kindText {
				s, _ := c["content"].(string)
				f(s)
			}
		})
	}
}
