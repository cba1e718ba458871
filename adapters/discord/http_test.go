package discord

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// TestOverHTTP holds what is answered over the gateway for HTTP too.
func TestOverHTTP(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"Promise": TestPromise, "AtOnce": TestAtOnce, "PrivateAfterPublicPromise": TestPrivateAfterPublicPromise,
		"PrivateAfterPublicAnswer": TestPrivateAfterPublicAnswer, "FormIsFirst": TestFormIsFirst, "FormValues": TestFormValues,
		"FormsThatCannotBeShown": TestFormsThatCannotBeShown, "ReplacePromised": TestReplacePromised, "PrivateReplace": TestPrivateReplace,
		"TooLate": TestTooLate, "FirstResponseTwice": TestFirstResponseTwice, "FormTwice": TestFormTwice,
		"AcknowledgedAlready": TestAcknowledgedAlready, "NothingAfterPromise": TestNothingAfterPromise,
		"ConfirmAfterRestart": TestConfirmAfterRestart, "EphemeralHasNoRef": TestEphemeralHasNoRef, "Unknown": TestUnknown,
		"Proposals": TestProposals, "ManyAtOnce": TestManyAtOnce, "FirstContact": TestFirstContact,
		"ChannelFromCommand": TestChannelFromCommand, "EditsInParallel": TestEditsInParallel,
	} {
		t.Run(name, test)
	}
}

// A listening adapter, and requests to it.
type listening struct {
	*running
	logged *bytes.Buffer // to be read when Run has ended
	bot    *app
	url    string
}

// calledUp runs an adapter that Discord calls.
func calledUp(t *testing.T) *listening {
	t.Helper()
	srv := network(t, discordtest.Options{AnyCommand: true})
	l := &listening{bot: &app{}, logged: &bytes.Buffer{}}
	a := adapter(t, srv, acquainted())
	a.log = slog.New(slog.NewTextHandler(l.logged, nil))
	a.config.Mode = ModeHTTP
	var err error
	if a.key, err = a.config.key(); err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(a.Handler())
	t.Cleanup(site.Close)
	l.url = site.URL + pathInteractions
	l.running = begin(t, srv, a, l.bot)
	l.connected()
	l.must(srv.UseHTTP(l.ctx, l.url))
	return l
}

// oldPress is a press on a button that nobody knows, under an interaction's id.
func oldPress(id string) []byte {
	return fmt.Appendf(nil, `{"id": %q, "type": 3, "token": "t", "user": {"id": %q}, "data": {"custom_id": "not ours"}}`, id, asha)
}

// post sends a body, and returns how it was answered.
func (l *listening) post(body []byte, bad discordtest.Forgery) (int, string) {
	l.Helper()
	status, answer, err := l.srv.Post(l.ctx, l.url, body, bad)
	l.must(err)
	return status, string(answer)
}

// What Discord did not sign is refused before it is parsed.
func TestForgeriesAreRefused(t *testing.T) {
	l := calledUp(t)
	before := l.a.Stats()
	forgeries := []discordtest.Forgery{discordtest.Tampered, discordtest.Unsigned, discordtest.OtherKey, discordtest.Stale,
		discordtest.Early, discordtest.Garbled, discordtest.Restamp}
	for _, bad := range forgeries {
		for _, body := range []string{`{"type":1}`, `{nonsense`, string(oldPress("80351110224678000"))} {
			if status, answer := l.post([]byte(body), bad); status != http.StatusUnauthorized || strings.Contains(answer, "{") {
				t.Errorf("forgery %d of %s: answered %d %s", bad, body, status, answer)
			}
		}
	}
	l.must(l.stop())
	after := l.a.Stats()
	if n := after.Unsigned - before.Unsigned; n != int64(3*len(forgeries)) || after.Interactions != before.Interactions || after.Dropped != before.Dropped {
		t.Errorf("%d are counted as unsigned, %d interactions", n, after.Interactions-before.Interactions)
	}
	if n := strings.Count(l.logged.String(), "was refused"); n != 1 || strings.Contains(l.logged.String(), "nonsense") {
		t.Errorf("refusals are logged %d times, want once a minute:\n%s", n, l.logged)
	}
}

