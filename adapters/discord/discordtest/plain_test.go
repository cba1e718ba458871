package discordtest_test

import (
	"slices"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

func TestPlain(t *testing.T) {
	s := start(t, discordtest.Options{})
	a := upload(t, s, "POST /channels/"+support+"/messages", obj{
		"content": "For <@" + asha + ">, see [the board](https://example.com)",
		"embeds": list{obj{"author": obj{"name": "A*b*"}, "title": "My **stats**", "description": "Updated <t:0:R>\n> quoted",
			"fields": list{field("Calls", "**42** ▲ 3"), field("\u200b", "\u200b"), field("\u200b", "row two"), field("Only a name", "\u200b")},
			"image":  obj{"url": "attachment://chart.png"}, "thumbnail": obj{"url": "https://example.com/t.png"},
			"footer": obj{"text": "vendor *api*"}, "timestamp": "2026-01-02T03:04:05Z"}},
		"components":  list{row(button("b", "Go"), obj{"type": 2, "style": 5, "label": "Board", "url": "https://example.com", "emoji": obj{"name": "🔗"}}), row(menu(list{option(1), option(2)})), row(obj{"type": 5, "custom_id": "u"})},
		"attachments": list{obj{"id": 0, "description": "a chart"}},
	}, file{"files[0]", "chart.png", "x"}, file{"files[1]", "export.json", "{}"}).wants(200, 0)
	m, _ := s.Message(a.str("id"))
	want := []string{
		"For @Asha Rao, see the board", "A*b*", "My stats", "Updated 1970-01-01 00:00", "quoted", "Calls: 42 ▲ 3", "row two", "Only a name",
		"(image: a chart)", "(image: https://example.com/t.png)", "vendor *api* • 2026-01-02T03:04:05Z", "(file: export.json)",
		"[Go] [🔗 Board]", "{L, L}", "{…}",
	}
	if got := strings.Split(m.Plain(), "\n"); !slices.Equal(got, want) {
		t.Errorf("people see %q\nwant       %q", got, want)
	}
	call(t, s, "PATCH /channels/"+support+"/messages/"+m.ID, obj{"flags": discordtest.FlagSuppressEmbeds}).wants(200, 0)
	if m, _ := s.Message(m.ID); strings.Contains(m.Plain(), "stats") {
		t.Errorf("with embeds suppressed people see %q", m.Plain())
	}
	send(t, s, floor, obj{}).wants(403, 50013)
	b := upload(t, s, "POST /channels/"+support+"/messages", v2Body(obj{"type": 17, "components": list{words("# Title"), obj{"type": 14},
		obj{"type": 9, "components": list{words("text")}, "accessory": button("b", "Go")}, gallery(list{obj{"media": obj{"url": "attachment://a.png"}}})}}),
		file{"files[0]", "a.png", "x"}).wants(200, 0)
	if m, _ := s.Message(b.str("id")); m.Plain() != "Title\n---\ntext\n[Go]\n(image)" {
		t.Errorf("V2 shows %q", m.Plain())
	}
}

func TestRead(t *testing.T) {
	s := start(t, discordtest.Options{})
	for in, want := range map[string]string{
		`plain`:                                   `plain`,
		`**b** *i* __u__ ~~s~~ ||x||`:             `b i u s x`,
		`***both*** and _i_ snake_case_name`:      `both and i snake_case_name`,
		`2 * 3 * 4`:                               `2 * 3 * 4`,
		`\*not\* \_bold\_ \\ \# \[x\](y)`:         `*not* _bold_ \ # [x](y)`,
		"`**code**` ``a`b`` x":                    "**code** a`b x",
		"```go\nx := *p\n```":                     "x := *p\n",
		"\\`no code\\` **b**":                     "`no code` b",
		"# Title\n- item\n> quote\n-# small":      "Title\nitem\nquote\nsmall",
		`\# no title`:                             `# no title`,
		`<@` + asha + `> <@!` + meera + `> <@99>`: `@Asha Rao @meera @unknown-user`,
		`\<@` + asha + `\>`:                       `<@` + asha + `>`,
		`<t:1767323045:F> <t:x>`:                  `2026-01-02 03:04 <t:x>`,
		`[a](https://example.com) [b](<https://example.com>) <https://example.com>`: `a b https://example.com`,
		`@everyone`: `@everyone`,
		`a*b`:       `a*b`,
	} {
		if got := s.Read(in); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

func TestLive(t *testing.T) {
	s := start(t, discordtest.Options{})
	for in, want := range map[string][]string{
		`nothing <b> &lt; @some one`:              nil,
		`<@1> <@!2> <@&3> <#4> </cmd:5> @here`:    {"<@1>", "<@!2>", "<@&3>", "<#4>", "</cmd:5>", "@here"},
		`\<@1> \[l](https://example.com) \@here`:  nil,
		"`<@1>` ```@here```":                      nil,
		`[bank](https://evil.example) <t:0:R>`:    {"[bank](https://evil.example)"},
		`[a](https://example.com/(x)) [b](<c:d>)`: {"[a](https://example.com/(x))", "[b](<c:d>)"},
	} {
		for _, body := range []obj{{"content": in}, {"embeds": list{obj{"title": in}}}, {"embeds": list{obj{"description": "x", "fields": list{field(in, "x")}}}}, v2Body(words(in))} {
			m, _ := s.Message(send(t, s, support, body).wants(200, 0).str("id"))
			if !slices.Equal(m.Live, want) {
				t.Errorf("%v is live in %q, want %q", body, m.Live, want)
			}
		}
	}
	m, _ := s.Message(send(t, s, support, obj{"embeds": list{obj{"title": "x", "footer": obj{"text": "<@1>"}}}}).str("id"))
	if len(m.Live) != 0 {
		t.Errorf("a footer is live: %q", m.Live)
	}
}

// FuzzRead: whatever the text, it can be read, and what is escaped stays.
func FuzzRead(f *testing.F) {
	for _, in := range []string{"", "**a** `b` ```c```", "\\`\\*", "```", "``a`", "<@1> <t:9:R> [x](y)", "\\", "||a|| ~~b~~ __c__"} {
		f.Add(in)
	}
	s := discordtest.New(discordtest.Options{})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, in string) {
		s.Read(in)
		var escaped strings.Builder
		for _, r := range in {
			if r < 128 && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
				escaped.WriteByte('\\')
			}
			if r < 0xE000 || r >= 0xE080 { // what Read uses itself
				escaped.WriteRune(r)
			}
		}
		want := strings.Map(func(r rune) rune {
			if r >= 0xE000 && r < 0xE080 {
				return -1
			}
			return r
		}, in)
		if got := s.Read(escaped.String()); got != want {
			t.Errorf("%q is read as %q", escaped.String(), got)
		}
	})
}
