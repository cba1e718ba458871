package slack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/secret"
)

const (
	asha, meera = "U0ASHA", "U0MEERA"
	support     = "C0SUPPORT"
)

// workspace returns a fake with two people and a channel.
func workspace(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	srv := slacktest.New(o)
	t.Cleanup(srv.Close)
	srv.AddUser(slacktest.User{ID: asha, Name: "asha", Real: "Asha Rao", TZ: "Asia/Kolkata"})
	srv.AddUser(slacktest.User{ID: meera, Name: "meera", Real: "Meera", TZ: ""})
	srv.AddChannel(slacktest.Channel{ID: support, Members: []string{asha, meera}})
	return srv
}

// adapter returns an adapter for the fake whose waits are short. In the tests of
// [TestOverHTTP], and in benchmarks with such a name, Slack calls it.
func adapter(t testing.TB, srv *slacktest.Server) *Adapter {
	t.Helper()
	if overHTTP(t) {
		a := adapterWith(t, httpConfig(srv, t.Output()))
		listen(t, srv, a)
		return a
	}
	return adapterWith(t, Config{
		BotToken: secret.New(srv.Options().BotToken), AppToken: secret.New(srv.Options().AppToken),
		APIURL: srv.APIURL(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
}

func adapterWith(t testing.TB, c Config) *Adapter {
	t.Helper()
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	a.gate.min, a.gate.gap, a.gate.max = 10*time.Millisecond, 10*time.Millisecond, 100*time.Millisecond
	a.limits.perChannel = rate.Inf
	a.timing.stagger, a.timing.settle = 20*time.Millisecond, 50*time.Millisecond
	return a
}

func overHTTP(t testing.TB) bool { return strings.Contains(t.Name(), "OverHTTP") }

// A harness brings the conformance test together with the fake Slack.
type harness struct {
	t   *testing.T
	srv *slacktest.Server
	a   *Adapter

	mu     sync.Mutex // guards events
	events map[string]*slacktest.Interaction
}

func TestConformance(t *testing.T) {
	t.Parallel()
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		srv := workspace(t, slacktest.Options{CommandReplace: true})
		srv.AddChannel(slacktest.Channel{ID: "C0ATTIC", Members: []string{asha, meera}, Without: true})
		h := &harness{t: t, srv: srv, a: adapter(t, srv), events: map[string]*slacktest.Interaction{}}
		return chattest.Harness{
			Adapter: h.a, User: asha, Other: meera, Channel: support, Gone: "U0NOBODY", Barred: "C0ATTIC",
			Can:   chattest.Capabilities{Forms: true, SecretForms: true, Redeliver: true, Edit: true, Confirm: true},
			Do:    h.do,
			Sees:  h.sees,
			Acked: func() int { return len(srv.Acks()) },
			Stall: h.stalled,
		}
	})
}

func (h *harness) do(a chattest.Act) error {
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	if err := reachable(ctx, h.srv, h.a); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if before := h.events[a.Event]; before != nil {
		h.srv.Deliver(before.Kind, before.Payload)
		return nil
	}
	i, err := h.act(a)
	h.events[a.Event] = i
	return err
}

func (h *harness) act(a chattest.Act) (*slacktest.Interaction, error) {
	switch a.Kind {
	case chat.KindCommand:
		text := strings.ReplaceAll(a.Text, "<@slack:", "<@")
		return h.srv.Slash(a.User, a.In, "/"+a.Command, text), nil
	case chat.KindAction:
		for _, m := range h.messages(a.User) {
			if m.Channel+":"+m.TS == a.On {
				return h.srv.Press(a.User, m, a.Label)
			}
		}
		if v, ok := h.srv.View(a.User); ok && v.ID == a.On {
			return h.srv.Press(a.User, v, a.Label)
		}
		return nil, fmt.Errorf("%s does not see %q", a.User, a.On)
	case chat.KindForm:
		values := map[string]string{}
		for _, v := range a.Values {
			values[inputPrefix+v.Name] = v.Value
		}
		return h.srv.SubmitView(a.User, values)
	default:
		return nil, fmt.Errorf("nobody can do %v", a.Kind)
	}
}

// messages returns what a person sees of the bot, oldest first. A file stands
// below the message that names it.
func (h *harness) messages(user string) []slacktest.Message {
	all := slices.Concat(h.srv.Messages(user), h.srv.Messages(support), h.srv.Ephemerals(user))
	slices.SortStableFunc(all, func(a, b slacktest.Message) int { return strings.Compare(a.TS, b.TS) })
	return slices.DeleteFunc(all, func(m slacktest.Message) bool {
		return m.User == asha || m.User == meera || m.Text == "" && len(m.Files) > 0
	})
}

func (h *harness) sees(user string) []chattest.Seen {
	var all []chattest.Seen
	for _, m := range h.messages(user) {
		s := chattest.Seen{ID: m.Channel + ":" + m.TS, Text: m.Plain(), Private: m.Ephemeral() || isDM(m.Channel), Pings: m.Pings, Buttons: m.Buttons()}
		if !isDM(m.Channel) {
			s.In = m.Channel
		}
		all = append(all, s)
	}
	if v, ok := h.srv.View(user); ok {
		all = append(all, chattest.Seen{ID: v.ID, Text: v.Plain(), Form: v.Submit != "", Private: true})
	}
	return all
}

func (h *harness) stalled(on bool) {
	if !on {
		h.srv.Heal()
		return
	}
	h.srv.Fail("", slacktest.Fault{Delay: time.Hour}, -1)
}
