package web

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// secureHeaders are those of every answer.
var secureHeaders = map[string]string{
	"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	"Strict-Transport-Security": "max-age=31536000", "X-Robots-Tag": "noindex, nofollow",
	"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}

// echo is a callback that answers with what it got.
func echo(path string) Callback {
	return Callback{Path: path, Methods: "POST", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		w.Write(body)
	})}
}

func post(path, body string) *http.Request {
	return httptest.NewRequest("POST", "https://floor.example"+path, strings.NewReader(body))
}

// TestEveryAnswerIsGuarded looks at the headers of answers of all kinds.
func TestEveryAnswerIsGuarded(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	answers := map[string]*httptest.ResponseRecorder{
		"the page":            st.get("/link/" + ticket),
		"a page that is gone": st.get("/link/" + strings.Repeat("x", 43)),
		"a refusal":           st.do(entry("/link/" + ticket)),
		"nothing":             st.get("/"),
		"a wrong method":      st.do(httptest.NewRequest("PUT", "https://floor.example/link/"+ticket, nil)),
		"a callback":          st.do(post("/slack/command", "x")),
		"a success":           st.do(entry("/link/"+ticket, "user_id=1", "token=good", "confirm=yes")),
	}
	for name, w := range answers {
		h := w.Result().Header
		for k, want := range secureHeaders {
			if got := h.Get(k); got != want {
				t.Errorf("%s has %s: %q, want %q", name, k, got, want)
			}
		}
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %q", name, policy, want)
			}
		}
		if strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: the policy allows too much: %s", name, policy)
		}
		for _, leak := range []string{"Server", "X-Powered-By", "Via", "Set-Cookie"} {
			if h.Get(leak) != "" {
				t.Errorf("%s has %s: %s", name, leak, h.Get(leak))
			}
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(strings.ToLower(body), "golang") {
			t.Errorf("%s says too much: %s", name, body)
		}
	}
}

// TestPlainHTTP has no strict transport: a browser would keep to it for a year.
func TestPlainHTTP(t *testing.T) {
	s, err := New(Config{PublicURL: "http://127.0.0.1:8080", Links: newDesk()})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/link/"+ticket, nil))
	if got := w.Header().Get("Strict-Transport-Security"); got != "" || w.Code != http.StatusOK {
		t.Errorf("status %d with %q", w.Code, got)
	}
}

// TestNothingElse wants one answer to everything that is not served.
func TestNothingElse(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	nothing := st.get("/").Body.String()
	for _, path := range []string{"/", "/link", "/link/", "/link/a/b", "/LINK/" + ticket, "//link/" + ticket, "/slack", "/slack/", "/slack/command/", "/slack/event", "/healthz", "/metrics", "/favicon.ico", "/../etc/passwd"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			w := st.do(httptest.NewRequest(method, "https://floor.example"+path, nil))
			if w.Code != http.StatusNotFound || w.Body.String() != nothing {
				t.Errorf("%s %s: status %d: %s", method, path, w.Code, w.Body)
			}
		}
	}
	for path, methods := range map[string]string{"/link/" + ticket: "GET, HEAD, POST", "/slack/command": "POST"} {
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			w := st.do(httptest.NewRequest(method, "https://floor.example"+path, nil))
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != methods || w.Body.String() != nothing {
				t.Errorf("%s %s: status %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	if st.desk.looks != 0 || st.desk.submitted != nil {
		t.Error("the desk was asked")
	}
}

// TestOff: without links there are no link pages.
func TestOff(t *testing.T) {
	s, err := New(Config{Callbacks: []Callback{echo("/slack/command")}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/link/" + ticket: http.StatusNotFound, "/slack/command": http.StatusOK} {
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, post(path, "x")); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	for _, bad := range []string{"floor.example", "://", "https://"} {
		if _, err := New(Config{PublicURL: bad}); err == nil {
			t.Errorf("%q is taken for a public address", bad)
		}
	}
}

// TestCallback sees what was posted, up to a mebibyte.
func TestCallback(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	if w := st.do(post("/slack/command", "text=hello")); w.Code != http.StatusOK || w.Body.String() != "text=hello" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := st.do(post("/slack/command", strings.Repeat("x", 1<<20))); w.Code != http.StatusOK {
		t.Errorf("a mebibyte: status %d", w.Code)
	}
	if w := st.do(post("/slack/command", strings.Repeat("x", 1<<20+1))); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("more than a mebibyte: status %d", w.Code)
	}
}

// TestPanic ends a request, says nothing of why, and leaves the rest alone.
func TestPanic(t *testing.T) {
	st := newStand(t, Callback{Path: "/slack/event", Methods: "POST", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("s3cret") })})
	w := st.do(post("/slack/event", ""))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "s3cret") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(st.logs.String(), "s3cret") {
		t.Error("the panic is not logged")
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a handler cannot abort its answer")
		}
	}()
	st = newStand(t, Callback{Path: "/slack/event", Methods: "POST", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })})
	st.do(post("/slack/event", ""))
}

