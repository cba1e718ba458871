package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

const (
	callTimeout   = 10 * time.Second // of one call, with its answer's body
	uploadTimeout = time.Minute      // of one that carries files
	maxAnswer     = 4 << 20          // bytes of an answer; more is a fault
)

// A lane is how urgent a call is, and what may hold it.
type lane int

const (
	laneReply lane = iota // answers an interaction: nothing of ours holds it but a ban of our address
	laneCall              // edits and questions
	laneSend              // what is said unasked
)

// A call is one request to Discord's API.
type call struct {
	method string
	path   string // with the ids, and for an interaction its token: a secret
	route  string // method and template: what errors and limits know it by
	major  string // the id that limits are counted by, "" if by none
	lane   lane
	budget time.Duration // how long it waits for its turn; below 0 as long as the context allows
	body   any           // as JSON, nil for none
	files  []chat.File
}

// at returns a call of a template whose {} are filled with ids.
func at(method, template string, ids ...string) call {
	c := call{method: method, route: method + " " + template, lane: laneCall, budget: noHurry}
	parts := strings.Split(template, "{}")
	var path strings.Builder
	path.WriteString(parts[0])
	for i, id := range ids {
		path.WriteString(url.PathEscape(id) + parts[i+1])
	}
	c.path = path.String()
	for _, resource := range []string{"/channels/{}", "/guilds/{}"} {
		if strings.HasPrefix(template, resource) {
			c.major = ids[0]
		}
	}
	return c
}

// with returns the call with a body.
func (c call) with(body any) call {
	c.body = body
	return c
}

// carrying returns the call with a card as its body.
func (c call) carrying(k card) call {
	c.body, c.files = k.payload, k.files
	return c
}

// in returns the call in another lane, with another time to wait for its turn.
func (c call) in(l lane, budget time.Duration) call {
	c.lane, c.budget = l, budget
	return c
}

// An answer is what came back for a call.
type answer struct {
	status int
	header http.Header
	body   []byte
	sent   bool  // something left; without a status it may have arrived
	err    error // why there is no status
}

// A client makes calls through the library, one request each. The library's own
// calls share one lock between all people's edits, remember every interaction
// for ever, and repeat a message after a 502 without a nonce; so each call gets a
// bucket that is thrown away, and no retries.
type client struct {
	session *discordgo.Session // never opened
	base    string             // of the API, without a slash at its end
	wire    http.RoundTripper
}

func newClient(token secret.Secret, base *url.URL) (*client, error) {
	s, err := discordgo.New("Bot " + token.Reveal())
	if err != nil {
		return nil, fmt.Errorf("discord: %w", err)
	}
	s.LogLevel = silent
	wire := http.DefaultTransport.(*http.Transport).Clone()
	wire.MaxIdleConnsPerHost = 64
	return &client{session: s, base: strings.TrimSuffix(base.String(), "/"), wire: wire}, nil
}

// host returns the API's host, for people.
func (c *client) host() string {
	u, err := url.Parse(c.base)
	if err != nil {
		return c.base
	}
	return u.Host
}

// silent is below the library's lowest level: it would print parts of answers.
const silent = -1

// exchange makes one request.
func (c *client) exchange(ctx context.Context, k call) answer {
	contentType, body, err := encode(k)
	if err != nil {
		return answer{err: err}
	}
	seen := &capture{wire: c.wire, timeout: callTimeout}
	if len(k.files) > 0 {
		seen.timeout = uploadTimeout
	}
	bucket := discordgo.NewRatelimiter().LockBucket("one")
	// What the library makes of the answer is not of interest: it loses the
	// status of a 502, and cannot read a 429 that is a page of HTML.
	_, err = c.session.RequestWithLockedBucket(k.method, c.base+k.path, contentType, body, bucket, 0,
		discordgo.WithContext(ctx), discordgo.WithRetryOnRatelimit(false), discordgo.WithRestRetries(0),
		discordgo.WithClient(&http.Client{Transport: seen, CheckRedirect: stay}))
	if seen.answer.status == 0 && seen.answer.err == nil {
		seen.answer.err = redacted(err)
	}
	return seen.answer
}

// stay follows no redirect: Discord makes none, and the token must not be carried
// elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// encode returns a call's body and its type, nil for no body.
func encode(k call) (contentType string, body []byte, err error) {
	if k.body == nil {
		return "", nil, nil
	}
	if len(k.files) == 0 {
		body, err = json.Marshal(k.body)
		return "application/json", body, err
	}
	var files []*discordgo.File
	for _, f := range k.files {
		files = append(files, &discordgo.File{Name: f.Name, ContentType: mediaType(f.Type), Reader: bytes.NewReader(f.Data)})
	}
	return discordgo.MultipartBodyWithJSON(k.body, files)
}

// mediaType returns a type that can stand in a header, "" for the usual one.
func mediaType(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// A capture carries one request and keeps its answer whole.
type capture struct {
	wire    http.RoundTripper
	timeout time.Duration

	mu     sync.Mutex // guards answer.sent, which a trace sets on the connection's goroutine
	answer answer
}

// RoundTrip makes the request and returns its answer with the body already read.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answer.sent = true
	}})
	resp, body, err := c.fetch(req.WithContext(ctx))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.answer.err = err
		return nil, err
	}
	c.answer.status, c.answer.header, c.answer.body = resp.StatusCode, resp.Header, body
	return resp, nil
}

func (c *capture) fetch(req *http.Request) (*http.Response, []byte, error) {
	resp, err := c.wire.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, nil, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, body, nil
}

// redacted returns err without the address that package net/http puts into its
// errors: an interaction's holds its token.
func redacted(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// call makes one call when the limiter lets it, and draws the consequences of
// its answer. Its error is a [*Error], a [chat.RetryError], or the context's
// cause if nothing left.
func (a *Adapter) call(ctx context.Context, k call) ([]byte, error) {
	turn, err := a.limits.take(ctx, k)
	if err != nil {
		return nil, err
	}
	got := a.client.exchange(ctx, k)
	turn.end(got)
	a.calls.add(k.route, got.status)
	err = k.failure(got)
	if err != nil && ctx.Err() != nil && !got.sent && got.status == 0 {
		return nil, context.Cause(ctx)
	}
	a.judge(k, err)
	return got.body, err
}

// judge draws the consequences of a failed call.
func (a *Adapter) judge(k call, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	if e.class == classDead {
		select {
		case a.final <- e:
		default: // one reason is enough
		}
	}
	a.limits.learn(k, e)
}

// ask makes a call and reads its answer.
func ask[T any](ctx context.Context, a *Adapter, k call) (result T, err error) {
	body, err := a.call(ctx, k)
	if err != nil {
		return result, err
	}
	if err := decode(body, &result); err != nil {
		return result, &Error{Route: k.route, Status: http.StatusOK, Err: errors.New("the answer cannot be read"), class: classUnclear}
	}
	return result, nil
}
