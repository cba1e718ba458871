package bot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// A caller is somebody who types a command that is about the team support.
type caller struct {
	name   string
	role   string // stranger, agent (of support), own (supervisor of support), other (supervisor of sales), admin
	linked bool
}

// Who may do something.
var (
	anyone      = func(caller) bool { return true }
	linked      = func(c caller) bool { return c.linked }
	supervisors = func(c caller) bool { return c.role == "own" || c.role == "other" || c.role == "admin" }
	own         = func(c caller) bool { return c.role == "own" || c.role == "admin" }
	admins      = func(c caller) bool { return c.role == "admin" }
)

// rights says, of every command that there is, who may use it about the team
// support: one that is not listed is a fault, so that nobody adds a command
// without deciding that.
var rights = map[string]struct {
	text string // what follows the command's first word
	may  func(caller) bool
}{
	"mystats":              {"", linked},
	"floor":                {"", anyone},
	"floor help":           {"help", anyone},
	"floor link":           {"link", anyone},
	"floor unlink":         {"unlink", linked},
	"floor whoami":         {"whoami", anyone},
	"floor export":         {"export", linked},
	"floor team":           {"team support", own},
	"floor team show":      {"team show support", own},
	"floor team add":       {"team add <@console:stranger1> support", own},
	"floor team remove":    {"team remove <@console:stranger1> support", own},
	"floor digest":         {"digest", supervisors},
	"floor digest list":    {"digest list", supervisors},
	"floor digest preview": {"digest preview support/day-summary", own},
	"floor digest now":     {"digest now support/day-summary", own},
	"floor alerts":         {"alerts", func(c caller) bool { return c.linked || supervisors(c) }},
	"floor ack":            {"ack 1", own},
	"floor silence":        {"silence missed-many@<@console:agent1> 1h", own},
	"floor silences":       {"silences", supervisors},
	"floor unsilence":      {"unsilence 1", own},
	"floor quiet":          {"quiet show", supervisors},
	"floor test":           {"test", supervisors},
	"floor status":         {"status", admins},
	"floor audit":          {"audit", admins},
}

// paths are the commands that there are, in their words.
func paths(cs []chat.Command, below string) (all []string) {
	for _, c := range cs {
		path := strings.TrimSpace(below + " " + c.Name)
		all = append(all, path)
		all = append(all, paths(c.Sub, path)...)
	}
	return all
}

// results is a meter that keeps the last command's result.
type results struct {
	nothing
	last string
}

func (r *results) Command(_, result string, _ time.Duration) { r.last = result }

// TestRights tries every command as everybody, typed and pressed, in a channel and
// in direct messages. What is not allowed is refused, has no effect, and every
// answer is for the person alone.
func TestRights(t *testing.T) {
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		callers := s.office()
		meter := &results{}
		b := bot.New(s.config, s.client, s.store, meter, slog.New(slog.NewTextHandler(&s.log, nil)))
		tried, refused := 0, 0
		for _, path := range paths(b.Commands(), "") {
			right, known := rights[path]
			if !known {
				t.Errorf("who may use %s? Say it in rights", path)
				continue
			}
			for _, c := range callers {
				for _, in := range []chat.Address{{}, person("#support")} {
					for _, kind := range []chat.Kind{chat.KindCommand, chat.KindAction, chat.KindForm} {
						may := right.may(c)
						if kind == chat.KindForm && may {
							continue // what a form holds is another story
						}
						tried++
						before := s.acts(c)
						private := s.try(b, c, kind, in, path, right.text)
						if got := meter.last == "ok"; got != may || meter.last == "failed" || !private {
							t.Errorf("%s (linked: %v), kind %d, in %q: %s is %s, may: %v, private: %v", c.name, c.linked, kind, in.ID, path, meter.last, may, private)
						}
						if !may {
							if refused++; s.acts(c) != before {
								t.Errorf("%s was refused %s, and yet did something", c.name, path)
							}
						}
					}
				}
			}
		}
		t.Logf("%d commands, %d people: %d requests, %d refused", len(rights), len(callers), tried, refused)
	})
}

// office makes two teams with their people and an alert of support that fires and
// is silenced by its supervisor.
func (s *stage) office() (callers []caller) {
	s.must("at 2026-03-02 10:00")
	for i, role := range []string{"stranger", "agent", "own", "other", "admin"} {
		for _, isLinked := range []bool{false, true} {
			c := caller{name: role + map[bool]string{false: "0", true: "1"}[isLinked], role: role, linked: isLinked}
			addr := s.addressOf(c.name)
			team := &s.config.Teams[0]
			switch role {
			case "agent":
				team.Members = append(slices.Clone(team.Members), bot.Person{Addresses: []chat.Address{addr}})
			case "own":
				team.Supervisors = append(slices.Clone(team.Supervisors), bot.Person{Addresses: []chat.Address{addr}})
			case "admin":
				s.config.Admins = append(slices.Clone(s.config.Admins), addr)
			}
			if isLinked {
				s.must(fmt.Sprintf("link %s %d", c.name, i))
			}
			callers = append(callers, c)
		}
	}
	s.must("newteam sales other0 ravi")
	sales := &s.config.Teams[1]
	sales.Supervisors = append(sales.Supervisors, bot.Person{Addresses: []chat.Address{person("other1")}})
	s.must("counters agent1 TH=9 MH=6")
	s.must("rule missed-many when: missed >= 5 | for: 0s")
	s.must("run")
	s.must("advance 2m")
	s.must("as own0: /floor silence missed-many@agent1 1h")
	return callers
}

// try makes a request and reports whether its answers were for the person alone.
// The network delivers it once more, which nobody answers.
func (s *stage) try(b *bot.Bot, c caller, kind chat.Kind, in chat.Address, path, text string) (private bool) {
	r := s.request("", c.name)
	r.Kind, r.In = kind, in
	first, _, _ := strings.Cut(path, " ")
	switch kind {
	case chat.KindCommand:
		r.Command, r.Text = first, text
	case chat.KindAction:
		r.Action = chat.Action{ID: first, Value: text}
	case chat.KindForm:
		r.Form, r.Value = first, text
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	reply, err := b.Handle(ctx, r)
	private = true
	for err == nil && private {
		private = reply.Message == nil || reply.Message.Private
		if reply.Then == nil {
			break
		}
		reply, err = reply.Then(ctx)
	}
	if _, again := b.Handle(ctx, r); err != nil || !errors.Is(again, chat.ErrDuplicate) {
		s.t.Errorf("%s: %s: %v; delivered again: %v", c.name, path, err, again)
	}
	return private
}

// acts counts what somebody has done, and is to be sent for it.
func (s *stage) acts(c caller) (n int) {
	for e, err := range s.store.AuditTrail(time.Time{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if e.Actor == person(c.name).String() {
			n++
		}
	}
	for r, err := range s.store.Rows() {
		if err != nil {
			s.t.Fatal(err)
		}
		if r.To == person(c.name) && r.Lane == bot.LaneNotice || strings.Contains(r.Key, "/now-") || strings.Contains(r.Key, "alert/test-") {
			n++
		}
	}
	return n
}
