package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"floorwalker/bot/chat"
)

// TestLooking changes nothing, however often somebody looks.
func TestLooking(t *testing.T) {
	st := newStand(t)
	for range 20 {
		for _, method := range []string{"GET", "HEAD"} {
			w := st.do(httptest.NewRequest(method, "https://floor.example/link/"+ticket+"?utm=preview", nil))
			if w.Code != http.StatusOK {
				t.Fatalf("%s: status %d", method, w.Code)
			}
		}
	}
	if len(st.desk.submitted) != 0 || !st.desk.good {
		t.Error("a look used the page up")
	}
	body := st.get("/link/" + ticket).Body.String()
	for _, want := range []string{"Asha Rao", "Slack · Northwind Support", "U0ASHA", "until 10:10 IST", "/floor unlink", `lang="en"`,
		`name="token" type="password"`, `name="ssid" type="password"`, `type="checkbox" value="yes" required`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, ticket) {
		t.Error("the page holds its own ticket: it could be copied out of it")
	}
}

// TestGone is one answer for tickets that were used, are too old, or never were.
func TestGone(t *testing.T) {
	used := newStand(t)
	used.desk.good = false
	want := used.get("/link/" + ticket)
	st := newStand(t)
	for _, path := range []string{"/link/" + strings.Repeat("x", 43), "/link/x", "/link/" + ticket[:42], "/link/" + ticket + "x", "/link/" + strings.Repeat("%C3%A9", 43), "/link/%00"} {
		for _, r := range []*http.Request{httptest.NewRequest("GET", "https://floor.example"+path, nil), entry(path, "user_id=1", "token=good", "confirm=yes")} {
			w := st.do(r)
			if w.Code != http.StatusNotFound || w.Body.String() != want.Body.String() {
				t.Errorf("%s %s: status %d: %s", r.Method, path, w.Code, w.Body)
			}
		}
	}
	if want.Code != http.StatusNotFound || !strings.Contains(want.Body.String(), "does not work any more") {
		t.Errorf("a used ticket: status %d: %s", want.Code, want.Body)
	}
}

// TestEntered has all that was entered arrive, and nothing that is secret come
// back.
func TestEntered(t *testing.T) {
	st := newStand(t)
	w := st.do(entry("/link/"+ticket, "user_id= 100264 ", "token=S3CRETTOKEN\n", "ssid=S3CRETSSID", "confirm=yes"))
	s := st.desk.submitted[0]
	if s.UserID != "100264" || s.Token.Reveal() != "S3CRETTOKEN" || s.SSID.Reveal() != "S3CRETSSID" || !s.Confirmed {
		t.Errorf("entered %+v", s)
	}
	body := w.Body.String()
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, `value="100264"`) || !strings.Contains(body, "does not accept") || !strings.Contains(body, "Tries left: 4") {
		t.Errorf("status %d: %s", w.Code, body)
	}
	if strings.Contains(body, "S3CRET") {
		t.Errorf("a secret came back: %s", body)
	}

	for confirm, want := range map[string]bool{"yes": true, "no": false, "": false, "on": false} {
		st := newStand(t)
		st.do(entry("/link/"+ticket, "user_id=1", "token=good", "confirm="+confirm))
		if got := st.desk.submitted[0].Confirmed; got != want {
			t.Errorf("confirm=%q is taken for %v", confirm, got)
		}
	}
}

