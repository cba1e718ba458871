package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// httpConfig is that of an adapter which Slack calls.
func httpConfig(srv *slacktest.Server, log io.Writer) Config {
	return Config{
		Mode: ModeHTTP, BotToken: secret.New(srv.Options().BotToken), SigningSecret: secret.New(srv.Options().SigningSecret),
		APIURL: srv.APIURL(), Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
}

// listen lets a fake call an adapter, and returns the address of it.
func listen(t testing.TB, srv *slacktest.Server, a *Adapter) string {
	t.Helper()
	site := httptest.NewServer(a.Handler())
	t.Cleanup(site.Close)
	srv.UseHTTP(slacktest.Endpoints{Command: site.URL + pathCommand, Interact: site.URL + pathInteract, Event: site.URL + pathEvent})
	return site.URL
}

// A post is a request to a handler, and its answer.
type post struct {
	path string
	body string
	at   time.Time // of the signature; now if zero
	edit func(http.Header)
}

// to sends it to a handler that it signs for.
func (p post) to(h http.Handler, signing string) *httptest.ResponseRecorder {
	if p.at.IsZero() {
		p.at = time.Now()
	}
	r := httptest.NewRequest(http.MethodPost, p.path, strings.NewReader(p.body))
	r.Header = slacktest.Sign(signing, p.at, []byte(p.body))
	if p.edit != nil {
		p.edit(r.Header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// forgeries are requests that Slack did not make.
func forgeries() map[string]post {
	command := post{path: pathCommand, body: "command=%2Fmystats&user_id=U0ASHA&team_id=T0TEAM&text=&trigger_id=1"}
	with := func(edit func(*post)) post {
		p := command
		edit(&p)
		return p
	}
	header := func(name, value string) post {
		return with(func(p *post) { p.edit = func(h http.Header) { h.Set(name, value) } })
	}
	return map[string]post{
		"no signature":      with(func(p *post) { p.edit = func(h http.Header) { h.Del(headerSignature) } }),
		"no time":           with(func(p *post) { p.edit = func(h http.Header) { h.Del(headerTimestamp) } }),
		"no headers":        with(func(p *post) { p.edit = func(h http.Header) { clear(h) } }),
		"another time":      header(headerTimestamp, fmt.Sprint(time.Now().Unix()+7)),
		"no number":         header(headerTimestamp, "now"),
		"another signature": header(headerSignature, "v0="+strings.Repeat("0", 64)),
		"half a signature":  header(headerSignature, "v0="+strings.Repeat("0", 32)),
		"no hex":            header(headerSignature, "v0="+strings.Repeat("x", 64)),
		"an empty one":      header(headerSignature, "v0="),
		"another version": with(func(p *post) {
			p.edit = func(h http.Header) { h.Set(headerSignature, "v1="+h.Get(headerSignature)[3:]) }
		}),
		"the signature in capitals": with(func(p *post) { // a replay that no memory of signatures would know
			p.edit = func(h http.Header) { h.Set(headerSignature, "v0="+strings.ToUpper(h.Get(headerSignature)[3:])) }
		}),
		"another body": with(func(p *post) {
			h := slacktest.Sign("signing-secret", time.Now(), []byte(p.body))
			p.body, p.edit = p.body+"&text=week", func(old http.Header) { clear(old); fill(old, h) }
		}),
		"another secret": with(func(p *post) {
			h := slacktest.Sign("guessed", time.Now(), []byte(p.body))
			p.edit = func(old http.Header) { clear(old); fill(old, h) }
		}),
		"old":      with(func(p *post) { p.at = time.Now().Add(-302 * time.Second) }),
		"very old": with(func(p *post) { p.at = time.Unix(0, 0) }),
		"early":    with(func(p *post) { p.at = time.Now().Add(time.Hour) }),
	}
}

func fill(to, from http.Header) {
	for k := range from {
		to.Set(k, from.Get(k))
	}
}

// What Slack did not sign is refused, nothing of it is read, and the reason is
// logged without the body.
func TestUnsignedIsRefused(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	var logged syncBuffer
	a := adapterWith(t, httpConfig(srv, &logged))
	bot := &app{}
	r := run(t, srv, a, bot)
	h := a.Handler()
	for name, p := range forgeries() {
		if w := p.to(h, "signing-secret"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "mystats") {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
	for _, path := range []string{pathCommand, pathInteract, pathEvent} {
		if w := (post{path: path, body: `{"type":"url_verification","challenge":"c"}`}).to(h, "guessed"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "c\"") {
			t.Errorf("%s: answered %d %s", path, w.Code, w.Body)
		}
	}
	for _, at := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		p := post{path: pathCommand, body: "command=%2Fmystats&user_id=U0ASHA&team_id=T0TEAM&trigger_id=" + at.String(), at: time.Now().Add(at)}
		if w := p.to(h, "signing-secret"); w.Code != http.StatusOK || w.Body.Len() > 0 {
			t.Errorf("a request %v off is answered %d %s", at, w.Code, w.Body)
		}
	}
	r.must(r.stop())
	if n := len(bot.requests()); n != 2 {
		t.Errorf("the bot was asked %d times, want twice", n)
	}
	if n := a.Stats().Unsigned; n != int64(len(forgeries())+3) {
		t.Errorf("%d requests are counted as unsigned, want %d", n, len(forgeries())+3)
	}
	if n := bytes.Count(logged.bytes(), []byte("was refused")); n != 1 || bytes.Contains(logged.bytes(), []byte("U0ASHA&")) {
		t.Errorf("refusals are logged %d times, want once a minute:\n%s", n, logged.bytes())
	}
}

// A request is good for five minutes, before its time and after.
func TestSkew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for off, good := range map[time.Duration]bool{0: true, -5 * time.Minute: true, 5 * time.Minute: true, -301 * time.Second: false, 301 * time.Second: false} {
		if err := verify(slacktest.Sign("s", now.Add(off), []byte("x")), []byte("x"), secret.New("s"), now); (err == nil) != good {
			t.Errorf("%v off: %v", off, err)
		}
	}
}

// Without a signing secret nobody can sign.
func TestNoSecretNoEntry(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	h := adapter(t, srv).Handler()
	if w := (post{path: pathEvent, body: `{"type":"url_verification","challenge":"c"}`}).to(h, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// A body beyond a mebibyte is refused, signed or not, and not read to its end.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	body := &flood{}
	r := httptest.NewRequest(http.MethodPost, pathEvent, body)
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || body.n > 2*readLimit {
		t.Errorf("answered %d after %d bytes", w.Code, body.n)
	}
	p := post{path: pathEvent, body: `{"type":"url_verification","challenge":"c"}` + strings.Repeat(" ", readLimit)}
	if w := p.to(a.Handler(), "signing-secret"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a signed one is answered %d", w.Code)
	}
}

// flood is a body without an end, within reason.
type flood struct{ n int }

func (e *flood) Read(p []byte) (int, error) {
	if e.n > 8*readLimit {
		return 0, io.EOF
	}
	e.n += len(p)
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// Slack's checks of addresses: of the certificate, which it does not sign, and
// of the event URL. Neither reaches the bot, nor needs it.
func TestProbes(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	at := listen(t, srv, a)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := srv.CheckSSL(ctx, at+pathCommand); err != nil {
		t.Error(err)
	}
	if err := srv.VerifyURL(ctx, at+pathEvent); err != nil {
		t.Error(err)
	}
	for body, want := range map[string]int{"ssl_check=1&token=x": 200, "token=x&ssl_check=1": 200, "text=ssl_check%3D1": 401, "ssl_check=11": 401} {
		r := httptest.NewRequest(http.MethodPost, pathCommand, strings.NewReader(body))
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != want || want == 200 && w.Body.Len() > 0 {
			t.Errorf("unsigned %s: answered %d %s", body, w.Code, w.Body)
		}
	}
	for target, want := range map[string]int{pathCommand + "?ssl_check=1": 200, pathCommand: 405, pathInteract: 405, "/slack/": 404} {
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != want {
			t.Errorf("GET %s: answered %d, want %d", target, w.Code, want)
		}
	}
}

// A probe that pretends to be a command is none: nothing happens.
func TestProbeDoesNothing(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	bot := &app{}
	r := run(t, srv, a, bot)
	p := post{path: pathCommand, body: "command=%2Fmystats&user_id=U0ASHA&team_id=T0TEAM&trigger_id=1&ssl_check=1"}
	for _, signing := range []string{"signing-secret", "guessed"} {
		if w := p.to(a.Handler(), signing); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	}
	r.must(r.stop())
	if n := len(bot.requests()); n != 0 {
		t.Errorf("the bot was asked %d times", n)
	}
}

// A request that is made again, which whoever has seen it can do for five
// minutes, is answered once: also one that the bot is not asked about.
func TestReplays(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	listen(t, srv, a)
	bot := &app{handle: func(_ context.Context, r chat.Request) (chat.Reply, error) {
		return chat.Show(note("answer", "")), nil
	}}
	r := run(t, srv, a, bot)
	known := srv.Slash(asha, support, "/mystats", "")
	r.reply(known, "answer")
	strange := srv.Slash(asha, support, "/stats", "") // answered by the adapter
	r.reply(strange, "/floor help")
	for _, act := range []*slacktest.Interaction{known, strange} {
		form := url.Values{}
		for k, v := range act.Payload.(map[string]any) {
			form.Set(k, fmt.Sprint(v))
		}
		form.Set("trigger_id", form.Get("trigger_id")+"-but-signed-as-another") // nothing but the signature is the same
		p := post{path: pathCommand, body: form.Encode(), at: time.Now()}
		for range 3 {
			if w := p.to(a.Handler(), "signing-secret"); w.Code != http.StatusOK || w.Body.Len() > 0 {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
	}
	r.must(r.stop())
	for _, act := range []*slacktest.Interaction{known, strange} {
		if n := len(act.Replies()); n != 2 {
			t.Errorf("two requests, one of them made three times, have %d answers", n)
		}
	}
}

// An event that Slack delivers again, because the first answer was lost, is
// answered once.
func TestEventRetriesAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{0, 0, 0}}})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	handler := a.Handler()
	var calls atomic.Int64
	lossy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if calls.Add(1) < 4 {
			w.WriteHeader(http.StatusBadGateway) // of a proxy
		}
	}))
	defer lossy.Close()
	srv.UseHTTP(slacktest.Endpoints{Event: lossy.URL + pathEvent})
	bot := &app{}
	r := run(t, srv, a, bot)
	act := srv.OpenHome(asha)
	_, err := act.WaitAck(r.ctx)
	r.must(err)
	r.must(r.stop())
	published := srv.Calls("views.publish")
	if n := a.Stats().Redelivered; calls.Load() != 4 || n != 3 || len(published) != 1 {
		t.Errorf("%d calls, %d of them known as repeated, %d home pages; want 4, 3 and 1", calls.Load(), n, len(published))
	}
}

// A retry a minute later bears another signature, and is known by the event's id.
func TestLateRetryIsKnown(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	r := run(t, srv, a, &app{})
	event := post{path: pathEvent, body: `{"type":"event_callback","team_id":"T0TEAM","event_id":"Ev1","event":{"type":"app_home_opened","tab":"home","user":"U0ASHA"}}`}
	for i, ago := range []time.Duration{2 * time.Minute, time.Minute, 0} {
		event.at = time.Now().Add(-ago)
		event.edit = func(h http.Header) { h.Set("X-Slack-Retry-Num", fmt.Sprint(i)) }
		if w := event.to(a.Handler(), "signing-secret"); w.Code != http.StatusOK {
			t.Errorf("answered %d", w.Code)
		}
	}
	r.must(r.stop())
	if n := len(srv.Calls("views.publish")); n != 1 || a.Stats().Redelivered != 2 {
		t.Errorf("an event and two retries made %d pages, and %d are counted as repeated", n, a.Stats().Redelivered)
	}
}

// Who comes while nobody works is told so with a 200, as Slack wants it, and an
// event is left to Slack.
func TestNobodyWorks(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{}}})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	r := run(t, srv, a, asks(nil))
	listen(t, srv, a)
	_, err := a.Send(r.ctx, chat.Outgoing{To: person(asha), Message: withButton(chat.Action{ID: "x", Label: "Press"})})
	r.must(err)
	r.opened()
	r.must(r.stop())
	if a.door.enter() != nil {
		t.Error("a run that has ended lets requests in")
	}

	r.reply(srv.Slash(asha, support, "/mystats", ""), busy)
	press, err := srv.Press(asha, srv.Messages(asha)[0], "Press")
	r.must(err)
	if m := r.reply(press, busy); !m.Ephemeral() {
		t.Error("everybody is told")
	}
	r.submit(map[string]string{"user": "1"})
	if v := r.shows(busy); v.Failure != "" || v.Submit == "" {
		t.Errorf("the form is gone, or failed: %s", v.Plain())
	}
	event := srv.OpenHome(asha)
	r.must(event.WaitOver(r.ctx))
	if f := event.Failure(); f != "http_service_error" {
		t.Errorf("an event met %q, want a 503 so that Slack delivers it again", f)
	}
}

