package discordtest_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

func TestDoor(t *testing.T) {
	s := start(t, discordtest.Options{})
	for _, c := range []struct {
		name         string
		route        string
		change       func(*http.Request)
		status, code int
	}{
		{"the other version", "GET /users/@me", func(r *http.Request) { r.URL.Path = "/api/v10/users/@me" }, 200, 0},
		{"an old version", "GET /users/@me", func(r *http.Request) { r.URL.Path = "/api/v6/users/@me" }, 400, 50041},
		{"no version", "GET /users/@me", func(r *http.Request) { r.URL.Path = "/api/users/@me" }, 400, 50041},
		{"no token", "GET /users/@me", func(r *http.Request) { r.Header.Del("Authorization") }, 401, 0},
		{"another token", "GET /users/@me", func(r *http.Request) { r.Header.Set("Authorization", "Bot x") }, 401, 0},
		{"a token without Bot", "GET /users/@me", func(r *http.Request) { r.Header.Set("Authorization", s.Options().BotToken) }, 401, 0},
		{"no token needed", "GET /gateway", func(r *http.Request) { r.Header.Del("Authorization") }, 200, 0},
		{"no such path", "GET /users", nil, 404, 0},
		{"no such method", "PUT /users/@me", nil, 405, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := request(t, s, c.route, "", nil)
			if c.change != nil {
				c.change(req)
			}
			if a := do(t, req).wants(c.status, c.code); c.status >= 400 && a.str("message") == "" {
				t.Errorf("answer %s", a.raw)
			}
		})
	}
	req := request(t, s, "GET /users/@me", "", nil)
	req.Header.Set("User-Agent", "curl/8")
	if a := do(t, req); a.status != 403 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("a wrong User-Agent got %d %s", a.status, a.raw)
	}
}

func TestBodies(t *testing.T) {
	s := start(t, discordtest.Options{})
	route := "POST /channels/" + support + "/messages"
	for name, c := range map[string]struct {
		kind, body   string
		status, code int
	}{
		"no JSON":              {"application/json", `{"content":`, 400, 50109},
		"not UTF-8":            {"application/json", "{\"content\":\"\xff\"}", 400, 50109},
		"a list":               {"application/json", `[]`, 400, 50035},
		"a form":               {"application/x-www-form-urlencoded", `content=x`, 400, 50035},
		"no parts":             {"multipart/form-data; boundary=x", `{"content":"x"}`, 400, 0},
		"with a charset":       {"application/json; charset=utf-8", `{"content":"x"}`, 200, 0},
		"without a token":      {"no token", `{"content":`, 401, 0},
		"more than everything": {"application/json", `{"content":"` + n(25<<20) + `"}`, 413, 40005},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, s, route, c.kind, strings.NewReader(c.body))
			if c.kind == "no token" {
				req.Header.Del("Authorization")
			}
			do(t, req).wants(c.status, c.code)
		})
	}
}

func TestRevokeToken(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	p, _ := connect(t, s)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	s.RevokeToken()
	p.closed(4004)
	call(t, s, "GET /users/@me", nil).wants(401, 0)
	respond(t, s, i, 4, obj{"content": "x"}, "").wants(204, 0) // has its own token
	again := dial(t, s)
	again.op(10)
	again.send(2, identify(s))
	again.closed(4004)
}

func TestRateHeaders(t *testing.T) {
	s := start(t, discordtest.Options{RateLimits: true})
	body := obj{"content": "x"}
	var last answer
	for i := range 5 {
		last = send(t, s, support, body).wants(200, 0)
		if got := last.header.Get("X-RateLimit-Remaining"); got != strconv.Itoa(4-i) {
			t.Errorf("after %d: %s remain", i+1, got)
		}
	}
	bucket := last.header.Get("X-RateLimit-Bucket")
	a := send(t, s, support, body).wants(429, 0)
	wait, _ := a.get("retry_after").(float64)
	if wait <= 0 || wait > 5 || a.get("global") != false || a.header.Get("X-RateLimit-Scope") != "user" || a.header.Get("X-RateLimit-Bucket") != bucket {
		t.Errorf("answer %s %v", a.raw, a.header)
	}
	for header, least := range map[string]float64{"Retry-After": 1, "X-RateLimit-Reset-After": 0.001, "X-RateLimit-Reset": float64(time.Now().Unix())} {
		if n, err := strconv.ParseFloat(a.header.Get(header), 64); err != nil || n < least {
			t.Errorf("%s: %q", header, a.header.Get(header))
		}
	}
	dm := send(t, s, s.DM(asha), body).wants(200, 0) // has a limit of its own
	if dm.header.Get("X-RateLimit-Bucket") != bucket || dm.header.Get("X-RateLimit-Remaining") != "4" {
		t.Errorf("another channel: %v", dm.header)
	}
	if get := call(t, s, "GET /channels/"+support, nil).wants(200, 0); get.header.Get("X-RateLimit-Bucket") == bucket {
		t.Error("another route has the same bucket")
	}
	if s.Invalid() != 1 {
		t.Errorf("%d invalid answers", s.Invalid())
	}
}