// The time of a signature may be five minutes off.
func TestVerifyTime(t *testing.T) {
	srv := network(t, discordtest.Options{})
	key, err := Config{Mode: ModeHTTP, PublicKey: srv.PublicKey()}.key()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	body := []byte("whatever it is")
	for off, good := range map[time.Duration]bool{
		0: true, 299 * time.Second: true, -299 * time.Second: true, 302 * time.Second: false, -302 * time.Second: false,
	} {
		if err := verify(srv.Sign(now.Add(off), body), body, key, now); (err == nil) != good {
			t.Errorf("a signature %v off: %v", off, err)
		}
	}
	if err := verify(srv.Sign(now, body), body, nil, now); err == nil {
		t.Error("without a key something is genuine")
	}
}

// A body beyond a mebibyte is refused, and so is what is no request of Discord's.
func TestHTTPLimits(t *testing.T) {
	l := calledUp(t)
	large := append([]byte(`{"type":1}`), bytes.Repeat([]byte(" "), bodyLimit)...)
	if status, _ := l.post(large, discordtest.Genuine); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body is answered with %d", status)
	}
	if status, _ := l.post([]byte(`{`), discordtest.Genuine); status != http.StatusBadRequest {
		t.Errorf("half a body is answered with %d", status)
	}
	if status, answer := l.post([]byte(`{"type":1}`), discordtest.Genuine); status != http.StatusOK || strings.TrimSpace(answer) != `{"type":1}` {
		t.Errorf("PING is answered with %d %s", status, answer)
	}
	for target, want := range map[string]int{"GET " + pathInteractions: 405, "PUT " + pathInteractions: 405, "POST /discord/": 404} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		l.a.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s: answered %d, want %d", target, w.Code, want)
		}
	}
}

// An interaction that comes again is answered once, also one that the bot is not
// asked about.
func TestReplaysOverHTTP(t *testing.T) {
	l := calledUp(t)
	i := l.slash(support, "mystats")
	l.reply(i, "answer")
	raw, err := json.Marshal(i.Payload)
	l.must(err)
	old := l.srv.Deliver(asha, support, interactionPress, map[string]any{"custom_id": "nobody's", "component_type": 2})
	l.reply(old, "An old button")
	again, err := json.Marshal(old.Payload)
	l.must(err)
	for range 3 {
		for _, body := range [][]byte{raw, again} {
			if status, answer := l.post(body, discordtest.Genuine); status != http.StatusAccepted || answer != "" {
				t.Errorf("answered %d %s", status, answer)
			}
		}
	}
	l.must(l.stop())
	if n := len(l.bot.requests()); n != 1 {
		t.Errorf("the bot was asked %d times", n)
	}
	for _, act := range []*discordtest.Interaction{i, old} {
		if all := act.Replies(); len(all) != 1 || all[0].Edits != 0 {
			t.Errorf("answers: %+v", all)
		}
	}
	if n := l.a.Stats().Interactions; n != 2 {
		t.Errorf("%d interactions were taken", n)
	}
}

// Who comes while nobody works is told so, by the answer to the request.
func TestNobodyWorks(t *testing.T) {
	l := calledUp(t)
	l.must(l.stop())
	i := l.slash(support, "mystats")
	if m := l.reply(i, "Restarting"); !m.Ephemeral() {
		t.Error("others see it")
	}
	typing := l.srv.Deliver(asha, support, interactionComplete, map[string]any{"name": "mystats"})
	if got, err := typing.WaitChoices(l.ctx); err != nil || len(got) != 0 || typing.Failure() != "" {
		t.Errorf("%v, %v, %s", got, err, typing.Failure())
	}
	if status, _ := l.post([]byte(`{"type":1}`), discordtest.Genuine); status != http.StatusOK {
		t.Errorf("PING is answered with %d", status)
	}
	if n := len(l.bot.requests()); n != 0 {
		t.Errorf("the bot was asked %d times", n)
	}
}

