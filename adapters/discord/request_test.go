package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// tree is a command with one of everything.
func tree() []chat.Command {
	return []chat.Command{{Name: "floor", Sub: []chat.Command{
		{Name: "silence", Options: []chat.Option{{Name: "rule"}, {Name: "time"}, {Name: "comment"}}},
		{Name: "team", Sub: []chat.Command{{Name: "add", Options: []chat.Option{{Name: "person", Kind: chat.OptionPerson}, {Name: "team"}}}}},
	}}}
}

// Options become the text that would have been typed.
func TestCommandText(t *testing.T) {
	for _, test := range []struct{ options, text string }{
		{`[]`, ""},
		{`[{"name": "silence", "type": 1}]`, "silence"},
		{`[{"name": "silence", "type": 1, "options": [{"name": "rule", "type": 3, "value": "missed-burst"}]}]`, "silence missed-burst"},
		{`[{"name": "silence", "type": 1, "options": [{"name": "time", "type": 3, "value": "until 08:00"}, {"name": "rule", "type": 3, "value": "x"}]}]`, `silence x "until 08:00"`},
		{`[{"name": "silence", "type": 1, "options": [{"name": "comment", "type": 3, "value": "a \"b\" “c”"}]}]`, `silence "" "" "a 'b' 'c'"`},
		{`[{"name": "silence", "type": 1, "options": [{"name": "rule", "type": 3, "value": "r@<@!80351110224678911>"}]}]`, "silence r@<@discord:80351110224678911>"},
		{`[{"name": "silence", "type": 1, "options": [{"name": "rule", "type": 3, "value": "a\nb\t\u00a0c"}]}]`, `silence "a b c"`},
		{`[{"name": "silence", "type": 1, "options": [{"name": "rule", "type": 4, "value": 15}, {"name": "time", "type": 5, "value": true}]}]`, "silence 15 true"},
		{`[{"name": "silence", "type": 1, "options": [{"name": "rule", "type": 99, "value": {"x": 1}}, {"name": "new", "type": 3, "value": "y"}]}]`, `silence "" y`},
		{`[{"name": "team", "type": 2, "options": [{"name": "add", "type": 1, "options": [{"name": "team", "type": 3, "value": "tier two"}, {"name": "person", "type": 6, "value": "80351110224678911"}]}]}]`,
			`team add <@discord:80351110224678911> "tier two"`},
		{`[{"name": "no such", "type": 1, "options": [{"name": "x", "type": 3, "value": "y"}]}]`, `"no such" y`},
		{`"nonsense"`, ""},
	} {
		i := interaction{ID: "80351110224678000", GuildID: acme, ChannelID: support, Member: member{Nick: "Ash", User: user{ID: asha, GlobalName: "Asha Rao"}}}
		i.Data = json.RawMessage(`{"name": "floor", "type": 1, "options": ` + test.options + `}`)
		r, _, _ := i.command(tree())
		want := chat.Request{
			ID: i.ID, Kind: chat.KindCommand, From: chat.Address{Network: chat.Discord, ID: asha}, Name: "Ash",
			In: chat.Address{Network: chat.Discord, ID: support}, At: r.At, Command: "floor", Text: test.text,
		}
		if fmt.Sprintf("%+v", r) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.options, r, want)
		}
	}
}

// Deeper than Discord nests, nothing is read.
func TestDepth(t *testing.T) {
	deep := strings.Repeat(`{"name":"x","type":1,"options":[`, 1000) + strings.Repeat(`]}`, 1000)
	i := interaction{Data: json.RawMessage(`{"name": "floor", "options": [` + deep + `]}`)}
	if r, _, _ := i.command(tree()); r.Text != "x x x" {
		t.Errorf("%.100q", r.Text)
	}
	deep = strings.Repeat(`{"component":`, 1000) + `{"custom_id":"a","value":"b"}` + strings.Repeat(`}`, 1000)
	i.Data = json.RawMessage(`{"custom_id": "0.1:x", "components": [` + deep + `]}`)
	if r, ok := i.form(); !ok || len(r.Values) != 0 {
		t.Errorf("%v, %v", r.Values, ok)
	}
}