func TestSetLimit(t *testing.T) {
	s := start(t, discordtest.Options{RateLimits: true})
	shared := discordtest.Limit{N: 1, Per: time.Hour, Bucket: "both"}
	s.SetLimit("GET /channels/{channel}", shared)
	s.SetLimit("POST /channels/{channel}/typing", shared)
	call(t, s, "GET /channels/"+support, nil).wants(200, 0)
	call(t, s, "POST /channels/"+support+"/typing", nil).wants(429, 0)
	call(t, s, "GET /channels/"+floor, nil).wants(200, 0)
}

func TestFaults(t *testing.T) {
	s := start(t, discordtest.Options{})
	route := "POST /channels/{channel}/messages"
	body := obj{"content": "x"}
	s.Fail(route, discordtest.Fault{Code: 50013}, 1)
	s.Fail("", discordtest.Fault{Code: 30046, RetryAfter: 2 * time.Second}, 1)
	s.Fail("POST /channels/"+floor+"/messages", discordtest.Fault{Status: 500}, -1)
	send(t, s, support, body).wants(403, 50013)
	if a := send(t, s, support, body).wants(429, 30046); a.str("message") != "Maximum number of edits to messages older than 1 hour reached. Try again later" || a.header.Get("Retry-After") != "2" || a.get("retry_after") != 2.0 {
		t.Errorf("answer %s %v", a.raw, a.header)
	}
	send(t, s, support, body).wants(200, 0)
	for range 2 {
		send(t, s, floor, body).wants(500, 0)
	}
	s.Heal()
	send(t, s, floor, body).wants(403, 50013)
	if m := s.Messages(support); len(m) != 1 {
		t.Errorf("%d messages", len(m))
	}
	var sent struct{ Content string }
	if err := s.Calls(route)[0].JSON(&sent); err != nil || sent.Content != "x" {
		t.Errorf("the first call says %q, %v", sent.Content, err)
	}
	if c := s.Calls(route); len(c) != 6 || c[0].Code != 50013 || c[1].Status != 429 || c[2].Status != 200 || c[3].Route != route {
		t.Errorf("calls %+v", c)
	}
	defer func() {
		if recover() == nil {
			t.Error("a fault of a route that does not exist was taken")
		}
	}()
	s.Fail("POST /channels/{channel}/mesages", discordtest.Fault{}, 1)
}

