package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// random returns a message made of the worst texts.
func random(r *rand.Rand) chat.Message {
	pool := append(chattest.Hostile(), "", "x", strings.Repeat("`", 700), strings.Repeat("_", 5000), strings.Repeat("- a\n", 400), strings.Repeat("😀", 2100))
	text := func() string {
		s := pool[r.IntN(len(pool))]
		if r.IntN(3) > 0 {
			return chat.Clip(s, 20, nil) // many small things are as bad as few large ones
		}
		return s
	}
	m := chat.Message{Title: text(), Tone: chat.Tone(r.IntN(4)), Footer: spans(r, text), Private: r.IntN(2) == 0}
	for range r.IntN(20) {
		m.Blocks = append(m.Blocks, block(r, text))
	}
	for i := range r.IntN(9) {
		a := chat.Action{ID: "a", Value: fmt.Sprint(i), Label: text(), Style: chat.Style(r.IntN(3)), Replace: r.IntN(2) == 0, Form: r.IntN(2) == 0}
		switch r.IntN(4) {
		case 0:
			a.URL = []string{"https://example.com/?a=(1)&b=<>", "javascript:x", "https://example.com/" + strings.Repeat("x", 600), "https://" + text()}[r.IntN(4)]
		case 1:
			a.Confirm = &chat.Confirm{Title: text(), Text: text()}
		case 2:
			a.Value = strings.Repeat("v", 60+r.IntN(60))
		}
		m.Actions = append(m.Actions, a)
	}
	for range r.IntN(4) {
		m.Files = append(m.Files, chat.File{Name: text(), Data: []byte("x"), Alt: text()})
	}
	return m
}

func spans(r *rand.Rand, text func() string) chat.Text {
	var t chat.Text
	for range r.IntN(6) {
		t = append(t, chat.Span{
			Kind: chat.SpanKind(r.IntN(6)), Text: text(), Time: time.Unix(r.Int64N(1<<33), 0), Style: chat.TimeStyle(r.IntN(3)),
			URL:     []string{"https://example.com/(a)?b=<c>", "ftp://x", "", "https://" + strings.Repeat("x", 300)}[r.IntN(4)],
			Address: chat.Address{Network: chat.Discord, ID: []string{asha, "../x", "1"}[r.IntN(3)]},
		})
	}
	return t
}