// TestLogHoldsNoPath sends requests of all kinds with secrets in every place that
// has one, and looks for them in the log.
func TestLogHoldsNoPath(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	secrets := []string{ticket, "S3CRETTOKEN", "S3CRETSSID", "S3CRETPATH", "100264"}
	st.get("/link/" + ticket)
	st.get("/link/" + ticket + "?x=S3CRETPATH")
	st.get("/link/" + url.PathEscape(ticket+"S3CRETPATH"))
	st.get("/S3CRETPATH/" + ticket)
	st.do(entry("/link/"+ticket, "user_id=100264", "token=S3CRETTOKEN", "ssid=S3CRETSSID", "confirm=yes"))
	st.do(entry("/link/"+ticket, "user_id=100264", "token=S3CRETTOKEN"))
	st.do(entry("/link/"+strings.Repeat("y", 43), "user_id=100264", "token=S3CRETTOKEN", "confirm=yes"))
	bad := post("/link/"+ticket, "token=S3CRETTOKEN%zz")
	bad.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	st.do(bad)
	st.do(httptest.NewRequest("S3CRETPATH", "https://floor.example/link/"+ticket, nil))
	panicking := newDesk()
	panicking.result = func(s Submission) Result { panic(s) }
	st.config.Links = panicking
	st.do(entry("/link/"+ticket, "user_id=1", "token=S3CRETTOKEN", "confirm=yes"))

	log := st.logs.String()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s:\n%s", secret, log)
		}
	}
	if n := strings.Count(log, "http request"); n != 10 {
		t.Errorf("%d requests are logged, want 10", n)
	}
	if !strings.Contains(log, "route=/link/…") || !strings.Contains(log, "client=192.0.2.1") {
		t.Errorf("the log says too little:\n%s", log)
	}
}

// TestClient reads X-Forwarded-For from its end, and only as far as it can be
// believed.
func TestClient(t *testing.T) {
	st := newStand(t)
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"nobody between", "203.0.113.9:1234", nil, "203.0.113.9"},
		{"a claim of somebody who is no proxy", "203.0.113.9:1234", []string{"198.51.100.7"}, "203.0.113.9"},
		{"a proxy", "10.0.0.1:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy that says nothing", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"a claim before the proxy's word", "10.0.0.1:1234", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", "10.0.0.1:1234", []string{"198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		{"two proxies, two headers", "10.0.0.1:1234", []string{"1.1.1.1, 198.51.100.7", "10.9.9.9"}, "198.51.100.7"},
		{"a claim to come from a proxy", "10.0.0.1:1234", []string{"10.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"nobody but proxies", "10.0.0.1:1234", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		{"rubbish behind a proxy", "10.0.0.1:1234", []string{"198.51.100.7, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"an empty hop", "10.0.0.1:1234", []string{"198.51.100.7,"}, "10.0.0.1"},
		{"a hop with a port", "10.0.0.1:1234", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"version 6", "[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		{"version 6 with a port", "[fd00::1]:1234", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"version 6 in brackets", "[fd00::1]:1234", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"version 4 in 6", "[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := st.client(r); got.String() != c.want {
			t.Errorf("%s: the client is %s, want %s", c.name, got, c.want)
		}
	}
}

// FuzzClient: whatever is claimed, who connects without being a proxy is the
// client, and the answer is always an address.
func FuzzClient(f *testing.F) {
	f.Add("203.0.113.9:1", "10.0.0.1, 1.1.1.1")
	f.Add("10.0.0.1:1", "[::1]:5, %, 1.1.1.1")
	st := &stand{Server: &Server{config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		at, got := addrOf(remote), st.client(r)
		if at.IsValid() && !got.IsValid() || !st.trusts(at) && got != at {
			t.Errorf("%s, forwarded %q: the client is %s", remote, forwarded, got)
		}
	})
}

// TestThrottle: who asks too often waits, and nobody else does.
func TestThrottle(t *testing.T) {
	st := newStand(t)
	st.limits.perMinute = 7
	ask := func(client string) *httptest.ResponseRecorder {
		r := entry("/link/" + strings.Repeat("x", 43))
		r.RemoteAddr = "10.0.0.1:1"
		r.Header.Set("X-Forwarded-For", client)
		return st.do(r)
	}
	if w := ask("2001:db8::1"); w.Code != http.StatusNotFound {
		t.Fatalf("the first request: status %d", w.Code)
	}
	w := ask("2001:db8::ffff") // the same customer's
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || len(st.desk.submitted) != 1 {
		t.Errorf("a request too many: status %d, Retry-After %q, %d asked", w.Code, w.Header().Get("Retry-After"), len(st.desk.submitted))
	}
	if w := ask("2001:db8:0:1::1"); w.Code != http.StatusNotFound {
		t.Errorf("somebody else: status %d", w.Code)
	}
}

// TestThrottleForgets after a minute, and remembers no more than it has room for.
func TestThrottleForgets(t *testing.T) {
	var th throttle
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	at := func(i int) netip.Prefix {
		return network(netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if _, ok := th.allow(at(1), 5, 7, now); !ok {
		t.Fatal("refused at once")
	}
	if wait, ok := th.allow(at(1), 5, 7, now.Add(20*time.Second)); ok || wait != 40*time.Second {
		t.Errorf("allowed %v, wait %v; want to wait 40s", ok, wait)
	}
	if _, ok := th.allow(at(1), 5, 7, now.Add(time.Minute)); !ok {
		t.Error("refused after a minute")
	}
	for i := range maxClients + 100 {
		th.allow(at(i), 1, 7, now.Add(time.Minute))
	}
	if len(th.spent) > maxClients+1 {
		t.Errorf("%d clients are remembered", len(th.spent))
	}
	if _, ok := th.allow(at(maxClients+200), 1, 7, now.Add(time.Minute)); ok {
		t.Error("those without room have no common budget")
	}
}

// TestPolicyKnowsTheStyle: the hash is that of what stands in the page.
func TestPolicyKnowsTheStyle(t *testing.T) {
	st := newStand(t)
	body := st.get("/link/" + ticket).Body.Bytes()
	if !bytes.Contains(body, []byte("<style>"+pageCSS+"</style>")) {
		t.Error("the style in the page is not the one whose hash the policy has")
	}
}
