package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// patience is how long a person waits for fresh numbers before they get the
// stored ones.
const patience = 800 * time.Millisecond

// Source answers with an agent's counters. [dashboard.Client] is one.
//
// Calls for one agent that overlap share one answer, and a call goes on for the
// others when the context of the first ends.
type Source interface {
	Counters(ctx context.Context, q dashboard.Query) (dashboard.Counters, error)

	// Forget drops what is cached for an agent.
	Forget(agent string)
}

// Meter counts what the bot does. Its methods are called often and return at
// once. Results are "ok", "refused" (the person's doing) and "failed".
type Meter interface {
	Command(name, result string, took time.Duration)

	// Delivery counts an attempt to deliver, by network, lane and the state
	// that it left the row in.
	Delivery(network, lane, state string)
}

// A Bot answers requests. It implements [chat.App]; see the package comment for
// how a request travels. Make one with [New].
type Bot struct {
	src   Source
	store Store
	log   *slog.Logger
	meter Meter

	config   atomic.Pointer[Config]
	watching watching       // what the digests and the status need to know of the watch
	due      chan struct{}  // wakes the digest loop; one slot
	bells    *bells         // wake the deliverers
	unlinked chan struct{}  // somebody's history is to be deleted; one slot
	commands []command      // constant
	seen     chat.Recent    // requests of the last ten minutes
	attempts throttle       // links tried, by address
	pages    throttle       // link pages asked for, by address
	offers   offers         // the answers that lead to them
	met      sync.Map       // addresses known to have typed a command
	dead     throttle       // refused credentials tried again, by agent
	offered  []chat.Command // constant, what Commands returns
}

// New returns a bot that reads counters from src and keeps what lasts in store.
func New(c Config, src Source, store Store, meter Meter, log *slog.Logger) *Bot {
	b := &Bot{src: src, store: store, log: log, meter: meter, commands: commandTable(), due: make(chan struct{}, 1), bells: newBells(), unlinked: make(chan struct{}, 1)}
	for _, c := range b.commands {
		b.offered = append(b.offered, c.offer())
	}
	b.Configure(c)
	return b
}

// Configure swaps the configuration. Requests under way finish with the one
// they began with.
func (b *Bot) Configure(c Config) {
	c.memberships = membershipsOf(c.Teams)
	b.config.Store(&c)
}

// Commands returns what people can type.
func (b *Bot) Commands() []chat.Command { return b.offered }

// Complete proposes values for an option: what the person may name.
func (b *Bot) Complete(_ context.Context, cr chat.Request, option string) []chat.Choice {
	r := &request{Request: cr, config: b.config.Load()}
	words := strings.Fields(cr.Text)
	typed := ""
	if len(words) > 0 && !strings.HasSuffix(cr.Text, " ") {
		typed = strings.ToLower(words[len(words)-1])
	}
	var list []chat.Choice
	for _, name := range r.known(option) {
		if strings.Contains(strings.ToLower(name), typed) && len(list) < 25 {
			list = append(list, chat.Choice{Label: name, Value: name})
		}
	}
	return list
}

// known returns the names that a person may give for an option.
func (r *request) known(option string) []string {
	var names []string
	for _, t := range r.config.Teams {
		if !r.sees(t.Name) {
			continue
		}
		switch option {
		case "team":
			names = append(names, t.Name)
		case "digest":
			for _, d := range t.Digests {
				names = append(names, t.Name+"/"+d.Name)
			}
		}
	}
	if option == "what" && r.may(supervisor) {
		for _, rule := range r.config.Rules {
			names = append(names, rule.Name)
		}
	}
	return names
}

// A request is a chat request on its way through the bot.
type request struct {
	chat.Request
	id     string // shown to the person when something fails, and logged
	config *Config
	args   []string // the words after the command and its subcommands
}

// Handle answers a request. It returns [chat.ErrDuplicate] for one that it has
// been given before.
func (b *Bot) Handle(ctx context.Context, cr chat.Request) (chat.Reply, error) {
	if cr.ID != "" && !b.seen.Add(string(cr.From.Network)+" "+cr.ID, cr.At) {
		return chat.Reply{}, chat.ErrDuplicate
	}
	r := &request{Request: cr, id: newID(4), config: b.config.Load()}
	began := time.Now()
	name, run := b.route(r)
	b.meet(ctx, r)
	reply, result := b.answer(ctx, r, run)
	if ctx.Err() == nil {
		reply = b.owed(ctx, r, reply)
	}
	b.meter.Command(name, result, time.Since(began))
	b.log.InfoContext(ctx, "request", "request", r.id, "command", name, "from", r.From.String(),
		"result", result, "took", time.Since(began))
	if ctx.Err() != nil && result != "ok" {
		return chat.Reply{}, context.Cause(ctx)
	}
	return reply, nil
}

// answer runs a handler and turns whatever comes of it, a panic included, into a
// reply.
func (b *Bot) answer(ctx context.Context, r *request, run handler) (reply chat.Reply, result string) {
	defer func() {
		if p := recover(); p != nil {
			b.log.ErrorContext(ctx, "panic in a handler", "request", r.id, "panic", p, "stack", string(debug.Stack()))
			reply, result = chat.Show(b.mishap(r)), "failed"
		}
	}()
	reply, err := run(b, ctx, r)
	if err != nil {
		m, result := b.explain(ctx, r, err)
		return chat.Show(m), result
	}
	return b.guard(r, reply), "ok"
}

// guard makes the second half of a reply as safe as the first.
func (b *Bot) guard(r *request, reply chat.Reply) chat.Reply {
	then := reply.Then
	if then == nil {
		return reply
	}
	reply.Then = func(ctx context.Context) (chat.Reply, error) {
		next, result := b.answer(ctx, r, func(*Bot, context.Context, *request) (chat.Reply, error) { return then(ctx) })
		b.log.InfoContext(ctx, "request finished", "request", r.id, "result", result)
		return next, nil
	}
	return reply
}

// newID returns n random bytes in hex.
func newID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails, says its documentation
	return hex.EncodeToString(b)
}

// cancelled reports whether err only says that a context ended.
func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