// Acknowledging waits for nothing: not for the bot, not for Slack's API.
func TestAcknowledgementWaitsForNothing(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	listen(t, srv, a)
	release := make(chan struct{})
	r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Show(note("answer", "")), nil
	}})
	srv.Fail("", slacktest.Fault{Delay: time.Hour}, -1)
	var all []*slacktest.Interaction
	for range 20 {
		all = append(all, srv.Slash(asha, support, "/mystats", ""))
	}
	all = append(all, srv.OpenHome(asha))
	for _, act := range all {
		ack, err := act.WaitAck(r.ctx)
		r.must(err)
		if ack.Size != 0 {
			t.Errorf("an acknowledgement says %s", ack.Payload)
		}
	}
	close(release)
	srv.Heal()
	for _, act := range all[:20] {
		r.reply(act, "answer")
	}
}

// Slack may hang up, which it does after three seconds. Then the request ends,
// and nothing waits for it: not the work, not the end of Run.
func TestSlackHangsUp(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapterWith(t, httpConfig(srv, io.Discard))
	a.timing.form = time.Hour
	release, asked := make(chan struct{}), make(chan struct{})
	r := run(t, srv, a, asks(func(context.Context, chat.Request) (chat.Reply, error) {
		close(asked)
		<-release
		return chat.Show(note("Linked", "well done")), nil
	}))
	listen(t, srv, a)
	r.opened()
	form := r.submit(nil)
	payload, err := json.Marshal(form.Payload)
	r.must(err)
	<-asked
	body := url.Values{"payload": {string(payload)}}.Encode() // the same once more
	ctx, hangUp := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, pathInteract, strings.NewReader(body))
	req.Header = slacktest.Sign("signing-secret", time.Now(), []byte(body))
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Handler().ServeHTTP(httptest.NewRecorder(), req)
	}()
	hangUp()
	<-done
	close(release)
	r.shows("well done") // in the answer to the other
	r.must(r.stop())
	if s := a.Stats(); s.AckErrors != 1 {
		t.Errorf("%d acknowledgements are said to be lost, want 1", s.AckErrors)
	}
}

// Whatever is signed, it is answered, and nothing panics.
func FuzzHandler(f *testing.F) {
	f.Add(0, "command=%2Fmystats&user_id=U0ASHA&team_id=T1")
	f.Add(0, "%zz;=&=")
	f.Add(1, "payload=%7B%22type%22%3A%22view_submission%22%7D")
	f.Add(1, "payload=null&payload=1")
	f.Add(2, `{"type":"url_verification","challenge":"x"}`)
	f.Add(2, `{"type":"event_callback","team_id":"T1","event":{"type":"app_uninstalled"}}`)
	f.Add(2, `[]`)
	a, err := New(Config{Mode: ModeHTTP, SigningSecret: secret.New("s"), APIURL: "http://127.0.0.1:1/"})
	if err != nil {
		f.Fatal(err)
	}
	h := a.Handler()
	f.Fuzz(func(t *testing.T, kind int, body string) {
		path := []string{pathCommand, pathInteract, pathEvent}[uint(kind)%3]
		w := post{path: path, body: body}.to(h, "s")
		if want := path == pathEvent && w.Code == http.StatusServiceUnavailable; w.Code != http.StatusOK && !want {
			t.Errorf("answered %d", w.Code)
		}
	})
}
