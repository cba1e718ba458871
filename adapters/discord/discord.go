package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// DefaultAPIURL is where Discord's API is. The library speaks version 9.
const DefaultAPIURL = "https://discord.com/api/v9"

// The ways in which what people do reaches an adapter.
const (
	ModeGateway = "gateway" // over a connection that the adapter opens
	ModeHTTP    = "http"    // by calling it: see [Adapter.Handler]
)

// Config says which application to be.
type Config struct {
	Mode          string // ModeGateway, which "" is too, or ModeHTTP
	BotToken      secret.Secret
	ApplicationID string
	GuildID       string       // registers the commands in this server only; "" is everywhere
	PublicKey     string       // ModeHTTP: what Discord's signatures are verified with, 64 hexadecimal digits
	PublicURL     string       // ModeHTTP: where Discord finds Handler, for Manifest and Check; "" if that is not known
	APIURL        string       // "" is DefaultAPIURL; another one is for tests
	Memory        Memory       // nil forgets with the process, and then whom it may write to
	Logger        *slog.Logger // nil logs nothing
}

// An Adapter is one application. Make it with [New].
type Adapter struct {
	config Config
	log    *slog.Logger
	client *client
	limits *limiter
	notes  *notes
	calls  *counters
	health health
	timing timing
	opens  opens
	key    ed25519.PublicKey // nil without one
	door   door

	replays chat.Recent // ids of interactions that came over HTTP
	final   chan error  // the reason why Discord will not have us back

	where atomic.Pointer[string] // see Workspace

	mu       sync.Mutex // guards questions
	confirms map[string]chat.Confirm
}

// timing is what tests shorten.
type timing struct {
	running int           // requests at once
	answer  time.Duration // a request that takes longer is promised an answer; Discord waits for three seconds
	grace   time.Duration // for requests when stopping
	retry   time.Duration // the first pause before an answer is tried again
	life    time.Duration // of an interaction's token; Discord allows 15 minutes
	open    time.Duration // between two new direct messages
	gateway
}

func defaultTiming() timing {
	return timing{
		// Requests that a slow API holds up stay in the pool with their second
		// answer. Fifty a second that take eight seconds are 400 at once.
		running: 512,
		answer:  1500 * time.Millisecond, grace: 10 * time.Second, retry: 300 * time.Millisecond,
		life: 14*time.Minute + 30*time.Second, open: 3 * time.Second, gateway: defaultGateway(),
	}
}

var _ chat.Adapter = (*Adapter)(nil)

// New returns an adapter that has not called Discord yet. An error is a fault of
// the configuration.
func New(c Config) (*Adapter, error) {
	base, err := url.Parse(cmp.Or(c.APIURL, DefaultAPIURL))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("discord: %q is not the address of an API: write one like %s", c.APIURL, DefaultAPIURL)
	}
	if !isID(c.ApplicationID) {
		return nil, fmt.Errorf("discord: %q is not an application's id: copy it from General Information in the developer portal", c.ApplicationID)
	}
	if c.GuildID != "" && !isID(c.GuildID) {
		return nil, fmt.Errorf("discord: %q is not a server's id: those are up to 20 digits", c.GuildID)
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	api, err := newClient(c.BotToken, base)
	if err != nil {
		return nil, err
	}
	log := cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return &Adapter{
		door:   door{complaints: rate.Sometimes{Interval: time.Minute}},
		config: c, log: log, client: api, limits: newLimiter(), notes: newNotes(c.Memory, log), key: key,
		calls: newCounters(), timing: defaultTiming(), final: make(chan error, 1), confirms: map[string]chat.Confirm{},
	}, nil
}

// key returns what signatures are verified with, nil where there are none.
func (c Config) key() (ed25519.PublicKey, error) {
	switch c.Mode {
	case "", ModeGateway:
		return nil, nil
	case ModeHTTP:
	default:
		return nil, fmt.Errorf("discord: there is no mode %q: write gateway or http", c.Mode)
	}
	key, err := hex.DecodeString(c.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("discord: the public key is not 64 hexadecimal digits: copy it from General Information in the developer portal")
	}
	return key, nil
}

// Network returns "discord".
func (a *Adapter) Network() chat.Network { return chat.Discord }

// Lookup returns a person's display name. Discord tells nobody's zone.
func (a *Adapter) Lookup(ctx context.Context, id string) (chat.Person, error) {
	if !isID(id) {
		return chat.Person{}, fmt.Errorf("discord: %q is no person's id: %w", id, chat.ErrGone)
	}
	u, err := ask[user](ctx, a, at("GET", "/users/{}", id))
	if err != nil {
		return chat.Person{}, err
	}
	return chat.Person{Name: u.name()}, nil
}