func TestPressRoundTrip(t *testing.T) {
	for _, p := range []press{
		{Action: chat.Action{ID: "mystats.refresh", Value: "week, ü & <x>"}},
		{Action: chat.Action{ID: "a:b.c", Value: "1.2:3\n"}, ask: true},
		{Action: chat.Action{ID: "x", Replace: true, Form: true}},
		{Action: chat.Action{ID: strings.Repeat("i", 40), Value: strings.Repeat("v", 40)}, yes: true, about: "18446744073709551615"},
		{no: true},
	} {
		id := p.encode(4)
		got, ok := decodePress(id)
		if !ok || got.ID != p.ID || got.Value != p.Value || got.Replace != p.Replace || got.Form != p.Form || got.ask != p.ask || got.yes != p.yes || got.no != p.no || got.about != p.about {
			t.Errorf("%q: %+v, want %+v", id, got, p)
		}
		if units(id) > maxCustomID {
			t.Errorf("%q has %d units", id, units(id))
		}
	}
	for _, odd := range []string{"", "x", "0", "0.", "0.1", "0.5:abc", "0z.1:a", "0.1.zzzzzzzzzzzzz:a", "00.1:a", "0.0:", "0.-1:a"} {
		if p, ok := decodePress(odd); ok {
			t.Errorf("%q is read as %+v", odd, p)
		}
	}
}

// A field of another type than we know is as if it were not there.
func TestTolerance(t *testing.T) {
	for _, raw := range []string{
		`{"id": "80351110224678000", "token": "t", "type": 2, "user": {"id": "80351110224678911", "username": 7}, "guild_id": [], "data": {"name": "mystats", "options": {"a": 1}}}`,
		`{"id": "80351110224678000", "token": "t", "type": 3, "user": {"id": "80351110224678911"}, "message": "new", "member": 4, "data": {"custom_id": "0.1:x", "values": 5}}`,
		`{"id": "80351110224678000", "token": "t", "type": 5, "user": {"id": "80351110224678911"}, "data": {"custom_id": "0.1:x", "components": [7, {"component": []}, {"components": "x"}, {"custom_id": "a", "value": 3}]}}`,
	} {
		bot := &app{}
		srv := discordtest.New(discordtest.Options{})
		t.Cleanup(srv.Close)
		s := adapter(t, srv, acquainted()).session(bot)
		s.take([]byte(raw), func(context.Context, interaction, response) error { return nil })
		s.pool.Drain()
		if len(bot.requests()) != 1 {
			t.Errorf("not understood: %s", raw)
		}
	}
}

// FuzzInteraction: nothing that Discord could ever say panics, and what can be
// answered is answered with something that Discord takes.
func FuzzInteraction(f *testing.F) {
	srv := discordtest.New(discordtest.Options{})
	f.Cleanup(srv.Close)
	seeds, err := filepath.Glob("testdata/interactions/*.json")
	if err != nil || len(seeds) < 5 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, name := range seeds {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"id":"80351110224678000","token":"t","type":3,"user":{"id":"80351110224678911"},"data":[],"message":7}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := adapter(t, srv, acquainted())
		s := a.session(&app{commands: tree()})
		answered := 0
		s.take(raw, func(_ context.Context, i interaction, c response) error {
			answered++
			if !isID(i.from().ID) && i.Type != interactionPing {
				t.Errorf("nobody is answered: %s", raw)
			}
			if _, err := json.Marshal(c); err != nil {
				t.Error(err)
			}
			return nil
		})
		s.pool.Drain()
		if answered > 1 {
			t.Errorf("%d first responses", answered)
		}
		if _, ok := parse(raw); ok && answered == 0 {
			t.Errorf("not answered: %s", raw)
		}
	})
}
