package dashboard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
)

// dialing returns a client of a server on this machine, by its own transport.
func dialing(t testing.TB, base string, change ...func(*dashboard.Config)) *dashboard.Client {
	t.Helper()
	return client(t, nil, append([]func(*dashboard.Config){func(cfg *dashboard.Config) {
		cfg.BaseURL, cfg.Transport, cfg.RequestsPerSecond = base, nil, 1e6
	}}, change...)...)
}

// of asks for a simulated agent's counters.
func of(a sim.Agent) dashboard.Query {
	return dashboard.Query{
		Agent:      a.UserID,
		Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
		Fresh:      true,
	}
}

// TestSim reads counters from the simulated API and meets every fault it has.
func TestSim(t *testing.T) {
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	s := sim.New(sim.Config{Seed: 1, Now: func() time.Time { return noon }})
	web := httptest.NewServer(s)
	defer web.Close()
	agent := s.Agents()[0]
	c := dialing(t, web.URL, func(cfg *dashboard.Config) { cfg.Timeout = 5 * time.Second })
	want, err := c.Counters(t.Context(), of(agent))
	if err != nil {
		t.Fatal(err)
	}
	if offered, ok := want.Value("TH").Number(); !ok || offered < 10 || !want.Date.Equal(noon) {
		t.Fatalf("%v", want)
	}
	for _, test := range []struct {
		fault string
		class dashboard.Class // of a failure that lasts; -1: counters
		code  int
		is    error
	}{
		{"code:1014", dashboard.ClassCredential, 1014, nil},
		{"code:1039", dashboard.ClassAccount, 1039, nil},
		{"code:1043", dashboard.ClassOffShift, 1043, nil},
		{"code:1032", dashboard.ClassTransient, 1032, nil},
		{"code:1000", dashboard.ClassFault, 1000, nil},
		{"expired", dashboard.ClassCredential, 1014, nil},
		{"html502", dashboard.ClassTransient, 0, nil},
		{"truncate", dashboard.ClassTransient, 0, io.ErrUnexpectedEOF},
		{"reset", dashboard.ClassTransient, 0, syscall.ECONNRESET},
		{"strings", -1, 0, nil},
		{"emptyarray", -1, 0, nil},
		{"slow:1ms", -1, 0, nil},
	} {
		t.Run(test.fault, func(t *testing.T) {
			if err := s.Fault(agent.UserID, test.fault, 2); err != nil {
				t.Fatal(err)
			}
			defer s.Fault(agent.UserID, "", 0)
			got, err := c.Counters(t.Context(), of(agent))
			if test.class >= 0 {
				expect(t, err, test.class)
				if e, ok := errors.AsType[*dashboard.Error](err); !ok || e.Code != test.code || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"TH", "MH", "aTT", "C", "tC", "HT", "I"} {
				n, ok := got.Value(key).Number()
				if m, _ := want.Value(key).Number(); !ok || n != m {
					t.Errorf("%s is %v, %v; want %v", key, n, ok, m)
				}
			}
			if counts, ok := got.Value("callType").Counts(); !ok || (len(counts) == 0) != (test.fault == "emptyarray") {
				t.Errorf("callType is %v, %v", counts, ok)
			}
		})
	}
}

// TestDials checks that connections are kept: no more of them than calls in
// flight, whatever the number of calls.
func TestDials(t *testing.T) {
	s := sim.New(sim.Config{Seed: 1, Agents: 200})
	web := httptest.NewServer(s)
	defer web.Close()
	c := dialing(t, web.URL, func(cfg *dashboard.Config) { cfg.MaxInFlight = 6 })
	var wg sync.WaitGroup
	for _, agent := range s.Agents() {
		wg.Go(func() {
			if _, err := c.Counters(t.Context(), of(agent)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Attempts != 200 || s.Dials == 0 || s.Dials > 6 {
		t.Errorf("%d connections for %d requests", s.Dials, s.Attempts)
	}
}

// TestStaleConnection uses a server that answers one request on a connection and
// hangs up when the second one arrives, as one does whose patience with an idle
// connection ends just then. No call may notice.
func TestStaleConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go oneAnswer(conn)
		}
	}()
	c := dialing(t, "http://"+l.Addr().String())
	for range 10 {
		if _, err := c.Counters(t.Context(), fresh("asha")); err != nil {
			t.Error(err)
		}
	}
	if s := c.Stats(); s.Attempts != 10 || s.Retries != 0 || s.Dials != 10 {
		t.Errorf("the calls noticed: %+v", s)
	}
}

// oneAnswer answers the first request of a connection and hangs up at the second.
func oneAnswer(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for i := range 2 {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if i == 0 {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
		}
	}
}

// TestRedirects checks that a credential does not follow a redirect, to another
// host or to the same.
func TestRedirects(t *testing.T) {
	var followed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed.Add(1)
		io.WriteString(w, good)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for target, host := range map[string]string{other.URL + "/x?ssid=planted": other.URL, "/elsewhere": "", "": ""} {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					followed.Add(1)
				}
				if target != "" {
					w.Header().Set("Location", target)
				}
				w.WriteHeader(status)
			}))
			_, err := dialing(t, web.URL).Counters(t.Context(), query("asha"))
			expect(t, err, dashboard.ClassFault)
			if err == nil || !strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), "check dashboard.base_url") || strings.Contains(err.Error(), "planted") {
				t.Errorf("%d to %q: %v", status, target, err)
			}
			web.Close()
		}
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// TestBodyLimit checks the largest answer that is read and the first that is not.
func TestBodyLimit(t *testing.T) {
	size := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, good+strings.Repeat(" ", size-len(good)))
	}))
	defer web.Close()
	c := dialing(t, web.URL)
	size = 1 << 20
	if _, err := c.Counters(t.Context(), fresh("asha")); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	for _, size = range []int{1<<20 + 1, 10 << 20} {
		_, err := c.Counters(t.Context(), fresh("asha"))
		expect(t, err, dashboard.ClassTransient)
		if err == nil || !strings.Contains(err.Error(), "longer than 1 MiB") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestSlowBody checks that the time-out covers the body too.
func TestSlowBody(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, good[:10])
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer web.Close()
	_, err := dialing(t, web.URL, func(cfg *dashboard.Config) { cfg.Timeout = 50 * time.Millisecond }).Counters(t.Context(), query("asha"))
	expect(t, err, dashboard.ClassTransient)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("%v", err)
	}
}

