// Package slack is the driver of Slack: it takes what people do over Socket Mode
// or HTTP, turns it into requests, and draws messages as Block Kit.
//
// # What runs
//
// [Adapter.Run] asks who the token belongs to. In Socket Mode it then keeps two
// connections, because Slack refreshes each every few hours and the library
// drops one before it opens the next; either gets any event (socket.go). In HTTP
// mode it opens none: Slack calls [Adapter.Handler], which checks the signature
// before it reads anything (http.go, sign.go). Both make the same deliveries. A
// delivery is read by parsers of our own (payload.go), acknowledged on the way it
// came, and worked on in a bounded pool (session.go). The answer goes to the
// event's response_url, into a modal or the home page, or, when those are too
// late, to the person's direct messages (reply.go).
//
// [Adapter.Send] and [Adapter.Edit] are independent of Run. All calls share one
// limiter and one transport (pace.go, transport.go).
//
// # What Slack makes difficult
//
// An answer to a command is seen by the person alone and cannot be edited for
// certain: Slack's documentation is silent on whether replace_original works
// there. It is asked for; where it does not work, the second answer stands below
// the first.
//
// Slack has no way to suppress duplicates, so a message that is sent again says
// so. It notifies whoever is mentioned in a channel, so there the name stands
// instead of the mention. It cannot mask what is typed into a modal.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// DefaultAPIURL is where Slack's Web API is.
const DefaultAPIURL = "https://slack.com/api/"

// The ways in which Slack reaches an app.
const (
	ModeSocket = "socket" // over connections that the app opens
	ModeHTTP   = "http"   // by calling the app: see [Adapter.Handler]
)

// Config says which app to be, in which workspace.
type Config struct {
	Mode          string        // how Slack reaches us: ModeSocket, which "" is too, or ModeHTTP
	BotToken      secret.Secret // xoxb-…, of the workspace
	AppToken      secret.Secret // ModeSocket: xapp-…, with connections:write
	SigningSecret secret.Secret // ModeHTTP: what Slack signs its requests with; without it all are refused
	PublicURL     string        // ModeHTTP: where Slack finds Handler, for Manifest and Check; "" if that is not known
	APIURL        string        // "" is DefaultAPIURL; another one is for tests

	// Commands maps canonical names to what the workspace calls them, such as
	// "mystats" to "/mystats". nil is /mystats and /floor.
	Commands map[string]string

	// Workspace is told the id of the organisation, or of the workspace if it is
	// in none, before anything is received. An error keeps the adapter from
	// running: it is another workspace's database. nil accepts any.
	Workspace func(ctx context.Context, id string) error

	Logger *slog.Logger // nil logs nothing
}

// An Adapter is one app in one workspace. Make it with [New].
type Adapter struct {
	config Config
	slash  map[string]string // canonical name by slash command
	log    *slog.Logger
	api    *slack.Client // everything but response_urls
	base   *url.URL
	hooks  *http.Client // response_urls: no token
	gate   *gate
	limits *limiter
	calls  *counters
	health health
	timing timing

	door    door        // of HTTP mode
	replays chat.Recent // signatures of requests

	final chan error             // the reason why the workspace will not have us back
	place atomic.Pointer[string] // what people call the workspace; nil until Run knows

	mu       sync.Mutex // guards the rest
	dms      map[string]string
	refusals refusals
	edits    map[string]*editing
}

// timing is what tests shorten.
type timing struct {
	ack     time.Duration // of an acknowledgement; Slack waits for three seconds
	ping    time.Duration // without a ping for so long, a connection is dead
	hello   time.Duration // a connection that is not greeted for so long is, too
	stagger time.Duration // between the first connections
	form    time.Duration // how long a form's handler may take until the person sees that it is being checked
	settle  time.Duration // for an acknowledgement to overtake what follows it
	grace   time.Duration // for requests when stopping
}

func defaultTiming() timing {
	return timing{
		ack: 2500 * time.Millisecond, ping: 30 * time.Second, hello: 30 * time.Second, stagger: 5 * time.Second,
		form: time.Second, settle: 500 * time.Millisecond, grace: 10 * time.Second,
	}
}

var _ chat.Adapter = (*Adapter)(nil)

// New returns an adapter that has not called Slack yet. An error is a fault of
// the configuration.
func New(c Config) (*Adapter, error) {
	base, err := apiURL(c.APIURL)
	if err != nil {
		return nil, err
	}
	if c.Mode != "" && c.Mode != ModeSocket && c.Mode != ModeHTTP {
		return nil, fmt.Errorf("slack: there is no mode %q: write socket or http", c.Mode)
	}
	if c.Commands == nil {
		c.Commands = defaultCommands()
	}
	a := &Adapter{
		door:   door{complaints: rate.Sometimes{Interval: time.Minute}},
		config: c, slash: map[string]string{}, base: base, log: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)).With("network", "slack"),
		gate: newGate(), limits: newLimiter(), calls: newCounters(), timing: defaultTiming(),
		final: make(chan error, 1), dms: map[string]string{}, edits: map[string]*editing{},
	}
	for name, slash := range c.Commands {
		if a.slash[slash] != "" {
			return nil, fmt.Errorf("slack: two commands are called %s: choose different names", slash)
		}
		a.slash[slash] = name
	}
	wire := http.DefaultTransport.(*http.Transport).Clone()
	wire.MaxIdleConnsPerHost = 32
	calls := &transport{base: wire, api: base, token: c.BotToken, gate: a.gate, calls: a.calls}
	a.api = slack.New(c.BotToken.Reveal(), slack.OptionAppLevelToken(c.AppToken.Reveal()),
		slack.OptionAPIURL(base.String()), slack.OptionHTTPClient(client(calls)))
	a.hooks = client(&hookTransport{base: wire, calls: a.calls})
	return a, nil
}

