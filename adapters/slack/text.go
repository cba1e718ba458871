package slack

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// Text goes to Slack as mrkdwn or as plain text. In mrkdwn the three characters
// &, < and > must be escaped and nothing else may be; what else has a meaning
// there has no escape, so it is replaced by a character that looks the same. In
// plain text and in table cells everything stands for itself.

// zeroWidth parts characters that Slack would read together.
const zeroWidth = "\u200b"

var escaper = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;",
	"`", "ˋ", "*", "∗", "~", "∼")

// An emoji's short name: Slack draws :x: wherever it finds it.
var shortName = regexp.MustCompile(`:[\pL\pN_+'-]+:`)

// inert returns s as mrkdwn that means nothing but itself. Newlines stay.
func inert(s string) string {
	s = escaper.Replace(chat.Clean(s))
	s = markWords(s)
	// Twice, because the end of one name can be the start of the next.
	for range 2 {
		s = shortName.ReplaceAllStringFunc(s, func(name string) string { return ":" + zeroWidth + name[1:] })
	}
	return s
}

// markWords replaces the underscores that could start or end a slanted text:
// those that do not stand inside a word.
func markWords(s string) string {
	if !strings.Contains(s, "_") {
		return s
	}
	var b strings.Builder
	prev := ' '
	for i, r := range s {
		if r == '_' {
			next, _ := utf8.DecodeRuneInString(s[i+1:])
			if !inWord(prev) || !inWord(next) {
				r = 'ˍ'
			}
		}
		b.WriteRune(r)
		prev = r
	}
	return b.String()
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// A place is where a text is shown, as far as it matters for what may stand in
// it.
type place struct {
	// public says that others than the reader see it. A mention in a channel
	// notifies the person, so there the name stands instead.
	public bool
}

// mrkdwn returns a text as mrkdwn.
func (p place) mrkdwn(t chat.Text) string {
	var b strings.Builder
	last, marks := ' ', false // how the text so far ends
	for _, s := range t {
		part := p.span(s)
		if part == "" {
			continue
		}
		first, _ := utf8.DecodeRuneInString(part)
		has := s.Kind == chat.SpanStrong || s.Kind == chat.SpanCode
		// Slack reads a mark at a word's edge only.
		if marks && inWord(first) || has && inWord(last) || marks && has {
			b.WriteString(zeroWidth)
		}
		b.WriteString(part)
		last, _ = utf8.DecodeLastRuneInString(part)
		marks = has
	}
	return b.String()
}

func (p place) span(s chat.Span) string {
	switch s.Kind {
	case chat.SpanStrong:
		return marked("*", inert(s.Text))
	case chat.SpanCode:
		return marked("`", escaper.Replace(chat.Clean(s.Text)))
	case chat.SpanMention:
		return p.mention(s)
	case chat.SpanChannel:
		return channelMention(s)
	case chat.SpanTime:
		return date(s)
	case chat.SpanLink:
		return link(s)
	default:
		return inert(s.Text)
	}
}

// spanSize returns at least what a span takes once it is drawn. It is the sum
// over the characters, so that a cut can be computed.
func (p place) spanSize(s chat.Span) int {
	n := roomFor(s.Text)
	switch s.Kind {
	case chat.SpanStrong, chat.SpanCode:
		return n + 2*(1+strings.Count(s.Text, "\n")) + 2*len(zeroWidth)
	case chat.SpanMention, chat.SpanChannel:
		return n + len(s.Address.String()) + len("<@>")
	case chat.SpanTime:
		return n + units(date(s))
	case chat.SpanLink:
		target, _ := webAddress(s.URL)
		return n + units(target) + roomFor(s.URL) + len("<|>")
	default:
		return n
	}
}

// roomFor returns at least what s takes as mrkdwn.
func roomFor(s string) int {
	n := 0
	for _, r := range s {
		switch r {
		case '&':
			n += len("&amp;")
		case '<', '>':
			n += len("&lt;")
		case ':':
			n += 2 // a zero-width space may follow
		default:
			n += max(1, utf16.RuneLen(r))
		}
	}
	return n
}

// marked puts a mark around each line of s, inside its spaces.
func marked(mark, s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		core := strings.TrimSpace(line)
		if core == "" {
			continue
		}
		before, after, _ := strings.Cut(line, core)
		lines[i] = before + mark + core + mark + after
	}
	return strings.Join(lines, "\n")
}

var userID = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)

func (p place) mention(s chat.Span) string {
	if p.public || s.Address.Network != chat.Slack || !userID.MatchString(s.Address.ID) {
		return inert(s.Plain())
	}
	return "<@" + s.Address.ID + ">"
}

var channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,30}$`)

// channelMention returns a mention of a channel, which notifies nobody.
func channelMention(s chat.Span) string {
	if s.Address.Network != chat.Slack || !channelID.MatchString(s.Address.ID) {
		return inert(s.Plain())
	}
	return "<#" + s.Address.ID + ">"
}

// date returns an instant as a token that Slack shows in the reader's zone.
func date(s chat.Span) string {
	form := "{time}"
	switch s.Style {
	case chat.DayClock:
		form = "{date_short_pretty} {time}"
	case chat.Ago:
		form = "{ago}"
	}
	// A bar or a bracket would end the fallback.
	fallback := strings.ReplaceAll(inert(s.Plain()), "|", "/")
	return fmt.Sprintf("<!date^%d^%s|%s>", s.Time.Unix(), form, fallback)
}

func link(s chat.Span) string {
	target, ok := webAddress(s.URL)
	if !ok {
		return inert(s.Plain())
	}
	text := chat.OneLine(s.Text)
	if text == "" {
		text = s.URL
	}
	return "<" + target + "|" + strings.ReplaceAll(inert(text), "|", "/") + ">"
}

// webAddress returns an address that is safe between angle brackets, and
// whether s is one of the web's.
func webAddress(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "&", "&amp;").Replace(u.String()), true
}

// mrkdwnText returns a text object. It is verbatim, so that Slack links nothing
// by itself.
func mrkdwnText(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

// plainText returns a text object of one line that is cut to the limit. An empty
// one is refused by Slack, so it becomes a dash.
func plainText(s string, limit int) *slack.TextBlockObject {
	s = chat.Clip(chat.OneLine(s), limit, units)
	if s == "" {
		s = "–"
	}
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// units counts a text as Slack's limits do, or more: in UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// textOnly returns a message without any block, for a network that refuses its
// form.
func textOnly(m chat.Message) string { return topText(m.Plain()) }
