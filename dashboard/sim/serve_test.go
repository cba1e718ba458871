package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/dashboard/sim"
)

// noon is when the tests' simulations stand still.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, kolkata)

// still returns a simulation whose clock stands still.
func still() *sim.Sim {
	return sim.New(sim.Config{Seed: 1, Now: func() time.Time { return noon }})
}

// An answer is what came over the wire.
type answer struct {
	status  int
	header  http.Header
	body    string
	Status  string
	Code    json.RawMessage
	Message json.RawMessage
}

// row returns the first row.
func (a answer) row(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(a.Message, &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%s: %d rows, %v", a.body, len(rows), err)
	}
	return rows[0]
}

// ask posts a body to the counters.
func ask(c *http.Client, base, body string) (answer, error) {
	resp, err := c.Post(base+"/api/v2/agentDashboard/counters", "application/json", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(b, &a)
	}
	return a, err
}

// pair is the body with an agent's user id and token.
func pair(a sim.Agent) string { return fmt.Sprintf(`{"userId":%q,"token":%q}`, a.UserID, a.Token) }

// over runs a test against a simulation behind a socket and behind Transport:
// both must behave alike.
func over(t *testing.T, test func(t *testing.T, s *sim.Sim, c *http.Client, base string)) {
	t.Run("socket", func(t *testing.T) {
		s := still()
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		test(t, s, server.Client(), server.URL)
	})
	t.Run("transport", func(t *testing.T) {
		s := still()
		test(t, s, &http.Client{Transport: s.Transport()}, "https://sim.example")
	})
}

func TestCredentials(t *testing.T) {
	over(t, func(t *testing.T, s *sim.Sim, c *http.Client, base string) {
		a, b := s.Agents()[0], s.Agents()[1]
		for name, test := range map[string]struct {
			body string
			code string
		}{
			"pair":               {pair(a), "200"},
			"ssid":               {fmt.Sprintf(`{"ssid":%q}`, a.SSID), "200"},
			"all three":          {fmt.Sprintf(`{"ssid":%q,"userId":%q,"token":%q}`, a.SSID, a.UserID, a.Token), "200"},
			"ssid and user":      {fmt.Sprintf(`{"ssid":%q,"userId":%q}`, a.SSID, a.UserID), "1020"},
			"wrong token":        {fmt.Sprintf(`{"userId":%q,"token":"nope"}`, a.UserID), "1014"},
			"another's token":    {fmt.Sprintf(`{"userId":%q,"token":%q}`, a.UserID, b.Token), "1014"},
			"another's ssid":     {fmt.Sprintf(`{"ssid":%q,"userId":%q,"token":%q}`, b.SSID, a.UserID, a.Token), "1014"},
			"wrong ssid":         {`{"ssid":"nope"}`, "1014"},
			"unknown user":       {`{"userId":"1","token":"nope"}`, "1003"},
			"no user":            {fmt.Sprintf(`{"token":%q}`, a.Token), "1002"},
			"no token":           {fmt.Sprintf(`{"userId":%q}`, a.UserID), "1020"},
			"nothing":            {`{}`, "1000"},
			"number for a text":  {`{"userId":100213,"token":"x"}`, "1001"},
			"empty body":         {``, "1047"},
			"null":               {`null`, "1047"},
			"body cut short":     {`{"ssid":"`, "1047"},
			"not an object":      {`["ssid"]`, "1047"},
			"null for a session": {`{"ssid":null}`, "1001"},
		} {
			t.Run(name, func(t *testing.T) {
				got, err := ask(c, base, test.body)
				if err != nil {
					t.Fatal(err)
				}
				if string(got.Code) != test.code || (got.Status == "success") != (test.code == "200") {
					t.Errorf("got %s, want code %s", got.body, test.code)
				}
			})
		}
	})
}

// TestAnswer compares an answer with the simulation's own row, byte for byte,
// and its form with the vendor's sample.
func TestAnswer(t *testing.T) {
	over(t, func(t *testing.T, s *sim.Sim, c *http.Client, base string) {
		agent := s.Agents()[0]
		got, err := ask(c, base, pair(agent))
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Row(agent.UserID, noon)
		if err != nil {
			t.Fatal(err)
		}
		row := got.row(t)
		for key, text := range want {
			if string(row[key]) != text {
				t.Errorf("%s is %s, want %s", key, row[key], text)
			}
		}
		if !strings.HasPrefix(got.body, `{"message":[{"TH":`) || !strings.HasSuffix(got.body, `"ATT":true}],"status":"success","code":200}`) {
			t.Errorf("the answer's form is not the vendor's: %s", got.body)
		}
		if date := got.header.Get("Date"); date != "Wed, 25 Nov 2026 06:30:00 GMT" {
			t.Errorf("Date is %q, not that of the simulation's clock", date)
		}
	})
}

