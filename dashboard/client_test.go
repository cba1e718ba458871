package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// good is an answer with one counter.
const good = `{"message":[{"TH":7}],"status":"success","code":200}`

// A server answers requests without a network.
type server func(*http.Request) (*http.Response, error)

// RoundTrip answers a request.
func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// reply makes an answer.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// refuse makes the answer with an error code.
func refuse(code string) *http.Response {
	return reply(200, `{"status":"error","message":"no","code":`+code+`}`)
}

// client returns a client of a server; change adjusts its configuration.
func client(t testing.TB, s http.RoundTripper, change ...func(*dashboard.Config)) *dashboard.Client {
	t.Helper()
	cfg := dashboard.Config{BaseURL: "https://brand.example", Transport: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(&cfg)
	}
	c, err := dashboard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// query asks for an agent's counters with a token of their own.
func query(agent string) dashboard.Query {
	return dashboard.Query{Agent: agent, Credential: dashboard.Credential{UserID: agent, Token: secret.New("tok-" + agent)}}
}

// fresh asks past the cache.
func fresh(agent string) dashboard.Query {
	q := query(agent)
	q.Fresh = true
	return q
}

// expect checks that an error has a class.
func expect(t *testing.T, err error, want dashboard.Class) {
	t.Helper()
	if class, ok := dashboard.ClassOf(err); !ok || class != want {
		t.Errorf("error %v, want class %s", err, want)
	}
}

// TestRequest checks what is sent: the credential as it was given, in the body
// and nowhere else.
func TestRequest(t *testing.T) {
	var got *http.Request
	var body string
	c := client(t, server(func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		got, body = r, string(b)
		return reply(200, good, "Date", "Fri, 22 Nov 2024 06:51:10 GMT"), err
	}))
	for want, cred := range map[string]dashboard.Credential{
		`{"ssid":"planted-s"}`:                                       {SSID: secret.New("planted-s")},
		`{"userId":"100213","token":"planted-t"}`:                    {UserID: "100213", Token: secret.New("planted-t")},
		`{"ssid":"planted-s","userId":"100213","token":"planted-t"}`: {SSID: secret.New("planted-s"), UserID: "100213", Token: secret.New("planted-t")},
	} {
		before := time.Now()
		counters, err := c.Counters(t.Context(), dashboard.Query{Credential: cred})
		if err != nil {
			t.Fatal(err)
		}
		if body != want {
			t.Errorf("sent %s, want %s", body, want)
		}
		if got.Method != "POST" || got.URL.String() != "https://brand.example/api/v2/agentDashboard/counters" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("sent %s %s %v", got.Method, got.URL, got.Header)
		}
		if keys, marked := got.Header["X-Idempotency-Key"]; !marked || len(keys) != 0 {
			t.Errorf("the request is not marked as replayable: %v", got.Header)
		}
		for name, values := range got.Header {
			if strings.Contains(strings.Join(values, " "), "planted") {
				t.Errorf("header %s holds a secret", name)
			}
		}
		if !counters.Date.Equal(time.Date(2024, 11, 22, 6, 51, 10, 0, time.UTC)) || counters.At.Before(before) || counters.At.Location() != time.UTC {
			t.Errorf("dated %s, asked %s", counters.Date, counters.At)
		}
	}
}

// TestDate checks that a date that is absent or unreadable costs nothing else.
func TestDate(t *testing.T) {
	for _, header := range [][]string{nil, {"Date", ""}, {"Date", "yesterday"}} {
		c := client(t, server(func(*http.Request) (*http.Response, error) { return reply(200, good, header...), nil }))
		counters, err := c.Counters(t.Context(), query("asha"))
		if err != nil || !counters.Date.IsZero() {
			t.Errorf("%v: %s, %v", header, counters.Date, err)
		}
	}
}

// TestNoCredential checks that an incomplete credential is never sent.
func TestNoCredential(t *testing.T) {
	c := client(t, server(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return reply(200, good), nil
	}))
	_, err := c.Counters(t.Context(), dashboard.Query{Agent: "asha", Credential: dashboard.Credential{UserID: "100213"}})
	expect(t, err, dashboard.ClassCredential)
	if err == nil || !strings.Contains(err.Error(), "token is missing") {
		t.Errorf("%v", err)
	}
}