func defaultCommands() map[string]string {
	return map[string]string{"mystats": "/mystats", "floor": "/floor"}
}

// client returns an HTTP client that follows no redirect: Slack makes none, and
// a token or a secret address should not be carried elsewhere.
func client(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// apiURL reads the address of the Web API. The library puts a method's name
// right behind it, so it ends in a slash.
func apiURL(s string) (*url.URL, error) {
	u, err := url.Parse(cmp.Or(s, DefaultAPIURL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("slack: %q is not the address of an API: write one like %s", s, DefaultAPIURL)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

// Network returns "slack".
func (a *Adapter) Network() chat.Network { return chat.Slack }

// Lookup returns a person's display name and zone. The zone is "" where Slack
// has none, or one that this system does not know.
func (a *Adapter) Lookup(ctx context.Context, id string) (chat.Person, error) {
	u, err := a.user(ctx, id)
	if err != nil {
		return chat.Person{}, err
	}
	if u.Deleted {
		return chat.Person{}, fmt.Errorf("slack: user %s is deactivated: %w", id, chat.ErrGone)
	}
	zone := u.TZ
	if _, err := time.LoadLocation(zone); err != nil {
		zone = ""
	}
	return chat.Person{Name: cmp.Or(u.Profile.DisplayName, u.RealName, u.Profile.RealName, u.Name), Zone: zone}, nil
}

func (a *Adapter) user(ctx context.Context, id string) (*slack.User, error) {
	var u *slack.User
	err := a.call(ctx, "users.info", "", noHurry, func() (err error) {
		u, err = a.api.GetUserInfoContext(ctx, id)
		return err
	})
	return u, err
}

// call makes one call of the API when the limiter lets it, waiting at most so
// long. Its error is one of package chat's.
func (a *Adapter) call(ctx context.Context, method, channel string, budget time.Duration, do func() error) error {
	if err := a.limits.wait(ctx, method, channel, budget); err != nil {
		return err
	}
	return a.judge(method, channel, do())
}

// judge draws the consequences of a call's failure and returns it as one of
// package chat's.
func (a *Adapter) judge(method, channel string, err error) error {
	if err == nil {
		return nil
	}
	switch c, code, after := classify(err); c {
	case classLimited:
		key := everything // the workspace's own limit
		if code == "ratelimited" || code == "rate_limited" {
			key = callKey(method, channel)
		}
		a.limits.hold(key, after)
	case classDead:
		select {
		case a.final <- failure(method, err):
		default: // one reason is enough
		}
	}
	return failure(method, err)
}

// identity is who the token belongs to.
type identity struct {
	team, enterprise string // ids; enterprise is "" outside an organisation
	name             string // of the workspace
	bot              string // the bot's user id
	scopes           string
}

// id returns what a database belongs to.
func (i identity) id() string { return cmp.Or(i.enterprise, i.team) }

// identify asks Slack who we are.
func (a *Adapter) identify(ctx context.Context) (identity, error) {
	var answer *slack.AuthTestResponse
	err := a.call(ctx, "auth.test", "", noHurry, func() (err error) {
		answer, err = a.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return identity{}, err
	}
	return identity{
		team: answer.TeamID, enterprise: answer.EnterpriseID, name: answer.Team,
		bot: answer.UserID, scopes: answer.Header.Get("X-OAuth-Scopes"),
	}, nil
}

// introduce is identify until there is an answer, and then has the workspace
// accepted.
func (a *Adapter) introduce(ctx context.Context) (identity, error) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		who, err := a.identify(ctx)
		switch {
		case err == nil:
			return who, a.accept(ctx, who)
		case errors.Is(err, chat.ErrFinal), ctx.Err() != nil:
			return who, err
		}
		wait := pause
		if retry, ok := errors.AsType[*chat.RetryError](err); ok {
			wait = retry.After
		}
		a.log.WarnContext(ctx, "slack does not say who we are, trying again", "err", err, "in", wait)
		if err := sleep(ctx, wait); err != nil {
			return who, err
		}
	}
}

// Workspace returns what people call the workspace, "" until Run knows.
func (a *Adapter) Workspace() string {
	if name := a.place.Load(); name != nil {
		return *name
	}
	return ""
}

func (a *Adapter) accept(ctx context.Context, who identity) error {
	a.place.Store(&who.name)
	if a.config.Workspace == nil {
		return nil
	}
	if err := a.config.Workspace(ctx, who.id()); err != nil {
		return fmt.Errorf("slack: workspace %s (%s): %w: %w", who.name, who.id(), err, chat.ErrFinal)
	}
	return nil
}