func TestFaults(t *testing.T) {
	over(t, func(t *testing.T, s *sim.Sim, c *http.Client, base string) {
		agent, other := s.Agents()[0], s.Agents()[1]
		good, err := ask(c, base, pair(agent))
		if err != nil {
			t.Fatal(err)
		}
		for name, wrong := range map[string]func(a answer, err error) bool{
			"code:1014": func(a answer, err error) bool {
				return err == nil && a.status == 200 && a.body == `{"status":"error","message":"Invalid token","code":1014}`
			},
			"code:4711": func(a answer, err error) bool {
				return err == nil && a.status == 200 && string(a.Code) == "4711" && a.Status == "error"
			},
			"expired": func(a answer, err error) bool { return err == nil && a.status == 401 && string(a.Code) == "1014" },
			"html502": func(a answer, err error) bool {
				return err == nil && a.status == 502 && strings.HasPrefix(a.body, "<html>") && a.header.Get("Content-Type") == "text/html"
			},
			"truncate": func(a answer, err error) bool {
				return errors.Is(err, io.ErrUnexpectedEOF) && a.status == 200 && a.body == good.body[:len(good.body)/2]
			},
			"reset": func(_ answer, err error) bool { return errors.Is(err, syscall.ECONNRESET) },
			"strings": func(a answer, err error) bool {
				row := a.row(t)
				return err == nil && string(a.Code) == `"200"` && string(row["TH"]) == `"`+string(good.row(t)["TH"])+`"` &&
					strings.Contains(string(row["cmpId"]), `":"`) && string(row["ATT"]) == "true"
			},
			"emptyarray": func(a answer, err error) bool {
				row := a.row(t)
				return err == nil && string(row["callType"]) == "[]" && string(row["cmpId"]) == "[]" && string(row["TH"]) == string(good.row(t)["TH"])
			},
			"slow:1ms": func(a answer, err error) bool { return err == nil && a.body == good.body },
		} {
			t.Run(name, func(t *testing.T) {
				if err := s.Fault(agent.UserID, name, 2); err != nil {
					t.Fatal(err)
				}
				if a, err := ask(c, base, pair(other)); err != nil || a.Status != "success" {
					t.Errorf("another agent's fault hit %s: %s %v", other.Name, a.body, err)
				}
				for range 2 {
					if a, err := ask(c, base, pair(agent)); !wrong(a, err) {
						t.Errorf("with the fault: %d %s %v", a.status, a.body, err)
					}
				}
				if a, err := ask(c, base, pair(agent)); err != nil || a.body != good.body {
					t.Errorf("after two answers: %s %v", a.body, err)
				}
			})
		}
	})
}

// TestFaultOrder checks everybody's faults, an agent's own before them, and
// faults without a count.
func TestFaultOrder(t *testing.T) {
	s := still()
	c := &http.Client{Transport: s.Transport()}
	agent, other := s.Agents()[0], s.Agents()[1]
	expect := func(a sim.Agent, code string) {
		t.Helper()
		if got, err := ask(c, "https://sim.example", pair(a)); err != nil || string(got.Code) != code {
			t.Errorf("%s got %s %v, want code %s", a.Name, got.body, err, code)
		}
	}
	set := func(user, name string) {
		t.Helper()
		if err := s.Fault(user, name, 0); err != nil {
			t.Fatal(err)
		}
	}
	set("*", "code:1032")
	set(agent.UserID, "code:1014")
	for range 5 {
		expect(agent, "1014")
		expect(other, "1032")
	}
	set(agent.UserID, "")
	expect(agent, "1032")
	if got, err := ask(c, "https://sim.example", "{"); err != nil || string(got.Code) != "1032" {
		t.Errorf("everybody's fault did not hit a request of nobody: %s %v", got.body, err)
	}
	set("", "")
	expect(agent, "200")
}

// TestSlow checks that a slow answer takes its time and that nobody waits for a
// client that has gone.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Config{Seed: 1})
		c := &http.Client{Transport: s.Transport()}
		if err := s.Fault("", "slow:8s", 0); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if a, err := ask(c, "https://sim.example", pair(s.Agents()[0])); err != nil || a.Status != "success" {
			t.Errorf("%s %v", a.body, err)
		}
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("took %s", took)
		}
		c.Timeout = time.Second
		start = time.Now()
		if _, err := ask(c, "https://sim.example", pair(s.Agents()[0])); err == nil {
			t.Error("an impatient client got an answer")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("the impatient client waited %s", took)
		}
	})
}

