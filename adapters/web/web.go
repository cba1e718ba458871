// Package web is the public listener: the pages on which people link their
// accounts, and the addresses that chat platforms call where they are to call us.
//
// # What it serves
//
//	GET, POST  /link/{ticket}   one person's link page                   link.go
//	callbacks                   handlers of the adapters                 [Callback]
//
// Everything else gets one and the same answer, which says nothing about what
// runs here. Health and metrics are on another listener, for machines.
//
// # What it takes care of
//
// Whoever can reach the listener may send what they like, as slowly as they like.
// So there are limits on the number of connections, on headers and bodies, on how
// long either may take, and on how often one client asks for a link page. Every
// answer carries headers that forbid scripts, frames, referrers and caches. What
// is logged of a request is its route, never its path: the path of a link page is
// the secret that opens it.
//
// The exception is what the standard library answers before a request is one:
// 400, 417, 431, 501 or 505 for what cannot be read, expects too much or is too
// long. Those are a line of plain text that repeats nothing of what was sent and
// names no version, after which the connection ends, so that there is nothing in
// them to guard.
//
// A client is who connects, unless that is one of [Config.TrustedProxies]: then it
// is who the proxies say, read from the last to the first, for as long as they are
// trusted.
//
// # The link page
//
// It is for one person, who is named on it, because that is who will see the
// numbers: a link that somebody else passes on would show them yours. A GET
// changes nothing, since chat networks fetch every address that is posted. A POST
// must come from the page itself and carry the confirmation. What happens then is
// decided by [Links]; this package draws it. The page needs no script and allows
// none.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// Config says what to serve, and for whom.
type Config struct {
	PublicURL      string         // how the world reaches the listener, such as https://floor.example, without a slash at its end
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Callbacks      []Callback
	Links          Links        // nil: no link pages
	Logger         *slog.Logger // nil logs nothing
}

// A Callback is a path that a chat platform calls. Its handler sees that path, and
// bodies of 1 MiB at most; whose request it is, it judges itself.
type Callback struct {
	Path    string // such as /slack/command
	Methods string // as in the header Allow, such as "POST"
	Handler http.Handler
}

// Links is what the link page needs of the bot.
type Links interface {
	// Offer returns what a link page is for, or ErrGone. It changes nothing.
	Offer(ctx context.Context, ticket secret.Secret) (Offer, error)

	// Redeem verifies what was entered, and links the page's person. ErrGone
	// means that the page is not good any more. What the person can mend is in
	// the result.
	Redeem(ctx context.Context, ticket secret.Secret, s Submission) (Result, error)
}

// ErrGone: a link page is unknown, used, used up or too old.
var ErrGone = errors.New("web: no such link page, or not any more")

// An Offer is what a link page says before anything is entered.
type Offer struct {
	Who       chat.Address // who will see the numbers
	Name      string       // how their network calls them; untrusted, may be empty
	Workspace string       // what people call where they are; may be empty
	Command   string       // what they type to the bot there, such as /floor
	Expires   time.Time    // in their zone
	Tries     int          // that are left
	Relink    bool         // they are linked, and would replace their credential
}

// A Submission is what somebody has entered on a link page.
type Submission struct {
	UserID      string
	Token, SSID secret.Secret
	Confirmed   bool // that they are the person of the offer
}

// A Result is what came of a submission: Faults, or else Message.
type Result struct {
	Offer   Offer
	Faults  map[string]string // by field: user_id, token, ssid, confirm
	Message chat.Message
	Linked  bool
}

// limits are what one request, and all of them, may take.
type limits struct {
	connections int           // at once; more wait
	header      int           // bytes of a request's headers
	body        int64         // bytes of a callback's body
	small       int64         // bytes of one that is not large
	large       int           // large bodies at once; more are refused
	form        int64         // bytes of what is entered on a link page
	read        time.Duration // until a request has arrived
	answer      time.Duration // of a link page, its live call included
	grace       time.Duration // for requests under way when stopping
	perMinute   int           // what a client may ask of link pages; see cost
}

func defaultLimits() limits {
	return limits{
		connections: 512, header: 16 << 10, body: 1 << 20, small: 64 << 10, large: 32, form: 16 << 10,
		read: 10 * time.Second, answer: 30 * time.Second, grace: 10 * time.Second, perMinute: 300,
	}
}

// A Server is the public listener's handler. Make one with [New].
type Server struct {
	config Config
	limits limits
	log    *slog.Logger
	secure bool // the world reaches it over https
	origin *http.CrossOriginProtection
	pages  *pages
	asked  throttle
	places chan struct{} // of large bodies
	tally  tally
}

// New returns a server. An error is a fault of the configuration.
func New(c Config) (*Server, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, limits: defaultLimits(), log: c.Logger, origin: http.NewCrossOriginProtection(), pages: newPages()}
	s.places = make(chan struct{}, s.limits.large)
	if c.PublicURL == "" {
		return s, nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("web: %q is not how the world reaches a listener: write one like https://floor.example", c.PublicURL)
	}
	s.secure = u.Scheme == "https"
	return s, s.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host)
}

// Serve answers on a listener, which it closes, until ctx ends. Then it takes no
// more requests, waits ten seconds at most for those under way, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: s.limits.read / 2, ReadTimeout: s.limits.read, WriteTimeout: s.limits.read + s.limits.answer + 5*time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: s.limits.header, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), ConnState: s.tally.connection,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.grace)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err := server.Serve(limitListener(l, s.limits.connections))
	if !stop() {
		<-stopped
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