// TestFaults stand in a summary and at their fields.
func TestFaults(t *testing.T) {
	st := newStand(t)
	w := st.do(entry("/link/"+ticket, "user_id=100264"))
	body := w.Body.String()
	for _, want := range []string{
		"<title>Error: Not linked yet", `role="alert"`, `<a href="#token">`, `<a href="#confirm">`,
		`id="token-fault"`, `aria-describedby="token-hint token-fault" aria-invalid="true"`, `aria-describedby="confirm-fault" aria-invalid="true"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
	if w.Code != http.StatusUnprocessableEntity || strings.Contains(body, `id="user_id-fault"`) {
		t.Errorf("status %d: %s", w.Code, body)
	}

	st.desk.result = func(Submission) Result {
		return Result{Offer: st.desk.offer, Faults: map[string]string{"ssid": "ssid is too long"}}
	}
	if body := st.do(entry("/link/"+ticket, "ssid=x")).Body.String(); !strings.Contains(body, "<details open>") {
		t.Error("a fault is hidden in what is folded")
	}
	st.desk.result = func(Submission) Result {
		m := chat.Message{Tone: chat.Warning, Blocks: []chat.Block{chat.Paragraph{Text: chat.T("The dashboard is not answering.")}}, Footer: chat.T("Request 0a1b")}
		return Result{Offer: st.desk.offer, Message: m}
	}
	w = st.do(entry("/link/"+ticket, "user_id=1", "token=x", "confirm=yes"))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Request 0a1b") {
		t.Errorf("a failure of ours: status %d: %s", w.Code, w.Body)
	}
}

// TestEscaping: no text of anybody's becomes markup.
func TestEscaping(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
	st := newStand(t)
	st.desk.offer.Name, st.desk.offer.Workspace, st.desk.offer.Command = evil, evil, evil
	st.desk.offer.Who.ID = evil
	bodies := []string{st.get("/link/" + ticket).Body.String(), st.do(entry("/link/"+ticket, "user_id="+evil)).Body.String()}
	st.desk.result = func(Submission) Result {
		return Result{Offer: st.desk.offer, Faults: map[string]string{"user_id": evil, "token": evil, "ssid": evil, "confirm": evil}}
	}
	bodies = append(bodies, st.do(entry("/link/"+ticket, "user_id="+evil)).Body.String())
	say := chat.Message{Blocks: []chat.Block{chat.Paragraph{Text: chat.Join(chat.T(evil), chat.Strong(evil), chat.Code(evil), chat.Link(evil, "javascript:alert(3)"))}}}
	st.desk.result = func(Submission) Result { return Result{Offer: st.desk.offer, Message: say} }
	bodies = append(bodies, st.do(entry("/link/"+ticket)).Body.String())
	st.desk.result = func(Submission) Result { return Result{Offer: st.desk.offer, Message: say, Linked: true} }
	bodies = append(bodies, st.do(entry("/link/"+ticket)).Body.String())
	for i, body := range bodies {
		if strings.Contains(body, "<script") || strings.Contains(body, "<img") || !strings.Contains(body, "alert(1)") {
			t.Errorf("page %d: %s", i, body)
		}
	}
}

// TestNobodysName: a name of which nothing can be seen names nobody, so that the
// page calls its person by their id. One that runs from right to left turns only
// itself around.
func TestNobodysName(t *testing.T) {
	st := newStand(t)
	for name, shown := range map[string]string{
		"": "U0ASHA", " \t": "U0ASHA", "\u200b\u2060\u200d": "U0ASHA", "\u3164\u115f\uffa0": "U0ASHA", "\u2800": "U0ASHA", "\u202e\u2066": "U0ASHA",
		"\u00ad\ufe0f": "U0ASHA", "\U000e0041": "U0ASHA", "\u0301\u034f": "U0ASHA",
		"Asha\u202e Rao": "Asha Rao", "آشا": "آشا", "👩‍💻": "👩‍💻", "_": "_",
	} {
		st.desk.offer.Name = name
		body := st.get("/link/" + ticket).Body.String()
		for _, want := range []string{`<p class="name">` + shown + `</p>`, `I am <bdi><strong>` + shown + `</strong></bdi> on Slack`} {
			if !strings.Contains(body, want) {
				t.Errorf("%+q: the page lacks %s", name, want)
			}
		}
	}
}

// TestWhereFrom wants submissions to come from the page itself.
func TestWhereFrom(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers map[string]string
		want    int
	}{
		{"the page, in a browser of today", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, http.StatusOK},
		{"the page, in an old browser", map[string]string{"Origin": "https://floor.example"}, http.StatusOK},
		{"no browser", nil, http.StatusOK},
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, http.StatusForbidden},
		{"a neighbour", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://evil.floor.example"}, http.StatusForbidden},
		{"another site that hides", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, http.StatusForbidden},
		{"another site, in an old browser", map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		{"another site that hides, in an old browser", map[string]string{"Origin": "null"}, http.StatusForbidden},
	} {
		for _, host := range []string{"floor.example", "internal:8080"} { // a proxy may hand on either
			st := newStand(t)
			r := entry("/link/"+ticket, "user_id=1", "token=good", "confirm=yes")
			r.Host = host
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Del("Origin")
			for k, v := range c.headers {
				r.Header.Set(k, v)
			}
			if w := st.do(r); w.Code != c.want {
				t.Errorf("%s, host %s: status %d, want %d", c.name, host, w.Code, c.want)
			}
			if asked := len(st.desk.submitted) > 0; asked != (c.want == http.StatusOK) {
				t.Errorf("%s, host %s: the desk was asked: %v", c.name, host, asked)
			}
		}
	}
}

// TestUnreadable refuses what no page sends, before anybody is asked.
func TestUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		media, body string
		want        int
	}{
		"JSON":             {"application/json", `{"user_id":"1"}`, http.StatusUnsupportedMediaType},
		"no type":          {"", "user_id=1", http.StatusUnsupportedMediaType},
		"files":            {"multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
		"a bad escape":     {"application/x-www-form-urlencoded", "user_id=%zz", http.StatusBadRequest},
		"a semicolon":      {"application/x-www-form-urlencoded", "a=1;b=2", http.StatusBadRequest},
		"a large body":     {"application/x-www-form-urlencoded", "user_id=" + strings.Repeat("1", 16<<10), http.StatusRequestEntityTooLarge},
		"with charset":     {"application/x-www-form-urlencoded; charset=UTF-8", "user_id=1&token=good&confirm=yes", http.StatusOK},
		"a body that fits": {"application/x-www-form-urlencoded", "user_id=1&token=good&confirm=yes&x=" + strings.Repeat("1", 15<<10), http.StatusOK},
	} {
		st := newStand(t)
		r := post("/link/"+ticket, c.body)
		r.Header.Set("Content-Type", c.media)
		if w := st.do(r); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.want)
		}
		if asked := len(st.desk.submitted) > 0; asked != (c.want == http.StatusOK) {
			t.Errorf("%s: the desk was asked: %v", name, asked)
		}
	}
}

// TestSuccess is shown once, to one of fifty who ask at the same time.
func TestSuccess(t *testing.T) {
	st := newStand(t)
	codes := make([]int, 50)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() { codes[i] = st.do(entry("/link/"+ticket, "user_id=1", "token=good", "confirm=yes")).Code })
	}
	all.Wait()
	slices.Sort(codes)
	if codes[0] != http.StatusOK || codes[1] != http.StatusNotFound || codes[49] != http.StatusNotFound {
		t.Errorf("statuses %v, want 200 once and 404", codes)
	}
}
