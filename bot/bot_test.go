package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// sourceFunc is a source made of a function.
type sourceFunc func(context.Context, dashboard.Query) (dashboard.Counters, error)

func (f sourceFunc) Counters(ctx context.Context, q dashboard.Query) (dashboard.Counters, error) {
	return f(ctx, q)
}
func (sourceFunc) Forget(string) {}

// newBot returns a bot on a new store, with asha linked, and its log.
func newBot(t testing.TB, src sourceFunc) (*bot.Bot, *store.Store, *bytes.Buffer) {
	t.Helper()
	st, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "floor.db"), Key: secret.New(key)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var log bytes.Buffer
	b := bot.New(stageConfig(t), src, st, nothing{}, slog.New(slog.NewTextHandler(&log, nil)))
	_, _, err = b.Link(context.Background(), bot.LinkRequest{
		Address: person("asha"), Name: "Asha Rao", Actor: "cli:0", NoVerify: true,
		Credential: dashboard.Credential{UserID: "7", Token: secret.New("t0ps3cret")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, st, &log
}

func command(name, text string) chat.Request {
	command, rest, _ := strings.Cut(text, " ")
	return chat.Request{From: person(name), Name: name, At: time.Now(), Command: command, Text: rest, SecretForms: true}
}

// TestPanic: a handler that panics answers the person, names the request in the
// log, and leaves the bot running.
func TestPanic(t *testing.T) {
	broken := true
	b, _, log := newBot(t, func(context.Context, dashboard.Query) (dashboard.Counters, error) {
		if broken {
			panic("the answer of token t0ps3cret")
		}
		return dashboard.Counters{At: time.Now(), Row: map[string]dashboard.Value{"TH": dashboard.ValueOf("4")}}, nil
	})
	reply, err := b.Handle(t.Context(), command("asha", "mystats"))
	if err != nil {
		t.Fatal(err)
	}
	text := reply.Message.Plain()
	_, id, _ := strings.Cut(text, "Request ")
	if !strings.Contains(text, "Something went wrong on my side") || !strings.Contains(log.String(), "request="+strings.TrimSpace(id)) {
		t.Errorf("the answer and the log do not share a request id:\n%s\n%s", text, log)
	}
	broken = false
	if reply, err = b.Handle(t.Context(), command("asha", "mystats")); err != nil || !strings.Contains(reply.Message.Plain(), "Calls offered: 4") {
		t.Errorf("after the panic: %+v, %v", reply, err)
	}
}

// fullStore is a store whose disk is full.
type fullStore struct{ bot.Store }

func (fullStore) Unlink(bot.AgentID, bot.AuditEntry, string) (bot.Agent, error) {
	return bot.Agent{}, fmt.Errorf("commit: %w", bot.ErrNotSaved)
}

func TestFullDisk(t *testing.T) {
	_, st, _ := newBot(t, nil)
	var log bytes.Buffer
	b := bot.New(stageConfig(t), sourceFunc(nil), fullStore{st}, nothing{}, slog.New(slog.NewTextHandler(&log, nil)))
	reply, err := b.Handle(t.Context(), command("asha", "floor unlink confirm"))
	if err != nil || !strings.Contains(reply.Message.Plain(), "Not saved: my disk is full.") {
		t.Errorf("unlink on a full disk answers %+v, %v", reply.Message, err)
	}
}

// TestCancelled: when the request's time is up there is nobody to answer.
func TestCancelled(t *testing.T) {
	b, _, _ := newBot(t, func(ctx context.Context, _ dashboard.Query) (dashboard.Counters, error) {
		<-ctx.Done()
		return dashboard.Counters{}, ctx.Err()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("shutting down"))
	if _, err := b.Handle(ctx, command("asha", "mystats")); err == nil {
		t.Error("an answer was made for a request that is over")
	}
}

// TestLinkTries: five tries in ten minutes, then a pause.
func TestLinkTries(t *testing.T) {
	calls := 0
	b, _, _ := newBot(t, func(context.Context, dashboard.Query) (dashboard.Counters, error) {
		calls++
		return dashboard.Counters{}, &dashboard.Error{Class: dashboard.ClassCredential, Code: 1003}
	})
	for i := range 7 {
		r := command("nobody", "floor link")
		r.Kind, r.Form, r.Value = chat.KindForm, "floor", "link"
		r.Values = map[string]secret.Secret{"user_id": secret.New(fmt.Sprint(i)), "token": secret.New("guess")}
		reply, err := b.Handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Then != nil {
			if reply, err = reply.Then(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if limited := strings.Contains(reply.Message.Plain(), "several times"); limited != (i >= 5) {
			t.Errorf("try %d: limited %v\n%s", i, limited, reply.Message.Plain())
		}
	}
	if calls != 5 {
		t.Errorf("the API was asked %d times", calls)
	}
}

// TestCommandsFitDiscord: what Discord registers is within its rules.
func TestCommandsFitDiscord(t *testing.T) {
	b, _, _ := newBot(t, nil)
	var walk func(c chat.Command, depth int)
	walk = func(c chat.Command, depth int) {
		if c.Name == "" || c.Name != strings.ToLower(c.Name) || len(c.Name) > 32 || c.Summary == "" || len(c.Summary) > 100 {
			t.Errorf("command %q, %q: name of 1 to 32 lower-case characters, summary of 1 to 100", c.Name, c.Summary)
		}
		if depth > 2 || len(c.Sub) > 25 || len(c.Options) > 25 || len(c.Sub) > 0 && len(c.Options) > 0 {
			t.Errorf("command %q: subcommands two deep, 25 of each, and not both", c.Name)
		}
		if !c.Private && len(c.Sub) == 0 {
			t.Errorf("command %q would answer in public", c.Name)
		}
		for _, s := range c.Sub {
			walk(s, depth+1)
		}
	}
	for _, c := range b.Commands() {
		walk(c, 0)
	}
}

// BenchmarkMystats is /mystats with a warm cache: what the core costs.
func BenchmarkMystats(b *testing.B) {
	answer := dashboard.Counters{At: time.Now(), Row: map[string]dashboard.Value{}}
	for key, n := range map[string]string{"TH": "20", "MH": "2", "aTT": "182", "HT": "340", "C": "18", "tC": "21", "I": `"3"`} {
		answer.Row[key] = dashboard.ValueOf(n)
	}
	bt, _, _ := newBot(b, func(context.Context, dashboard.Query) (dashboard.Counters, error) { return answer, nil })
	r := command("asha", "mystats")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bt.Handle(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
