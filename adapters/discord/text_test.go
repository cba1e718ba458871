package discord

import (
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// What people wrote means nothing but itself.
func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"Asha Rao":              "Asha Rao",
		"*b* _i_ ~~s~~ ||x||":   `\*b\* \_i\_ \~\~s\~\~ \|\|x\|\|`,
		"`c` \\*":               "\\`c\\` \\\\\\*",
		"<@1> <@&2> <#3> <t:1>": `\<@1> \<@&2> \<#3> \<t:1>`,
		"@everyone @here @x":    "@\u200beveryone @\u200bhere @x",
		"[bank](https://evil)":  `\[bank\](https\://evil)`,
		"# big\n- list\n> q":    "\\# big\n\\- list\n\\> q",
		"1. one\n  2. two":      "1\\. one\n  2\\. two",
		"-# small":              `\-# small`,
		"a - b > c # d":         "a - b > c # d",
		":joy: 4:12 :a:b:":      ":\u200bjoy: 4:12 :\u200ba:\u200bb:",
		"12:30:45":              "12:\u200b30:45",
		"王小明 مرحبا":             "王小明 مرحبا",
	} {
		if got := inert(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 35, 0, 0, time.UTC)
	asha := chat.Address{Network: chat.Discord, ID: asha}
	for _, test := range []struct {
		text chat.Text
		want string
	}{
		{chat.Strong(" a*\nb "), " **a\\***\n**b** "},
		{chat.Join(chat.Strong("a"), chat.Strong("b"), chat.T("c")), "**a**\u200b**b**c"},
		{chat.Code("/floor `x` *y*"), "`/floor ˋxˋ *y*`"},
		{chat.Mention(asha, "Asha"), "<@80351110224678911>"},
		{chat.Channel(asha), "<#80351110224678911>"},
		{chat.Channel(chat.Address{Network: chat.Slack, ID: "C1"}), "slack:C1"},
		{chat.Mention(chat.Address{Network: chat.Slack, ID: "U1"}, "Asha_R"), `@Asha\_R`},
		{chat.Mention(chat.Address{Network: chat.Discord, ID: "1> <@&2"}, "x"), "@x"},
		{chat.At(at, chat.Clock), "<t:1772440500:t>"},
		{chat.At(at, chat.DayClock), "<t:1772440500:f>"},
		{chat.At(at, chat.Ago), "<t:1772440500:R>"},
		{chat.Link("the page", "https://example.com/a(b)?c=<d>"), "[the page](<https://example.com/a%28b%29?c=%3Cd%3E>)"},
		{chat.Link("https://bank.example", "https://evil.example/"), "<https://evil.example/>"},
		{chat.Link("x", "javascript:alert(1)"), "x (javascript:alert(1))"},
	} {
		if got := markdown(test.text); got != test.want {
			t.Errorf("%+v\n got %q\nwant %q", test.text, got, test.want)
		}
	}
	if got := small("a\n\nb"); got != "-# a\n\n-# b" {
		t.Errorf("%q", got)
	}
}

// FuzzText: a text is never larger than was computed, means nothing, and reads as
// it was written.
func FuzzText(f *testing.F) {
	srv := discordtest.New(discordtest.Options{})
	f.Cleanup(srv.Close)
	for _, s := range append(chattest.Hostile(), "a:b:c:", `\\<@1>`, "1.\n- \n#", "`<`>`") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 5000 {
			return
		}
		for kind := chat.SpanPlain; kind <= chat.SpanChannel; kind++ {
			span := chat.Span{Kind: kind, Text: s, URL: s, Address: chat.Address{Network: chat.Discord, ID: s}}
			got := markdown(chat.Text{span})
			if units(got) > spanSize(span) {
				t.Errorf("%q as %d has %d units, %d were computed", s, kind, units(got), spanSize(span))
			}
			k := &checker{}
			if k.live("", got); len(k.problems) > 0 {
				t.Errorf("%q as %d is live: %q", s, kind, got)
			}
		}
		words := strings.NewReplacer(zeroWidth, "", "\u00a0", " ")
		read := words.Replace(srv.Read(inert(s)))
		if want := words.Replace(chat.Clean(s)); strings.Join(strings.Fields(read), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%q reads %q; it was sent as %q", want, read, inert(s))
		}
	})
}