func TestFaults429(t *testing.T) {
	s := start(t, discordtest.Options{})
	for _, c := range []struct {
		name  string
		fault discordtest.Fault
		want  map[string]string // headers; "" = absent
		bad   int               // invalid answers counted
	}{
		{"route", discordtest.Fault{RetryAfter: 1500 * time.Millisecond}, map[string]string{"Retry-After": "2", "X-RateLimit-Scope": "user", "X-RateLimit-Reset-After": "1.500", "X-RateLimit-Global": "", "X-RateLimit-Remaining": "0"}, 1},
		{"shared", discordtest.Fault{RetryAfter: time.Second, Scope: "shared"}, map[string]string{"X-RateLimit-Scope": "shared", "X-RateLimit-Global": ""}, 0},
		{"global", discordtest.Fault{RetryAfter: time.Second, Scope: "global"}, map[string]string{"X-RateLimit-Global": "true", "X-RateLimit-Reset-After": "1.000", "X-RateLimit-Bucket": ""}, 1},
		{"global without the end", discordtest.Fault{RetryAfter: time.Second, Scope: "global", Bare: true}, map[string]string{"Retry-After": "1", "X-RateLimit-Global": "true", "X-RateLimit-Reset-After": ""}, 1},
		{"Cloudflare", discordtest.Fault{RetryAfter: time.Minute, HTML: true}, map[string]string{"Retry-After": "60", "X-RateLimit-Scope": "", "X-RateLimit-Bucket": "", "Content-Type": "text/html; charset=UTF-8"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.Invalid()
			c.fault.Status = 429
			s.Fail("", c.fault, 1)
			a := call(t, s, "GET /users/@me", nil)
			body, _ := a.body.(obj)
			if _, coded := body["code"]; coded {
				t.Errorf("a rate limit has the code in %s", a.raw)
			}
			if a.status != 429 || strings.HasPrefix(string(a.raw), "<") != c.fault.HTML {
				t.Fatalf("answer %d %s", a.status, a.raw)
			}
			for header, want := range c.want {
				if got := a.header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			if s.Invalid() != before+c.bad {
				t.Errorf("%d invalid answers more, want %d", s.Invalid()-before, c.bad)
			}
		})
	}
}

func TestStored(t *testing.T) {
	s := start(t, discordtest.Options{})
	route := "POST /channels/{channel}/messages"
	body := obj{"content": "x", "nonce": "n", "enforce_nonce": true}
	s.StoreThenFail(route, 502, 1)
	send(t, s, support, body).wants(502, 0)
	s.Fail(route, discordtest.Fault{Reset: true, Stored: true}, 1)
	if _, err := http.DefaultClient.Do(request(t, s, "POST /channels/"+support+"/messages", "application/json", strings.NewReader(`{"content":"y"}`))); err == nil {
		t.Error("a reset connection gave an answer")
	}
	send(t, s, support, body).wants(200, 0)
	if m := s.Messages(support); len(m) != 2 {
		t.Errorf("%d messages, want the stored two", len(m))
	}
	if c := s.Calls(route); c[0].Status != 502 || c[1].Status != 0 {
		t.Errorf("calls %+v", c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Fail(route, discordtest.Fault{Delay: time.Hour, Stored: true}, 1)
	gone := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(request(t, s, "POST /channels/"+support+"/messages", "application/json", strings.NewReader(`{"content":"z"}`)).WithContext(ctx))
		gone <- err
	}()
	ok(s.WaitMessage(soon(t), support, says("z")))(t)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient caller got %v", err)
	}
	if err := s.Wait(soon(t), func() bool { return len(s.Calls(route)) == 4 }); err != nil || s.Calls(route)[3].Status != 0 {
		t.Errorf("%v, calls %+v", err, s.Calls(route))
	}
	s.StoreThenFail(route, 502, 1)
	send(t, s, support, obj{}).wants(400, 50006) // what is refused is not stored
}

func TestSlow(t *testing.T) {
	s := start(t, discordtest.Options{})
	route := "POST /channels/" + support + "/typing"
	s.Slow(route, time.Hour, -1)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(request(t, s, route, "", nil).WithContext(ctx))
		gone <- err
	}()
	if err := s.Wait(soon(t), func() bool { return s.Stalled() == 1 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient caller got %v", err)
	}
	if err := s.Wait(soon(t), func() bool { return len(s.Calls(route)) == 1 }); err != nil || s.Calls(route)[0].Status != 0 {
		t.Errorf("%v, calls %+v", err, s.Calls(route))
	}
	done := make(chan int)
	go func() {
		resp, err := http.DefaultClient.Do(request(t, s, route, "", nil))
		if err != nil {
			done <- 0
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	s.Heal() // may come before the call: then it is not slow
	if status := <-done; status != 204 {
		t.Errorf("after Heal: %d", status)
	}
}

func TestBan(t *testing.T) {
	s := start(t, discordtest.Options{BanAfter: 2})
	for range 2 {
		send(t, s, floor, obj{"content": "x"}).wants(403, 50013)
	}
	if a := call(t, s, "GET /users/@me", nil); a.status != 429 || !strings.Contains(string(a.raw), "1015") {
		t.Errorf("answer %d %s", a.status, a.raw)
	}
}

func TestWait(t *testing.T) {
	s := start(t, discordtest.Options{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := s.WaitMessage(ctx, support, nil); !errors.Is(err, cause) {
		t.Errorf("waiting for nothing: %v, want the cause", err)
	}
	got := make(chan discordtest.Message)
	go func() {
		m, _ := s.WaitMessage(soon(t), support, says("second"))
		got <- m
	}()
	send(t, s, support, obj{"content": "first"})
	send(t, s, support, obj{"content": "second"})
	if m := <-got; m.Content != "second" {
		t.Errorf("waited for %q", m.Content)
	}
	for name, f := range map[string]func(){
		"user": func() { s.Messages("99") }, "channel": func() { s.AddChannel(discordtest.Channel{Guild: "99"}) }, "code": func() { s.Fail("", discordtest.Fault{Code: 99}, 1) }, "guild": func() { s.RemoveGuild("99") }, "id": func() { s.AddUser(discordtest.User{ID: "asha"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a wrong %s was taken", name)
				}
			}()
			f()
		}()
	}
}
