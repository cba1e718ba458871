package bot

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"floorwalker/bot/chat"
)

// cut shortens s to n runes, the last of which is then "…".
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// nearest returns the name that word is most likely a slip for, "" if none is
// near: at most two edits, fewer than half of the word, or the shortest that one
// of the two begins with, as "acknowledge" does with ack.
func nearest(word string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := levenshtein.ComputeDistance(word, name); d < distance && 2*d < len(name)+1 {
			best, distance = name, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, name := range names {
		begins := strings.HasPrefix(name, word) || len(name) >= 3 && strings.HasPrefix(word, name)
		if begins && (best == "" || len(name) < len(best)) {
			best = name
		}
	}
	return best
}

// didYouMean proposes a name.
func didYouMean(name string) chat.Text {
	return chat.Join(chat.T("Did you mean "), chat.Code(name), chat.T("?"))
}

// straight matches what is quoted as in Go.
var straight = regexp.MustCompile(`"([^"]*)"`)

// quoted writes quotes as cards do.
func quoted(s string) string { return straight.ReplaceAllString(s, "“$1”") }

// named matches a credential that is given by its name, as people paste it.
var named = regexp.MustCompile(`(?i)\b(token|ssid|password|passwd|secret|api[_-]?key)\b\s*[:=]\s*\S`)

// mention matches a person in a command's text; their ids look random too.
var mention = regexp.MustCompile(`<@[a-z]+:[^>\s]+>`)

// looksSecret reports whether a command's text seems to hold a credential: a
// value named as one, a word of 32 characters, or one of 20 in which letters and
// digits are mixed as no word mixes them. Such text is refused, not echoed and
// not logged.
func looksSecret(text string) bool {
	if named.MatchString(text) {
		return true
	}
	for word := range strings.FieldsSeq(mention.ReplaceAllString(text, "")) {
		if len(word) >= 32 || len(word) >= 20 && randomLooking(word) {
			return true
		}
	}
	return false
}

// withoutNames returns a command's text, in small letters, without the names that
// the configuration gives digests, rules and teams: long ones look random too, and
// are no secret. Shorter ones than eight characters would take a secret apart.
func (c *Config) withoutNames(text string) string {
	text = strings.ToLower(text)
	without := func(name string) {
		if len(name) >= 8 {
			text = strings.ReplaceAll(text, strings.ToLower(name), " ")
		}
	}
	for _, t := range c.Teams {
		for _, d := range t.Digests {
			without(t.Name + "/" + d.Name)
		}
	}
	for _, r := range c.Rules {
		without(r.Name)
	}
	for _, t := range c.Teams {
		without(t.Name)
	}
	return text
}

// randomLooking reports whether a word changes between letters and digits more
// than twice, as tokens do and agent or rule names do not.
func randomLooking(word string) bool {
	changes, was := 0, rune(0)
	for _, r := range word {
		kind := rune('-')
		switch {
		case unicode.IsDigit(r):
			kind = '0'
		case unicode.IsLetter(r):
			kind = 'a'
		}
		if kind != '-' && was != 0 && kind != was {
			changes++
		}
		if kind != '-' {
			was = kind
		}
	}
	return changes > 2
}
