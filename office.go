package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// An office does what administrators ask for on the command line. The database
// has one owner: while serve runs it is serve's office that does it, reached
// through a Unix socket; else the command opens the database itself. Both ways
// lead through the same handler, so there is one behaviour.
type office struct {
	bot    *bot.Bot
	store  *store.Store
	source bot.Source
	config atomic.Pointer[Config] // swapped by a reload
	log    *slog.Logger
}

// open serves the office on its socket in g, until ctx ends.
func (o *office) open(ctx context.Context, g *errgroup.Group, path string) error {
	l, err := listenOffice(path)
	if err != nil {
		return err
	}
	g.Go(func() error { return serveHTTP(ctx, l, o.handler(), o.log) })
	return nil
}

// handler returns the office's operations: POST /<name> with a JSON document,
// answered by a JSON document, or by 422 and {"error": sentence}.
func (o *office) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /link", operation(o.link))
	mux.Handle("POST /links", operation(o.links))
	mux.Handle("POST /unlink", operation(o.unlink))
	mux.Handle("POST /stats", operation(o.stats))
	mux.Handle("POST /digests", operation(o.digests))
	mux.Handle("POST /preview", operation(o.preview))
	mux.Handle("POST /try", operation(o.tryRule))
	mux.Handle("POST /outbox", operation(o.outbox))
	mux.Handle("POST /audit", operation(o.audit))
	mux.Handle("POST /examine", operation(o.examine))
	mux.HandleFunc("POST /backup/stream", o.streamBackup)
	mux.Handle("POST /backed-up", operation(o.backedUp))
	mux.Handle("POST /rekey", operation(o.rekey))
	mux.Handle("POST /counters", operation(o.counters))
	mux.Handle("POST /verify", operation(o.verify))
	mux.Handle("POST /import", operation(o.importRows))
	return mux
}

// maxOffice bounds a request and an answer of the office: all links of a large
// installation.
const maxOffice = 64 << 20

// failure is the form in which an operation's error travels.
type failure struct {
	Error string `json:"error"`
}

// operation makes an HTTP handler of a function from one document to another.
func operation[A, R any](do func(context.Context, A) (R, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var args A
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOffice)).Decode(&args); err != nil {
			reply(w, http.StatusBadRequest, failure{"the request is not readable: is the running serve of another version?"})
			return
		}
		result, err := do(r.Context(), args)
		if err != nil {
			reply(w, http.StatusUnprocessableEntity, failure{err.Error()})
			return
		}
		reply(w, http.StatusOK, result)
	})
}

func reply(w http.ResponseWriter, status int, document any) {
	b, err := json.Marshal(document)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) // the caller went away, if it fails
}

// linkArgs asks to link a user. The secrets travel in the clear, but only
// within this process or over a socket that this user alone can open.
type linkArgs struct {
	User     string   `json:"user"`
	Name     string   `json:"name"`
	Teams    []string `json:"teams"`
	NoVerify bool     `json:"no_verify"`
	UserID   string   `json:"user_id"`
	Token    string   `json:"token"`
	SSID     string   `json:"ssid"`
	Actor    string   `json:"actor"`
}

// linkResult says what a link did.
type linkResult struct {
	Agent    bot.AgentID   `json:"agent"`
	State    bot.LinkState `json:"state"`
	Joined   bool          `json:"joined"`
	Relink   bool          `json:"relink"`
	LoggedIn bool          `json:"logged_in"`
	Moved    bool          `json:"moved"` // the address left another agent
}

func (o *office) link(ctx context.Context, a linkArgs) (linkResult, error) {
	addr, err := chat.ParseAddress(a.User)
	if err != nil {
		return linkResult{}, err
	}
	for _, team := range a.Teams {
		if !slices.ContainsFunc(o.config.Load().Teams, func(t TeamConfig) bool { return t.Name == team }) {
			return linkResult{}, fmt.Errorf("there is no team %q: the configuration has %s", team, teamNames(o.config.Load()))
		}
	}
	before, err := o.store.AgentAt(addr)
	if err != nil && !errors.Is(err, bot.ErrNotLinked) {
		return linkResult{}, err
	}
	linked, counters, err := o.bot.Link(ctx, bot.LinkRequest{
		Address: addr, Name: a.Name, Teams: a.Teams, Actor: a.Actor, NoVerify: a.NoVerify,
		Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token), SSID: secret.New(a.SSID)},
	})
	if err != nil {
		return linkResult{}, inWords(err)
	}
	if err := o.forget(linked); err != nil {
		return linkResult{}, err
	}
	moved := before.ID != "" && before.ID != linked.Agent.ID
	return linkResult{linked.Agent.ID, linked.Agent.State, linked.Joined, linked.Relink, counters != nil, moved}, nil
}

