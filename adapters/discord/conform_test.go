package discord

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/secret"
)

// Ids of the people and places of most tests.
const (
	asha, meera    = "80351110224678911", "80351110224678912"
	stranger       = "80351110224678913" // has never used a command
	acme           = "80351110224678920"
	support, floor = "80351110224678930", "80351110224678931"
	unknown        = "80351110224678999"
)

// network returns a fake with three people and two channels.
func network(t testing.TB, o discordtest.Options) *discordtest.Server {
	t.Helper()
	o.Times.Ack = cmp.Or(o.Times.Ack, 20*time.Second) // a machine for tests may be slower than people are patient
	srv := discordtest.New(o)
	t.Cleanup(srv.Close)
	srv.AddUser(discordtest.User{ID: asha, Name: "asha", Global: "Asha Rao"})
	srv.AddUser(discordtest.User{ID: meera, Name: "meera"})
	srv.AddUser(discordtest.User{ID: stranger, Name: "stranger"})
	srv.AddGuild(discordtest.Guild{ID: acme, Name: "Acme"})
	srv.AddChannel(discordtest.Channel{ID: support, Name: "support"})
	srv.AddChannel(discordtest.Channel{ID: floor, Name: "floor"})
	return srv
}

// A shelf is a Memory for tests.
type shelf struct {
	mu     sync.Mutex // guards values
	values map[string]string
}

// acquainted returns a Memory in which Asha and Meera have spoken to the bot.
func acquainted() *shelf {
	return &shelf{values: map[string]string{keyUser + asha: noChannel, keyUser + meera: noChannel}}
}

func (s *shelf) Load(key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

func (s *shelf) Save(key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

// overHTTP reports whether Discord calls the adapters of a test. [TestOverHTTP]
// runs tests of the gateway once more.
func overHTTP(t testing.TB) bool { return strings.Contains(t.Name(), "OverHTTP") }

// endpoint lets the fake call the adapter in place of the gateway, which it does
// only if the adapter passes the developer portal's check.
func endpoint(t testing.TB, srv *discordtest.Server, a *Adapter) {
	t.Helper()
	site := httptest.NewServer(a.Handler())
	t.Cleanup(site.Close)
	if err := srv.UseHTTP(t.Context(), site.URL+pathInteractions); err != nil {
		t.Fatal(err)
	}
}

// adapter returns an adapter for the fake whose waits are short.
func adapter(t testing.TB, srv *discordtest.Server, m Memory) *Adapter {
	t.Helper()
	mode := ModeGateway
	if overHTTP(t) {
		mode = ModeHTTP
	}
	a, err := New(Config{
		Mode: mode, PublicKey: srv.PublicKey(), BotToken: secret.New(srv.Options().BotToken), ApplicationID: srv.Options().AppID, APIURL: srv.APIURL(),
		Memory: m, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.timing.open = 0
	a.timing.gateway = gateway{
		open: 20 * time.Second, stuck: 5 * time.Second, idle: 95 * time.Second,
		first: 10 * time.Millisecond, longest: 100 * time.Millisecond, lasting: time.Hour, identify: 0,
	}
	a.limits.global = rate.NewLimiter(rate.Inf, 1)
	return a
}

// A harness brings the conformance test together with the fake Discord.
type harness struct {
	t   *testing.T
	srv *discordtest.Server
	a   *Adapter

	mu     sync.Mutex // guards events
	events map[string]*discordtest.Interaction
}

func TestConformance(t *testing.T) { conform(t) }

func TestConformanceOverHTTP(t *testing.T) { conform(t) }

func conform(t *testing.T) {
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		srv := network(t, discordtest.Options{Aliens: true})
		srv.Fail("POST /channels/"+floor+"/messages", discordtest.Fault{Code: 50013}, -1)
		a := adapter(t, srv, acquainted())
		h := &harness{t: t, srv: srv, a: a, events: map[string]*discordtest.Interaction{}}
		a.timing.answer = 300 * time.Millisecond
		if overHTTP(t) {
			endpoint(t, srv, a)
		}
		return chattest.Harness{
			Adapter: a, User: asha, Other: meera, Channel: support, Gone: unknown, Barred: floor,
			Can:   chattest.Capabilities{Forms: true, Redeliver: true, Edit: true, Suppress: true},
			Do:    h.do,
			Sees:  h.sees,
			Acked: func() int { return len(srv.Acks()) },
			Stall: h.stall,
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
		h.srv.Redeliver(before)
		return nil
	}
	i, err := h.act(a)
	h.events[a.Event] = i
	return err
}

func (h *harness) act(a chattest.Act) (*discordtest.Interaction, error) {
	switch a.Kind {
	case chat.KindCommand:
		name, options := typed(chattest.Commands(), a.Command, a.Text)
		return h.srv.Slash(a.User, a.In, name, options...)
	case chat.KindAction:
		for _, m := range h.srv.Screen(a.User) {
			if m.ID == a.On {
				return h.srv.Press(a.User, m, a.Label)
			}
		}
		return nil, fmt.Errorf("%s does not see %q", a.User, a.On)
	case chat.KindForm:
		m, ok := h.srv.Modal(a.User)
		if !ok || m.ID != a.On {
			return nil, fmt.Errorf("%s has no open form %q", a.User, a.On)
		}
		values := map[string]string{}
		for _, v := range a.Values {
			values[v.Name] = v.Value
		}
		return h.srv.Submit(a.User, m, values)
	default:
		return nil, fmt.Errorf("nobody can do %v", a.Kind)
	}
}

var typedWord = regexp.MustCompile(`"[^"]*"|\S+`)

// typed takes a command's text apart along the commands: the path of the command,
// and its options in order.
func typed(all []chat.Command, name, text string) (path string, options []discordtest.Option) {
	words := typedWord.FindAllString(text, -1)
	c := named(all, name)
	path = name
	for c != nil && len(c.Sub) > 0 && len(words) > 0 {
		path += " " + words[0]
		c, words = named(c.Sub, words[0]), words[1:]
	}
	for i, w := range words {
		w = strings.TrimSuffix(strings.TrimPrefix(strings.Trim(w, `"`), "<@discord:"), ">")
		options = append(options, discordtest.Option{Name: c.Options[i].Name, Value: w})
	}
	return path, options
}

func (h *harness) sees(user string) []chattest.Seen {
	var all []chattest.Seen
	for _, m := range h.srv.Screen(user) {
		s := chattest.Seen{ID: m.ID, Text: m.Plain(), Private: m.Ephemeral() || m.Channel != support, Pings: m.Pings, Buttons: m.Buttons()}
		s.Pings = append(s.Pings, slices.DeleteFunc(slices.Clone(m.Live), func(live string) bool { return strings.HasPrefix(live, "[") })...)
		if m.Channel == support {
			s.In = support
		}
		all = append(all, s)
	}
	if m, ok := h.srv.Modal(user); ok {
		all = append(all, chattest.Seen{ID: m.ID, Text: m.Plain(), Form: true, Private: true})
	}
	return all
}

func (h *harness) stall(on bool) {
	if !on {
		h.srv.Heal()
		return
	}
	h.srv.Fail("", discordtest.Fault{Delay: time.Hour}, -1)
}