func block(r *rand.Rand, text func() string) chat.Block {
	switch r.IntN(4) {
	case 0:
		return chat.Paragraph{Text: spans(r, text), Quiet: r.IntN(2) == 0}
	case 1:
		var list chat.Fields
		for range r.IntN(30) {
			list = append(list, chat.Field{Label: text(), Value: text(), Note: text()})
		}
		return list
	case 2:
		t := chat.Table{More: r.IntN(3)}
		for range r.IntN(9) {
			t.Columns = append(t.Columns, chat.Column{Title: text(), Numeric: r.IntN(2) == 0})
		}
		for range r.IntN(20) {
			var row []string
			for range r.IntN(9) {
				row = append(row, text())
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	default:
		c := chat.Chart{Title: text(), Unit: text(), Alt: text(), Kind: chat.ChartKind(r.IntN(2))}
		for range r.IntN(30) {
			c.Labels = append(c.Labels, text())
		}
		for range r.IntN(8) {
			s := chat.Series{Name: text()}
			for range r.IntN(30) {
				s.Points = append(s.Points, chat.Point{Value: r.NormFloat64() * 1e3, Missing: r.IntN(4) == 0})
			}
			c.Series = append(c.Series, s)
		}
		return c
	}
}

// Whatever a message holds, Discord takes its card: by our own checks, by the
// fake's, and by Discord's description where it is there.
func TestLimits(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := random(r)
		c := draw(m, r.IntN(2) == 0)
		if problems := c.problems(); len(problems) > 0 {
			t.Fatalf("seed %d: %q", seed, problems)
		}
		if problems := textOnly(m).problems(); len(problems) > 0 {
			t.Fatalf("seed %d as text: %q", seed, problems)
		}
		if seed%4 != 0 {
			continue
		}
		m.Private = false
		if _, err := a.Send(t.Context(), chat.Outgoing{To: toSupport("").To, Message: m, Key: fmt.Sprint(seed)}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for _, c := range srv.Calls(postMessage) {
		if c.Status != 200 {
			t.Errorf("%d, code %d: %s", c.Status, c.Code, c.Body)
		}
	}
	for _, m := range srv.Messages(support) {
		for _, live := range m.Live {
			if !strings.HasPrefix(live, "<@"+asha) && !strings.HasPrefix(live, "[") {
				t.Errorf("%q means something", live)
			}
		}
		if len(m.Pings) > 0 {
			t.Errorf("pings %q", m.Pings)
		}
	}
}

// The checker finds what is wrong: one fault in a good card at a time.
func TestProblems(t *testing.T) {
	pattern := draw(chat.Message{Title: "t", Blocks: []chat.Block{
		chat.Fields{{Label: "a", Value: "1"}},
		chat.Chart{Labels: []string{"09"}, Series: []chat.Series{{Points: []chat.Point{{Value: 1}}}}},
	}, Actions: []chat.Action{{ID: "a", Label: "A"}, {ID: "b", Label: "B"}, {Label: "C", URL: "https://example.com/"}}, Footer: chat.T("f")}, true)
	body, err := json.Marshal(pattern.payload)
	if err != nil {
		t.Fatal(err)
	}
	good := func() card {
		c := card{files: pattern.files}
		if err := json.Unmarshal(body, &c.payload); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if problems := good().problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	long := strings.Repeat("x", 5000)
	for name, spoil := range map[string]func(*card){
		"content":         func(c *card) { c.Content = long },
		"live content":    func(c *card) { c.Content = "<@&1>" },
		"everyone":        func(c *card) { c.Content = "@everyone" },
		"title":           func(c *card) { c.Embeds[0].Title = long[:257] },
		"description":     func(c *card) { c.Embeds[0].Description = long[:4097] },
		"live text":       func(c *card) { c.Embeds[0].Description = `\\<@&1>` },
		"no name":         func(c *card) { c.Embeds[0].Fields[0].Name = " " },
		"no value":        func(c *card) { c.Embeds[0].Fields[0].Value = "" },
		"name":            func(c *card) { c.Embeds[0].Fields[0].Name = long[:257] },
		"value":           func(c *card) { c.Embeds[0].Fields[0].Value = long[:1025] },
		"live value":      func(c *card) { c.Embeds[0].Fields[0].Value = "<:x:1>" },
		"live name":       func(c *card) { c.Embeds[0].Fields[0].Name = "<@!1>" },
		"fields":          func(c *card) { c.Embeds[0].Fields = slices.Repeat(c.Embeds[0].Fields[:1], 26) },
		"footer":          func(c *card) { c.Embeds[0].Footer.Text = long },
		"no footer":       func(c *card) { c.Embeds[0].Footer.Text = "" },
		"total":           func(c *card) { c.Embeds = slices.Repeat([]embed{{Description: long[:3001]}}, 2) },
		"embeds":          func(c *card) { c.Embeds = slices.Repeat(c.Embeds[:1], 11) },
		"empty embed":     func(c *card) { c.Embeds = append(c.Embeds, embed{Color: 1}) },
		"empty":           func(c *card) { *c = card{payload: emptyPayload()} },
		"rows":            func(c *card) { c.Components = slices.Repeat(c.Components, 6) },
		"empty row":       func(c *card) { c.Components[0].Components = nil },
		"buttons":         func(c *card) { c.Components[0].Components = slices.Repeat(c.Components[0].Components[2:], 6) },
		"twice":           func(c *card) { c.Components[0].Components[1].CustomID = c.Components[0].Components[0].CustomID },
		"no id":           func(c *card) { c.Components[0].Components[0].CustomID = "" },
		"long id":         func(c *card) { c.Components[0].Components[0].CustomID = long[:101] },
		"no label":        func(c *card) { c.Components[0].Components[0].Label = "" },
		"label":           func(c *card) { c.Components[0].Components[0].Label = long[:81] },
		"url":             func(c *card) { c.Components[0].Components[2].URL = "https://" + long[:510] },
		"url and id":      func(c *card) { c.Components[0].Components[2].CustomID = "x" },
		"no link":         func(c *card) { c.Components[0].Components[2].Style = stylePrimary },
		"picture":         func(c *card) { c.Embeds[0].Image.URL = attached + "other.png" },
		"no description":  func(c *card) { c.Attachments = nil },
		"alt":             func(c *card) { c.Attachments[0].Description = long[:1025] },
		"no file name":    func(c *card) { c.Attachments[0].Filename = "" },
		"files":           func(c *card) { c.Attachments = slices.Repeat(c.Attachments, 11); c.files = slices.Repeat(c.files, 11) },
		"nonce":           func(c *card) { c.Nonce = long[:26] },
		"live in no code": func(c *card) { c.Embeds[0].Description = "`x` <@1> \\` <@&2> `" },
	} {
		c := good()
		if spoil(&c); len(c.problems()) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
	for name, spoil := range map[string]func(*modal){
		"title":    func(m *modal) { m.Title = long[:46] },
		"no title": func(m *modal) { m.Title = "" },
		"id":       func(m *modal) { m.CustomID = long[:101] },
		"none":     func(m *modal) { m.Components = nil },
		"six":      func(m *modal) { m.Components = slices.Repeat(m.Components[:1], 6) },
		"label":    func(m *modal) { m.Components[1].Label = long[:46] },
		"hint":     func(m *modal) { m.Components[1].Description = long[:101] },
		"name":     func(m *modal) { m.Components[1].Component.CustomID = "" },
		"value":    func(m *modal) { m.Components[1].Component.Value = long },
		"twice":    func(m *modal) { m.Components = append(m.Components, m.Components[1]) },
		"no words": func(m *modal) { m.Components[0].Content = "" },
		"live":     func(m *modal) { m.Components[0].Content = "<@&1>" },
	} {
		m, err := drawForm(chat.Form{ID: "x", Title: "T", Intro: chat.T("intro"), Fields: []chat.Input{{Name: "a", Label: "A", Hint: "h", Value: "v"}}})
		if err != nil {
			t.Fatal(err)
		}
		if spoil(&m); len(m.problems()) == 0 {
			t.Errorf("form, %s: nothing is found", name)
		}
	}
}

// The parts of a message stand in their order, in as few embeds as that allows.
func TestOrder(t *testing.T) {
	p := func(s string) chat.Block { return chat.Paragraph{Text: chat.T(s)} }
	f := chat.Fields{{Label: "Calls", Value: "42", Note: "▲ 3"}, {Label: "Missed", Value: "–"}}
	pic := chat.Chart{Title: "Chart", Labels: []string{"09"}, Series: []chat.Series{{Points: []chat.Point{{Value: 1}}}}, Alt: "one"}
	for _, test := range []struct {
		blocks []chat.Block
		want   string
	}{
		{[]chat.Block{p("a"), p("b"), f, pic}, "T[a||b](Calls: **42** ▲ 3)(Missed: **–**){chart-1.png}"},
		{[]chat.Block{f, p("a"), p("b")}, "T[](Calls: **42** ▲ 3)(Missed: **–**)(\u200b: a||b)"},
		{[]chat.Block{pic, p("a"), f, pic, p("b")}, "T[]{chart-1.png} [a](Calls: **42** ▲ 3)(Missed: **–**){chart-2.png} [b]"},
		{[]chat.Block{f, p(strings.Repeat("x", 1500)), p("y")}, "T[](Calls: **42** ▲ 3)(Missed: **–**) [" + strings.Repeat("x", 1500) + "||y]"},
		{nil, "T[]"},
	} {
		c := draw(chat.Message{Title: "T", Blocks: test.blocks}, false)
		var parts []string
		for _, e := range c.Embeds {
			var s strings.Builder
			s.WriteString(e.Title + "[" + strings.ReplaceAll(e.Description, "\n", "|") + "]")
			for _, f := range e.Fields {
				s.WriteString("(" + f.Name + ": " + strings.ReplaceAll(f.Value, "\n", "|") + ")")
			}
			if e.Image != nil {
				s.WriteString("{" + strings.TrimPrefix(e.Image.URL, attached) + "}")
			}
			parts = append(parts, s.String())
		}
		if got := strings.Join(parts, " "); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	crowded := []chat.Block{chat.Fields(slices.Repeat(f[:1], 20)), p("a"), p("b"), p("c"), p("d"), chat.Fields(slices.Repeat(f[:1], 4))}
	if c := draw(chat.Message{Blocks: crowded}, false); len(c.Embeds) != 2 || len(c.problems()) > 0 {
		t.Errorf("more fields than an embed has: %d embeds, %q", len(c.Embeds), c.problems())
	}
	grid := draw(chat.Message{Blocks: []chat.Block{chat.Fields(slices.Repeat(f[:1], 5))}}, false).Embeds[0].Fields
	if len(grid) != 6 || grid[5].Name != zeroWidth || !grid[5].Inline {
		t.Errorf("five facts are not a grid of three columns: %+v", grid)
	}
}

// Above a card that is sent unasked stand its title and first words, which are
// not in the card again. What a notification could not show stays in the card.
func TestAnnounced(t *testing.T) {
	words := chat.Paragraph{Text: chat.T("585 calls answered.")}
	timed := chat.Paragraph{Text: chat.Join(chat.T("Back to normal at "), chat.At(time.Unix(1772440500, 0), chat.Clock))}
	figures := chat.Fields{{Label: "Calls", Value: "617"}}
	for _, test := range []struct {
		m    chat.Message
		want string
	}{
		{chat.Message{Title: "day shift", Tone: chat.Warning, Blocks: []chat.Block{words, figures}}, "**Warning: day shift**|585 calls answered. [](Calls)"},
		{chat.Message{Title: "Asha missed 4 calls", Blocks: []chat.Block{figures, words}}, "**Asha missed 4 calls** [](Calls)(\u200b)"},
		{chat.Message{Title: "Asha", Blocks: []chat.Block{timed}}, "**Asha** [Back to normal at <t:1772440500:t>]"},
		{chat.Message{Title: "Asha", Footer: timed.Text}, "**Asha** [-# Back to normal at <t:1772440500:t>]"},
		{chat.Message{Title: "Link *again*", Blocks: []chat.Block{words}}, "**Link \\*again\\***|585 calls answered."},
		{chat.Message{Blocks: []chat.Block{words, words}}, "585 calls answered. [585 calls answered.]"},
		{chat.Message{Blocks: []chat.Block{figures}}, "Calls 617 [](Calls)"},
	} {
		c := draw(test.m, true)
		got := c.Content
		for _, e := range c.Embeds {
			got += " " + e.Title + "[" + e.Description + "]"
			for _, f := range e.Fields {
				got += "(" + f.Name + ")"
			}
		}
		if got = strings.ReplaceAll(got, "\n", "|"); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

// Small print that lives, such as an age, is not in the footer: it would be
// printed there as it is written.
func TestFooter(t *testing.T) {
	at := time.Unix(1772440500, 0)
	c := draw(chat.Message{Title: "T", Blocks: []chat.Block{chat.Fields{{Label: "a", Value: "1"}}}, Footer: chat.Join(chat.T("updated "), chat.At(at, chat.Ago))}, false)
	if e := c.Embeds[0]; e.Footer != nil || e.Description != "-# updated <t:1772440500:R>" {
		t.Errorf("%+v", e)
	}
	c = draw(chat.Message{Title: "T", Footer: chat.T("7 of *14*")}, false)
	if e := c.Embeds[0]; e.Footer == nil || e.Footer.Text != "7 of *14*" || e.Description != "" {
		t.Errorf("%+v", e)
	}
}

// A narrow table is one; a wide one is lines, because a phone would wrap it.
func TestTable(t *testing.T) {
	narrow := chat.Table{Columns: []chat.Column{{Title: "Name"}, {Title: "Calls", Numeric: true}}, Rows: [][]string{{"Asha `Rao`", "7"}, {"Bo", "12"}}, More: 2}
	if got, want := table(narrow), "```\nName        Calls\nAsha ˋRaoˋ      7\nBo             12\n+2 more\n```"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	wide := chat.Table{Columns: append(slices.Clone(narrow.Columns), chat.Column{Title: strings.Repeat("Long ", 7)}, chat.Column{Title: "State", Evident: true})}
	wide.Rows = [][]string{{"Asha *Rao*", "7 s", "on a call", "firing"}, {"", "12", "", ""}}
	wide.More = 2
	title := "l" + strings.Repeat("Long ", 7)[1:]
	if got, want := table(wide), `**Asha \*Rao\***`+"\n-# calls\u00a0**7\u00a0s** · "+title+"\u00a0on a call · firing\n–\n-# calls\u00a0**12**\n-# +2 more"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	numbered := chat.Table{Columns: []chat.Column{{Title: "#", Numeric: true}, {Title: "Who"}, {Title: "What"}}, Rows: [][]string{{"7", "Bo", strings.Repeat("x", 40)}}}
	if got, want := table(numbered), "**#7 Bo**\n-# what\u00a0"+strings.Repeat("x", 40); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFileName(t *testing.T) {
	for in, want := range map[string]string{
		"data.json": "data.json", "../../etc/passwd": "_.._etc_passwd", "": "file", "..": "file", "Ünïcode ✓.csv": "_n_code__.csv",
		strings.Repeat("x", 200) + ".json": strings.Repeat("x", 95) + ".json", ".env": "env",
	} {
		if got := fileName(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// everything makes the adapter say one of everything.
func everything(t *testing.T) *discordtest.Server {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	a.timing.answer = soon
	commands := chattest.Commands()
	commands[0].Options[0].Complete = true
	bot := &app{commands: commands, complete: func(chat.Request, string) []chat.Choice { return []chat.Choice{{Label: "One", Value: "1"}} }}
	bot.handle = func(_ context.Context, q chat.Request) (chat.Reply, error) {
		r := rand.New(rand.NewPCG(uint64(len(bot.requests())), 2))
		if q.Text == "link" {
			return chat.Ask(chat.Form{ID: "x", Title: "T", Intro: chat.T("intro"), Fields: []chat.Input{{Name: "a", Label: "A", Hint: "h"}}}), nil
		}
		if q.Text == "slow" || q.Text == "post" {
			time.Sleep(5 * soon)
		}
		m := random(r)
		m.Title = "reply " + q.Text
		m.Actions = append([]chat.Action{{ID: "again", Label: "Again", Replace: true}, {ID: "sure", Label: "Sure", Confirm: &chat.Confirm{Title: "Sure?", Text: "x"}}}, m.Actions...)
		second := m
		second.Private = true
		return chat.Reply{Message: &m, Then: func(context.Context) (chat.Reply, error) { return chat.Show(second), nil }}, nil
	}
	r := run(t, srv, a, bot)
	for _, id := range []string{support, asha} {
		ref, err := a.Send(r.ctx, to(id, "news"))
		r.must(err)
		r.must(a.Edit(r.ctx, ref, random(rand.New(rand.NewPCG(7, 7)))))
	}
	for _, name := range []string{"floor note", "floor post", "floor link", "mystats"} {
		i := r.slash(support, name)
		_, err := i.WaitAck(r.ctx)
		r.must(err)
		if name == "floor link" {
			m, err := i.WaitModal(r.ctx)
			r.must(err)
			_, err = srv.Submit(asha, m, map[string]string{"a": "slow"})
			r.must(err)
		}
	}
	i := r.slash("", "floor note", discordtest.Option{Name: "words", Value: "x"})
	m := r.reply(i, "reply note x")
	for _, label := range []string{"Again", "Sure"} {
		i, err := srv.Press(asha, m, label)
		r.must(err)
		_, err = i.WaitAck(r.ctx)
		r.must(err)
	}
	i, err := srv.Suggest(asha, support, "mystats", "view", discordtest.Option{Name: "view", Value: "w"})
	r.must(err)
	_, err = i.WaitChoices(r.ctx)
	r.must(err)
	r.must(r.stop())
	return srv
}

// What goes out is what the types say: no list is null.
func TestNoNull(t *testing.T) {
	for _, c := range []card{draw(chat.Message{}, false), draw(chat.Message{Title: "x"}, true), textOnly(chat.Message{})} {
		b, err := json.Marshal(c.payload)
		if err != nil || strings.Contains(string(b), "null") || !strings.Contains(string(b), `"allowed_mentions":{"parse":[]}`) {
			t.Errorf("%s, %v", b, err)
		}
	}
}