// forget deletes the history of an agent that a link has deleted. A running serve
// would hear of it by itself, a single command does not last so long.
func (o *office) forget(linked bot.Linked) error {
	if linked.Deleted == "" {
		return nil
	}
	if err := o.store.ForgetHistory(linked.Deleted); err != nil {
		return fmt.Errorf("the link is stored, but not all history of agent %s, who had this address, is deleted: %w", linked.Deleted, err)
	}
	return nil
}

func teamNames(c *Config) string {
	var names []string
	for _, t := range c.Teams {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// inWords turns an error into the sentence an administrator reads.
func inWords(err error) error {
	if errors.Is(err, bot.ErrHeld) {
		return fmt.Errorf("%w, with another credential: unlink that agent first (floorwalker links shows it)", err)
	}
	e, ok := errors.AsType[*dashboard.Error](err)
	if !ok {
		return err
	}
	detail := e.Message
	if e.Code != 0 {
		detail = strings.TrimSpace(detail + " (code " + strconv.Itoa(e.Code) + ")")
	}
	if detail == "" && e.Err != nil {
		detail = e.Err.Error()
	}
	switch e.Class {
	case dashboard.ClassCredential:
		return fmt.Errorf("the dashboard refuses this credential: %s; check user id, token and session id in the dashboard", detail)
	case dashboard.ClassAccount:
		return fmt.Errorf("the dashboard has suspended this account or denies it: %s; change that in the dashboard", detail)
	case dashboard.ClassOffShift:
		return fmt.Errorf("the agent is not logged in to the dashboard: %s; there are numbers once they are", detail)
	case dashboard.ClassFault:
		return fmt.Errorf("the dashboard refuses our call, which is our fault: %s; please report it", detail)
	}
	return fmt.Errorf("the dashboard is not answering: %s; check dashboard.base_url, or try again later", detail)
}

// linkRow is one line of `links`.
type linkRow struct {
	User       string             `json:"user"`
	Agent      bot.AgentID        `json:"agent"`
	Name       string             `json:"name"`
	Teams      []string           `json:"teams"`
	Credential bot.CredentialKind `json:"credential"`
	State      bot.LinkState      `json:"state"`
	LinkedBy   string             `json:"linked_by"`
	LinkedAt   time.Time          `json:"linked_at"`
}

// linkTable is the document of `links --json`.
type linkTable struct {
	Links []linkRow `json:"links"`
}

// links lists every address with its agent, by the agent's name.
func (o *office) links(context.Context, struct{}) (linkTable, error) {
	table := linkTable{Links: []linkRow{}}
	for agent, err := range o.store.Agents() {
		if err != nil && agent.ID != "" {
			continue // damaged: the log and the doctor name it
		}
		if err != nil {
			return linkTable{}, fmt.Errorf("read the links: %w", err)
		}
		teams := o.bot.TeamsOf(agent)
		for _, addr := range agent.Addresses {
			table.Links = append(table.Links, linkRow{
				User: addr.String(), Agent: agent.ID, Name: agent.Name, Teams: append([]string{}, teams...), Credential: agent.Credential,
				State: agent.State, LinkedBy: agent.LinkedBy, LinkedAt: agent.LinkedAt.UTC(),
			})
		}
	}
	slices.SortFunc(table.Links, func(a, b linkRow) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Agent), string(b.Agent)), strings.Compare(a.User, b.User))
	})
	return table, nil
}

// userArgs names a user.
type userArgs struct {
	User  string `json:"user"`
	Actor string `json:"actor"`
	All   bool   `json:"all"` // unlink: the agent, with the other addresses
}

// unlinkResult says what was deleted.
type unlinkResult struct {
	Agent     bot.AgentID    `json:"agent"`
	Name      string         `json:"name"`
	Addresses []chat.Address `json:"addresses"`
	Kept      []chat.Address `json:"kept"` // where the agent is linked still, with all that is stored
}