// TestHTTPStatus checks that the body decides, except under a 5xx and a 429.
func TestHTTPStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			status int
			body   string
			want   dashboard.Class // -1: counters
		}{
			{200, good, -1}, {201, good, -1}, {404, good, -1},
			{500, good, dashboard.ClassTransient}, {503, good, dashboard.ClassTransient}, {429, good, dashboard.ClassTransient},
			{401, `{"status":"error","code":1014}`, dashboard.ClassCredential},
			{500, `{"status":"error","code":1039}`, dashboard.ClassAccount},
			{403, `<html>`, dashboard.ClassTransient}, {502, `<html>`, dashboard.ClassTransient}, {401, ``, dashboard.ClassTransient},
			{302, good, dashboard.ClassFault}, {308, ``, dashboard.ClassFault},
		} {
			c := client(t, server(func(*http.Request) (*http.Response, error) { return reply(test.status, test.body), nil }))
			_, err := c.Counters(t.Context(), query("asha"))
			if test.want < 0 {
				if err != nil {
					t.Errorf("%d %s: %v", test.status, test.body, err)
				}
				continue
			}
			expect(t, err, test.want)
			if e, ok := errors.AsType[*dashboard.Error](err); !ok || e.Status != test.status {
				t.Errorf("%d %s: error %v does not tell the status", test.status, test.body, err)
			}
		}
	})
}

// TestShared sends many callers for one agent at once: one request serves them
// all, and it survives the caller that started it.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		open := make(chan struct{})
		c := client(t, server(func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			select {
			case <-open:
				return reply(200, good), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}))
		first, leave := context.WithCancelCause(t.Context())
		reason := errors.New("the first one leaves")
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Counters(first, query("asha"))
			expect(t, err, dashboard.ClassTransient)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
				t.Errorf("whoever left got %v", err)
			}
		})
		synctest.Wait()
		for range 9 {
			wg.Go(func() {
				if counters, err := c.Counters(t.Context(), query("asha")); err != nil || counters.Value("TH").Raw() != "7" {
					t.Errorf("%v, %v", counters, err)
				}
			})
		}
		synctest.Wait()
		leave(reason)
		synctest.Wait()
		close(open)
		wg.Wait()
		if n := requests.Load(); n != 1 {
			t.Errorf("%d requests for ten callers", n)
		}
		if s := c.Stats(); s.Shared != 9 || s.Answers != 1 || s.Attempts != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestNotShared checks what must not be shared: other agents, another
// credential of the same agent, fresh queries, and those of nobody known yet.
func TestNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		open := make(chan struct{})
		c := client(t, server(func(*http.Request) (*http.Response, error) {
			requests.Add(1)
			<-open
			return reply(200, good), nil
		}), func(cfg *dashboard.Config) { cfg.RequestsPerSecond = 1000 })
		other := query("asha")
		other.Credential.Token = secret.New("tok-new")
		nobody := query("asha")
		nobody.Agent = ""
		var wg sync.WaitGroup
		for _, q := range []dashboard.Query{query("asha"), query("ben"), other, nobody, nobody, fresh("asha"), fresh("asha")} {
			wg.Go(func() {
				if _, err := c.Counters(t.Context(), q); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := requests.Load(); n != 7 {
			t.Errorf("%d requests for seven different queries", n)
		}
		close(open)
		wg.Wait()
	})
}

// counting answers with the number of the request and the token it came with.
func counting(requests *atomic.Int32) server {
	return func(r *http.Request) (*http.Response, error) {
		var sent struct{ Token string }
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return nil, err
		}
		row, err := json.Marshal(map[string]any{"N": requests.Add(1), "owner": sent.Token})
		return reply(200, `{"status":"success","message":[`+string(row)+`]}`), err
	}
}

// number returns which request the counters came from.
func number(t *testing.T, c *dashboard.Client, q dashboard.Query) string {
	t.Helper()
	counters, err := c.Counters(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if owner, _ := counters.Value("owner").Text(); owner != q.Credential.Token.Reveal() {
		t.Errorf("the counters of %s went to %s", owner, q.Credential.Token.Reveal())
	}
	return counters.Value("N").Raw()
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		c := client(t, counting(&requests))
		step := func(what string, q dashboard.Query, want string) {
			t.Helper()
			if got := number(t, c, q); got != want {
				t.Errorf("%s: answer %s, want %s", what, got, want)
			}
		}
		step("first", query("asha"), "1")
		time.Sleep(14 * time.Second)
		step("young enough", query("asha"), "1")
		step("another agent", query("ben"), "2")
		step("fresh", fresh("asha"), "3")
		step("after fresh", query("asha"), "3")
		time.Sleep(15 * time.Second)
		step("too old", query("asha"), "4")

		again := query("asha")
		again.Credential.Token = secret.New("tok-new")
		step("linked again", again, "5")
		step("linked again, cached", again, "5")
		step("the old credential", query("asha"), "6")

		c.Forget("asha")
		step("forgotten", query("asha"), "7")

		nobody := query("asha")
		nobody.Agent = ""
		step("at link", nobody, "8")
		step("at link, again", nobody, "9")
		if s := c.Stats(); s.CacheHits != 3 {
			t.Errorf("%d cache hits, want 3", s.CacheHits)
		}
	})
}

// TestCacheOff checks that a negative time keeps nothing.
func TestCacheOff(t *testing.T) {
	var requests atomic.Int32
	c := client(t, counting(&requests), func(cfg *dashboard.Config) { cfg.CacheFor = -1 })
	number(t, c, query("asha"))
	if got := number(t, c, query("asha")); got != "2" {
		t.Errorf("answer %s came from a cache that is off", got)
	}
}