// TestFaultEndpoint sets faults over HTTP and checks the sentences for bad ones.
func TestFaultEndpoint(t *testing.T) {
	s := still()
	c := &http.Client{Transport: s.Transport()}
	post := func(body string) (int, string) {
		t.Helper()
		resp, err := c.Post("https://sim.example/sim/fault", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if status, body := post(`{"user_id":"100213","fault":"code:1039","count":1}`); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	if a, err := ask(c, "https://sim.example", pair(s.Agents()[0])); err != nil || string(a.Code) != "1039" {
		t.Errorf("%s %v", a.body, err)
	}
	for body, sentence := range map[string]string{
		`{"fault":"fire"}`:                               `unknown fault "fire"; there are code:N,`,
		`{"fault":"truncate:3"}`:                         `unknown fault "truncate:3"`,
		`{"fault":"code:"}`:                              `needs a code, as in code:1014`,
		`{"fault":"code:x"}`:                             `needs a code, as in code:1014`,
		`{"fault":"slow:8"}`:                             `needs a duration up to 10m0s, as in slow:8s`,
		`{"fault":"slow:-1s"}`:                           `needs a duration`,
		`{"fault":"reset","count":-1}`:                   `count is -1`,
		`{"user_id":"1","fault":"reset"}`:                `no agent has user_id "1"`,
		`{"user":"1","fault":"reset"}`:                   `body must be JSON as`,
		`fault`:                                          `body must be JSON as`,
		`{"fault":"reset"} {"fault":"reset"}`:            `body must be JSON as`,
		`{"fault":"` + strings.Repeat("x", 1<<17) + `"}`: `body must be JSON as`,
	} {
		if status, text := post(body); status != http.StatusBadRequest || !strings.Contains(text, sentence) {
			t.Errorf("%.40s: %d %s, want %q", body, status, text, sentence)
		}
	}
	if a, err := ask(c, "https://sim.example", pair(s.Agents()[0])); err != nil || a.Status != "success" {
		t.Errorf("a refused fault took effect: %s %v", a.body, err)
	}
}

func TestOtherPaths(t *testing.T) {
	s := still()
	c := &http.Client{Transport: s.Transport()}
	for path, want := range map[string]int{
		"/": http.StatusNotFound, "/api/v2/agentDashboard/counters": http.StatusMethodNotAllowed, "/sim/fault": http.StatusMethodNotAllowed,
	} {
		if resp, err := c.Get("https://sim.example" + path); err != nil || resp.StatusCode != want {
			t.Errorf("GET %s: %v %v, want %d", path, resp, err, want)
		}
	}
}

func TestSetAndAdd(t *testing.T) {
	now := noon
	s := sim.New(sim.Config{Seed: 1, Now: func() time.Time { return now }})
	c := &http.Client{Transport: s.Transport()}
	agent := s.Agents()[0]
	get := func() map[string]json.RawMessage {
		t.Helper()
		a, err := ask(c, "https://sim.example", pair(agent))
		if err != nil {
			t.Fatal(err)
		}
		return a.row(t)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var before int
	do(json.Unmarshal(get()["MH"], &before))

	do(s.Add(agent.UserID, "MH", 3))
	do(s.Add(agent.UserID, "MH", 1))
	if got := string(get()["MH"]); got != fmt.Sprint(before+4) {
		t.Errorf("%d and 4 missed calls make %s", before, got)
	}
	do(s.Set(agent.UserID, map[string]any{"TH": 40, "MH": "2", "l": map[string]any{"type": "Web"}}))
	do(s.Add(agent.UserID, "MH", 1))
	do(s.Add(agent.UserID, "new", 5))
	if row := get(); len(row) != 4 || string(row["TH"]) != "40" || string(row["MH"]) != "3" || string(row["new"]) != "5" {
		t.Errorf("after Set and Add: %s", row)
	}
	now = now.Add(12 * time.Hour)
	if row := get(); string(row["MH"]) != `"2"` {
		t.Errorf("what was added outlived midnight: %s", row)
	}
	do(s.Set(agent.UserID, nil))
	if row := get(); len(row) != 12 {
		t.Errorf("after Set(nil): %s", row)
	}
	for _, err := range []error{s.Set("1", nil), s.Add("1", "MH", 1), s.Set(agent.UserID, map[string]any{"f": func() {}})} {
		if err == nil {
			t.Error("an impossible order was taken")
		}
	}
}

// TestLoggedOut asks for an agent outside their shift, and forces them in.
func TestLoggedOut(t *testing.T) {
	s := sim.New(sim.Config{Seed: 1, Start: noon.Add(time.Hour), Now: func() time.Time { return noon }})
	c := &http.Client{Transport: s.Transport()}
	agent := s.Agents()[0]
	if a, err := ask(c, "https://sim.example", pair(agent)); err != nil || string(a.Code) != "1043" {
		t.Errorf("%s %v", a.body, err)
	}
	if err := s.Set(agent.UserID, map[string]any{"TH": 1}); err != nil {
		t.Fatal(err)
	}
	if a, err := ask(c, "https://sim.example", pair(agent)); err != nil || a.Status != "success" {
		t.Errorf("%s %v", a.body, err)
	}
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := still()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	if a, err := ask(&http.Client{Transport: &http.Transport{}}, "http://"+l.Addr().String(), pair(s.Agents()[0])); err != nil || a.Status != "success" {
		t.Errorf("%s %v", a.body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve returned %v at the end of its context", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}
