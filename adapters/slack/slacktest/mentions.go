package slacktest

import (
	"regexp"
	"slices"
	"strings"
)

// control matches what stands in angle brackets in a mrkdwn text. Slack wants
// &, < and > escaped; whatever is not is live.
var control = regexp.MustCompile(`<([^<>\n]+)>`)

// shout matches a plain "@channel", which is live with link_names or parse=full
// only.
var shout = regexp.MustCompile(`@(channel|here|everyone)\b`)

// live returns the control sequences of a message that Slack acts on.
func live(c content) []string {
	var found []string
	scan := func(s string) {
		for _, m := range control.FindAllStringSubmatch(s, -1) {
			if acts(m[1]) {
				found = append(found, m[0])
			}
		}
		if c.linked {
			for _, m := range shout.FindAllStringSubmatch(s, -1) {
				found = append(found, "<!"+m[1]+">")
			}
		}
	}
	scan(c.text)
	for _, b := range c.blocks {
		eachMrkdwn(b, scan)
	}
	for _, a := range c.attachments {
		for _, key := range []string{"text", "pretext"} {
			s, _ := a[key].(string)
			scan(s)
		}
		eachMrkdwn(a["blocks"], scan)
	}
	return found
}

// acts reports whether the inside of angle brackets means anything to Slack. A
// date does, but it neither notifies nor leads anywhere.
func acts(inside string) bool {
	target, _, _ := strings.Cut(inside, "|")
	switch {
	case strings.HasPrefix(target, "!date^"):
		return false
	case strings.HasPrefix(target, "!"), strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
		return true
	}
	return strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:")
}

// eachMrkdwn calls scan for every text in blocks that Slack reads as mrkdwn or
// markdown. Mentions in rich text are written out as they would be in mrkdwn.
func eachMrkdwn(v any, scan func(string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachMrkdwn(e, scan)
		}
	case obj:
		switch s, _ := v["text"].(string); v["type"] {
		case "mrkdwn", "markdown":
			scan(s)
		case "user":
			id, _ := v["user_id"].(string)
			scan("<@" + id + ">")
		case "usergroup":
			id, _ := v["usergroup_id"].(string)
			scan("<!subteam^" + id + ">")
		case "broadcast":
			r, _ := v["range"].(string)
			scan("<!" + r + ">")
		}
		for _, e := range v {
			if _, isText := e.(string); !isText {
				eachMrkdwn(e, scan)
			}
		}
	}
}

// pings returns whom live sequences in a new message of a channel notify:
// everyone there, a user group, or a member who is mentioned.
func pings(live []string, c *Channel) []string {
	var who []string
	for _, l := range live {
		target, _, _ := strings.Cut(strings.Trim(l, "<>"), "|")
		group, isGroup := strings.CutPrefix(target, "!subteam^")
		user, isUser := strings.CutPrefix(target, "@")
		all, isAll := strings.CutPrefix(target, "!")
		switch {
		case isGroup:
			who = append(who, group)
		case isUser && member(c, user):
			who = append(who, user)
		case isAll && slices.Contains([]string{"channel", "group", "here", "everyone"}, all):
			who = append(who, all)
		}
	}
	return who
}