// TestForgetOnTheWay checks that an answer that was on its way at unlink does
// not come back into the cache.
func TestForgetOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		answer := counting(&requests)
		c := client(t, server(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answer(r)
		}))
		done := make(chan string)
		go func() { done <- number(t, c, query("asha")) }()
		synctest.Wait()
		c.Forget("asha")
		<-done
		if got := number(t, c, query("asha")); got != "2" {
			t.Errorf("answer %s is from before Forget", got)
		}
	})
}

// TestErrorsAreNotCached checks that the next query after an error asks again.
func TestErrorsAreNotCached(t *testing.T) {
	var requests atomic.Int32
	answer := counting(&requests)
	bad := true
	c := client(t, server(func(r *http.Request) (*http.Response, error) {
		if bad {
			return refuse("1043"), nil
		}
		return answer(r)
	}))
	_, err := c.Counters(t.Context(), query("asha"))
	expect(t, err, dashboard.ClassOffShift)
	bad = false
	number(t, c, query("asha"))
}

// TestPanic checks that a panic below becomes an error and leaves the client
// working, its places in flight included.
func TestPanic(t *testing.T) {
	bad := true
	var log strings.Builder
	c := client(t, server(func(*http.Request) (*http.Response, error) {
		if bad {
			panic("planted")
		}
		return reply(200, good), nil
	}), func(cfg *dashboard.Config) {
		cfg.MaxInFlight = 1
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	for _, agent := range []string{"asha", "", "ben", "asha"} {
		_, err := c.Counters(t.Context(), dashboard.Query{Agent: agent, Credential: query("asha").Credential})
		expect(t, err, dashboard.ClassFault)
	}
	if !strings.Contains(log.String(), "panic while reading counters") || strings.Contains(log.String(), "planted") {
		t.Errorf("logged: %s", log.String())
	}
	bad = false
	if _, err := c.Counters(t.Context(), query("asha")); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.InFlight != 0 || s.Waiting != 0 || s.Errors[dashboard.ClassFault] != 4 {
		t.Errorf("%+v", s)
	}
}

// TestGone checks that a caller whose context has ended starts nothing.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(*http.Request) (*http.Response, error) { return reply(200, good), nil }))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, agent := range []string{"asha", ""} {
			_, err := c.Counters(ctx, dashboard.Query{Agent: agent, Credential: query("asha").Credential})
			expect(t, err, dashboard.ClassTransient)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}
		synctest.Wait()
		if s := c.Stats(); s.Attempts != 0 || s.Answers != 0 {
			t.Errorf("something was started: %+v", s)
		}
	})
}

// TestNotices checks that odd answers are logged once, and counted.
func TestNotices(t *testing.T) {
	var log strings.Builder
	c := client(t, server(func(*http.Request) (*http.Response, error) {
		return reply(200, `{"status":"success","message":[{"TH":1,"ATT":true,"th":2,"new\nkey":3},{"TH":1}]}`), nil
	}), func(cfg *dashboard.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		counters, err := c.Counters(t.Context(), fresh("asha"))
		if err != nil || counters.Rows != 2 {
			t.Errorf("%d rows, %v", counters.Rows, err)
		}
	}
	for text, want := range map[string]int{"new key seen": 2, "key=th": 1, `key="new key"`: 1, "more than one row": 1} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, log.String())
		}
	}
	if s := c.Stats(); s.NewKeys != 2 || s.ExtraRows != 3 {
		t.Errorf("%+v", s)
	}
}

// TestManyNewKeys checks that odd payloads cannot fill memory and log.
func TestManyNewKeys(t *testing.T) {
	n := 0
	c := client(t, server(func(*http.Request) (*http.Response, error) {
		n++
		return reply(200, fmt.Sprintf(`{"status":"success","message":[{"k%d":1}]}`, n)), nil
	}), func(cfg *dashboard.Config) { cfg.RequestsPerSecond, cfg.Logger = 1e9, nil })
	for range 150 {
		if _, err := c.Counters(t.Context(), fresh("asha")); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.NewKeys != 100 {
		t.Errorf("%d new keys are remembered, want 100 at most", s.NewKeys)
	}
}

func TestNew(t *testing.T) {
	for sentence, cfg := range map[string]dashboard.Config{
		"base URL is missing":       {},
		"still has the braces":      {BaseURL: "https://{{brand}}"},
		"timeout is -1s":            {BaseURL: "https://brand.example", Timeout: -time.Second},
		"max_in_flight is -1":       {BaseURL: "https://brand.example", MaxInFlight: -1},
		"requests_per_second is -1": {BaseURL: "https://brand.example", RequestsPerSecond: -1},
	} {
		if c, err := dashboard.New(cfg); c != nil || err == nil || !strings.Contains(err.Error(), sentence) {
			t.Errorf("%+v: %v, want %q", cfg, err, sentence)
		}
	}
}