// TestNobodyThere checks the errors of hosts that do not answer or that cannot
// be trusted.
func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	_, err = dialing(t, closed).Counters(t.Context(), query("asha"))
	expect(t, err, dashboard.ClassTransient)
	if !errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "http") {
		t.Errorf("%v, want the reason without the URL", err)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	defer secure.Close()
	_, err = dialing(t, secure.URL).Counters(t.Context(), query("asha"))
	expect(t, err, dashboard.ClassTransient)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}

// TestPipe talks HTTP through pipes inside a bubble: a server that answers after
// 25 s costs two attempts of 10 s, and the next call is served.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Config{Seed: 1})
		pipes := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, pipes) }()
		c := client(t, &http.Transport{DialContext: pipes.dial}, func(cfg *dashboard.Config) { cfg.BaseURL = "http://localhost" })
		if err := s.Fault("", "slow:25s", 2); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := c.Counters(t.Context(), of(s.Agents()[0]))
		expect(t, err, dashboard.ClassTransient)
		if took := time.Since(start); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("two attempts took %s: %v", took, err)
		}
		if _, err := c.Counters(t.Context(), of(s.Agents()[0])); err != nil {
			t.Error(err)
		}
		c.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Accept returns the next pipe.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr returns an address that nobody uses.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// TestNothingLeaks talks to servers that send the credential back wherever a
// server can, and looks for it in everything that a log might print.
func TestNothingLeaks(t *testing.T) {
	const ssid, token = "planted-ssid+/1", "planted-token"
	who := dashboard.Credential{SSID: secret.New(ssid), UserID: "100213", Token: secret.New(token)}
	both := ssid + " " + token + " " + url.QueryEscape(ssid)
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			io.WriteString(conn, text)
			conn.Close()
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"message": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"error","code":1014,"message":%q}`, both)
		},
		"no counters": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"success","message":%q}`, both)
		},
		"the request": func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
		"bad JSON":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"status":%s`, both) },
		"key twice":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{%q:1,%[1]q:2}`, token) },
		"HTML":        func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "<html>%s", both) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://x.example/"+token)
			w.WriteHeader(302)
		},
		"bad redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://"+token+":x")
			w.WriteHeader(302)
		},
		"date": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", token)
			w.Header().Set("Retry-After", token)
			w.WriteHeader(429)
		},
		"no HTTP":     raw(both),
		"status line": raw("HTTP/1.1 " + both + "\r\n\r\n"),
		"status code": raw("HTTP/1.1 " + token + " OK\r\n\r\n"),
		"version":     raw("HTTP/" + token + " 200 OK\r\n\r\n"),
		"header":      raw("HTTP/1.1 200 OK\r\n" + token + "\r\n\r\n"),
		"encoding":    raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + token + "\r\n\r\n"),
		"length":      raw("HTTP/1.1 200 OK\r\nContent-Length: " + token + "\r\n\r\n"),
		"chunk":       raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + token + "\r\n"),
		"split message": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"status":"error","message":"planted\u0000-token planted\u200b-ssid+/1"}`)
		},
		"new key": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"success","message":[{"TH":1}],%q:1}`, token)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := httptest.NewServer(handler)
			defer web.Close()
			var log strings.Builder
			logger := slog.New(slog.NewJSONHandler(&log, nil))
			c := dialing(t, web.URL, func(cfg *dashboard.Config) { cfg.Logger, cfg.Timeout = logger, time.Second })
			_, err := c.Counters(t.Context(), dashboard.Query{Credential: who})
			if err == nil && name != "new key" {
				t.Error("no error")
			}
			for ; err != nil; err = errors.Unwrap(err) {
				logger.Error("read counters", "err", err, "query", dashboard.Query{Credential: who})
				fmt.Fprintf(&log, "%v %+v %#v %q\n", err, err, err, err)
			}
			for _, secret := range []string{ssid, token, url.QueryEscape(ssid)} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("%s leaked:\n%s", secret, log.String())
				}
			}
		})
	}
}
