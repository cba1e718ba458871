package discord

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

// Text goes to Discord as its Markdown, or as plain text: footers, buttons,
// descriptions of pictures and forms know no markup, and an escape would be seen
// there. In Markdown a backslash takes the meaning from whatever punctuation
// follows it.

// zeroWidth parts characters that Discord would read together, and stands where
// Discord wants a text and we have none.
const zeroWidth = "\u200b"

var escaper = strings.NewReplacer(
	`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`,
	"<", `\<`, "[", `\[`, "]", `\]`,
	"://", `\://`, // else Discord links and previews what an untrusted name holds
	"@everyone", "@"+zeroWidth+"everyone", "@here", "@"+zeroWidth+"here")

// What means something at the start of a line: a heading, small print, a quote,
// a list.
var lineStart = regexp.MustCompile(`(?m)^([ \t]*)([#>+-]|\d+\.)`)

// An emoji's short name. Some clients draw it wherever it stands.
var shortName = regexp.MustCompile(`:[\pL\pN_\\+'~-]+:`)

// inert returns s as Markdown that means nothing but itself. Newlines stay.
func inert(s string) string {
	s = escaper.Replace(chat.Clean(s))
	s = lineStart.ReplaceAllStringFunc(s, func(mark string) string {
		return mark[:len(mark)-1] + `\` + mark[len(mark)-1:]
	})
	// Twice, because the end of one name can be the start of the next.
	for range 2 {
		s = shortName.ReplaceAllStringFunc(s, func(name string) string { return ":" + zeroWidth + name[1:] })
	}
	return s
}

// codeText returns s for a place between backticks, where nothing has a meaning
// but the backtick.
func codeText(s string) string { return strings.ReplaceAll(chat.Clean(s), "`", "ˋ") }

// markdown returns a text as Markdown.
func markdown(t chat.Text) string {
	var b strings.Builder
	marks := false // the text so far ends in a mark
	for _, s := range t {
		part := span(s)
		if part == "" {
			continue
		}
		has := s.Kind == chat.SpanStrong || s.Kind == chat.SpanCode
		if marks && has {
			b.WriteString(zeroWidth) // two runs of marks would be read as one
		}
		b.WriteString(part)
		marks = has
	}
	return b.String()
}

func span(s chat.Span) string {
	switch s.Kind {
	case chat.SpanStrong:
		return marked("**", inert(s.Text))
	case chat.SpanCode:
		return marked("`", codeText(s.Text))
	case chat.SpanMention:
		return mention(s, "@")
	case chat.SpanChannel:
		return mention(s, "#")
	case chat.SpanTime:
		return instant(s)
	case chat.SpanLink:
		return link(s)
	default:
		return inert(s.Text)
	}
}

// spanSize returns at least what a span takes once it is drawn. It is the sum
// over the characters, so that a cut can be computed.
func spanSize(s chat.Span) int {
	n := roomFor(s.Text)
	switch s.Kind {
	case chat.SpanStrong, chat.SpanCode:
		return n + 2*len("**")*(1+strings.Count(s.Text, "\n")) + len(zeroWidth)
	case chat.SpanMention, chat.SpanChannel:
		return n + roomFor(s.Address.String()) + len("<@>")
	case chat.SpanTime:
		return n + len("<t:-62135596800:R>")
	case chat.SpanLink:
		target, _ := webAddress(s.URL)
		return n + units(target) + roomFor(s.URL) + len("[](<>)")
	default:
		return n
	}
}

// roomFor returns at least what s takes as Markdown.
func roomFor(s string) int {
	n := 0
	for _, r := range s {
		if r < utf8.RuneSelf && strings.ContainsRune("\\*_~`|<[]:@#>+-.", r) {
			n++ // a backslash or a zero-width space
		}
		n += max(1, utf16.RuneLen(r))
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

// small returns Markdown as small print.
func small(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = smallMark + line
		}
	}
	return strings.Join(lines, "\n")
}

const smallMark = "-# "

// mention returns a mention of a person or, with "#", of a channel. It notifies nobody: every message forbids that, and
// what stands in an embed never does.
func mention(s chat.Span, sign string) string {
	if s.Address.Network != chat.Discord || !isID(s.Address.ID) {
		return inert(s.Plain())
	}
	return "<" + sign + s.Address.ID + ">"
}

// instant returns an instant as a token that Discord shows in the reader's zone.
func instant(s chat.Span) string {
	form := "t"
	switch s.Style {
	case chat.DayClock:
		form = "f"
	case chat.Ago:
		form = "R"
	}
	return fmt.Sprintf("<t:%d:%s>", s.Time.Unix(), form)
}

func link(s chat.Span) string {
	target, ok := webAddress(s.URL)
	if !ok {
		return inert(s.Plain())
	}
	text := chat.OneLine(s.Text)
	if text == "" || strings.Contains(text, "://") { // Discord links no text that looks like an address
		return "<" + target + ">"
	}
	return "[" + inert(text) + "](<" + target + ">)"
}

// webAddress returns an address that is safe inside a link, and whether s is one
// of the web's.
func webAddress(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", "(", "%28", ")", "%29", " ", "%20", `\`, "%5C").Replace(u.String()), true
}

// live reports whether a text holds more than words: what is shown by an
// instant, a mention or a link is not to be had in plain text.
func live(t chat.Text) bool {
	for _, s := range t {
		switch s.Kind {
		case chat.SpanMention, chat.SpanChannel, chat.SpanTime, chat.SpanLink:
			return true
		}
	}
	return false
}

// plain returns one line of plain text, cut to the limit.
func plain(s string, limit int) string { return chat.Clip(chat.OneLine(s), limit, units) }

// units counts a text as Discord's limits do, or more: in UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// idForm is the form of Discord's ids.
var idForm = regexp.MustCompile(`^[0-9]{5,20}$`)

func isID(s string) bool { return idForm.MatchString(s) }