// In HTTP mode there is no gateway, and the adapter is well without one.
func TestNoGateway(t *testing.T) {
	l := calledUp(t)
	l.reply(l.slash(support, "mystats"), "answer")
	if n := l.srv.Connections(); n != 0 || len(l.srv.Calls("GET /gateway/bot")) != 0 {
		t.Errorf("%d connections to the gateway", n)
	}
	if err := l.a.Healthy(); err != nil {
		t.Error(err)
	}
	l.srv.RevokeToken()
	if _, err := l.a.Send(l.ctx, toSupport("x")); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Send: %v", err)
	}
	l.final()
	if err := l.a.Healthy(); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Healthy: %v", err)
	}
}

// Health in HTTP mode does not depend on being called.
func TestHealthOverHTTP(t *testing.T) {
	h := &health{}
	now := time.Now()
	h.begin(now)
	h.listen()
	h.up(now)
	if err := h.judge(now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	h.down(now, errors.New("no route"))
	if err := h.judge(now.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("the token was never checked: %v", err)
	}
}

// What cannot work is said at once, and what may work later is tried again.
func TestHTTPStart(t *testing.T) {
	for name, spoil := range map[string]func(*discordtest.Server, *Adapter){
		"token":       func(srv *discordtest.Server, _ *Adapter) { srv.RevokeToken() },
		"application": func(_ *discordtest.Server, a *Adapter) { a.config.ApplicationID = unknown },
		"public_key":  func(_ *discordtest.Server, a *Adapter) { a.config.PublicKey = strings.Repeat("0", 64) },
	} {
		srv := network(t, discordtest.Options{})
		a := adapter(t, srv, nil)
		a.config.Mode = ModeHTTP
		spoil(srv, a)
		if err := begin(t, srv, a, &app{}).final(); !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	srv := network(t, discordtest.Options{})
	srv.Fail("GET /applications/@me", discordtest.Fault{Status: 503}, 2)
	a := adapter(t, srv, nil)
	a.config.Mode = ModeHTTP
	begin(t, srv, a, &app{}).connected()
}

// A mode or a key that is none is a fault of the configuration.
func TestHTTPConfig(t *testing.T) {
	for _, c := range []Config{
		{Mode: "socket"}, {Mode: ModeHTTP}, {Mode: ModeHTTP, PublicKey: "abcd"}, {Mode: ModeHTTP, PublicKey: strings.Repeat("x", 64)},
	} {
		c.BotToken, c.ApplicationID = secret.New("t"), asha
		if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "discord: ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The doctor sees what keeps interactions from arriving.
func TestCheckHTTP(t *testing.T) {
	l := calledUp(t)
	says := func(want chat.Level, check, words string) {
		t.Helper()
		for _, f := range l.a.Check(l.ctx) {
			if f.Check == check && (f.Level != want || !strings.Contains(f.Message+f.Next, words)) {
				t.Errorf("%s: %+v, want %v and %q", check, f, want, words)
			}
			if f.Check == "discord gateway" {
				t.Error("the gateway is looked at")
			}
		}
	}
	says(chat.LevelOK, "discord interactions", l.url)
	says(chat.LevelOK, "discord public key", "configured")
	l.a.config.PublicURL = "https://bot.example/"
	says(chat.LevelWarn, "discord interactions", "https://bot.example"+pathInteractions)
	l.a.config.PublicKey = strings.Repeat("0", 64)
	says(chat.LevelFault, "discord public key", "Copy Public Key")
	l.must(l.srv.UseHTTP(l.ctx, ""))
	says(chat.LevelFault, "discord interactions", "Set Interactions Endpoint URL")
}

// A body that ends early is nobody's.
func TestBrokenBody(t *testing.T) {
	l := calledUp(t)
	w := httptest.NewRecorder()
	l.a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, pathInteractions, io.MultiReader(strings.NewReader("{"), cutOff{})))
	if w.Code != http.StatusBadRequest {
		t.Errorf("answered %d", w.Code)
	}
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