func (o *office) unlink(_ context.Context, a userArgs) (unlinkResult, error) {
	agent, err := o.agentAt(a.User)
	if err != nil {
		return unlinkResult{}, err
	}
	if len(agent.Addresses) > 1 && !a.All {
		addr, err := chat.ParseAddress(a.User)
		if err != nil {
			return unlinkResult{}, err
		}
		rest, err := o.bot.UnlinkAddress(addr, a.Actor)
		return unlinkResult{agent.ID, agent.Name, []chat.Address{addr}, rest.Addresses}, err
	}
	if _, err := o.bot.Unlink(agent, a.Actor, ""); err != nil {
		return unlinkResult{}, err
	}
	if err := o.store.ForgetHistory(agent.ID); err != nil {
		return unlinkResult{}, fmt.Errorf("the credential is deleted, but not all of the history: %w", err)
	}
	return unlinkResult{agent.ID, agent.Name, agent.Addresses, nil}, nil
}

// agentAt finds the agent of a user as written on a command line.
func (o *office) agentAt(user string) (bot.Agent, error) {
	addr, err := chat.ParseAddress(user)
	if err != nil {
		return bot.Agent{}, err
	}
	agent, err := o.store.AgentAt(addr)
	if errors.Is(err, bot.ErrNotLinked) {
		return bot.Agent{}, fmt.Errorf("%s is not linked: floorwalker link %s, or floorwalker links to see who is", addr, addr)
	}
	return agent, err
}

// statValue is one number of `stats --json`.
type statValue struct {
	Value     *float64   `json:"value"` // null: missing
	Unit      stats.Unit `json:"unit"`
	Confirmed bool       `json:"confirmed"`
}

// statsResult is the document of `stats --json`.
type statsResult struct {
	Agent   bot.AgentID          `json:"agent"`
	AsOf    time.Time            `json:"as_of"`
	Metrics map[string]statValue `json:"metrics"`
}

// counters reads an agent's counters now.
func (o *office) counters(ctx context.Context, a userArgs) (dashboard.Counters, error) {
	_, c, err := o.read(ctx, a.User)
	return c, err
}

// read asks the API about a user.
func (o *office) read(ctx context.Context, user string) (bot.Agent, dashboard.Counters, error) {
	agent, err := o.agentAt(user)
	if err != nil {
		return bot.Agent{}, dashboard.Counters{}, err
	}
	credential, err := o.store.Credential(agent.ID)
	if err != nil {
		return bot.Agent{}, dashboard.Counters{}, err
	}
	c, err := o.source.Counters(ctx, dashboard.Query{Agent: string(agent.ID), Credential: credential, Fresh: true})
	if err != nil {
		return bot.Agent{}, dashboard.Counters{}, inWords(err)
	}
	if agent.State != bot.LinkActive {
		if err := o.store.SetLinkState(agent.ID, bot.LinkActive, "", c.At); err != nil {
			return bot.Agent{}, dashboard.Counters{}, err
		}
	}
	return agent, c, nil
}

// stats reads an agent's counters now, as numbers and as a card.
func (o *office) stats(ctx context.Context, a userArgs) (statsAnswer, error) {
	agent, counters, err := o.read(ctx, a.User)
	if err != nil {
		return statsAnswer{}, err
	}
	d := o.config.Load().Dictionary
	result := statsResult{Agent: agent.ID, AsOf: counters.At.UTC(), Metrics: map[string]statValue{}}
	for _, m := range d {
		if m.Kind != stats.Text {
			result.Metrics[m.Name] = statOf(d.Read(counters, m.Name), m.Unit, m.Confirmed)
		}
	}
	for name, unit := range map[string]stats.Unit{"answered": stats.Count, "miss_rate": stats.NoUnit, "login_hours": stats.Hours} {
		n := d.Read(counters, name)
		if !d.Confirmed(name) {
			n = stats.Number{} // computed from keys that may mean something else
		}
		result.Metrics[name] = statOf(n, unit, d.Confirmed(name))
	}
	return statsAnswer{Document: result, Card: o.bot.Card(agent, counters).Plain()}, nil
}

// statsAnswer is the numbers twice: for scripts, and as a card for people.
type statsAnswer struct {
	Document statsResult `json:"document"`
	Card     string      `json:"card"`
}

func statOf(n stats.Number, unit stats.Unit, confirmed bool) statValue {
	v := statValue{Unit: unit, Confirmed: confirmed}
	if n.Known() {
		v.Value = &n.Value
	}
	return v
}
