package discord

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// A twin is discord-digital-twin: a Discord that others wrote, with REST and a
// gateway. What it cannot serve, so that only our own fake shows it:
//
//   - GET of commands and uploads, which [twin.patch] makes good;
//   - opening direct messages, and interactions in them;
//   - who sees an ephemeral message: it is kept like any other;
//   - RESUME, which it does not answer: see the end of [TestTwin];
//   - limits of lengths and of rates, permissions, nonces;
//   - interactions over HTTP.
type twin struct {
	*testing.T
	ctx context.Context
	in  io.Writer
	out *bufio.Reader
	api string
}

const twinApp = "1000000000000000001"

// startTwin starts one, with Asha and a channel. Without node the test is skipped.
func startTwin(t *testing.T) *twin {
	t.Helper()
	const dir = "testdata/twin"
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/discord/testdata/twin)")
	}
	if _, err := fs.Stat(os.DirFS(dir), "node_modules/discord-digital-twin"); err != nil {
		t.Skip("skipped: discord-digital-twin is not installed (run npm ci in adapters/discord/testdata/twin)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(t.Context(), node, "twin.mjs", twinApp, acme, support, asha, "twin-token")
	cmd.Dir, cmd.Stderr = dir, t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() // how it ends is of no interest
	})
	w := &twin{T: t, ctx: ctx, in: in, out: bufio.NewReader(out)}
	var at struct{ API string }
	w.read(&at)
	target, err := url.Parse(at.API)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	proxy := httptest.NewServer(w.patch(target))
	t.Cleanup(proxy.Close)
	w.api = proxy.URL + "/api/v10"
	return w
}

// patch serves what the twin does not, and passes all else on.
func (w *twin) patch(target *url.URL) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(target)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/commands") {
			rw.Header().Set("Content-Type", "application/json")
			io.WriteString(rw, "[]")
			return
		}
		kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if kind == "multipart/form-data" {
			form, err := multipart.NewReader(r.Body, params["boundary"]).ReadForm(1 << 20)
			if err != nil || len(form.Value["payload_json"]) != 1 || len(form.File) == 0 {
				w.Errorf("an upload without its parts: %v", err)
				return
			}
			body := form.Value["payload_json"][0]
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Type", "application/json")
		}
		proxy.ServeHTTP(rw, r)
	})
}

func (w *twin) read(to any) {
	w.Helper()
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		w.Fatalf("the twin is gone: %v", err)
	}
	if err := json.Unmarshal(line, to); err != nil {
		w.Fatalf("the twin says %s: %v", line, err)
	}
}

// call calls one of the functions of twin.mjs.
func (w *twin) call(name string, args, result any) {
	w.Helper()
	line, err := json.Marshal(map[string]any{"call": name, "args": args})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		w.Fatalf("the twin is gone: %v", err)
	}
	var answer struct {
		Result json.RawMessage
		Error  string
	}
	w.read(&answer)
	if answer.Error != "" {
		w.Fatalf("the twin cannot %s: %s", name, answer.Error)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		w.Fatal(err)
	}
}

// await asks until something holds.
func (w *twin) await(what string, holds func() bool) {
	w.Helper()
	for !holds() {
		if sleep(w.ctx, 10*time.Millisecond) != nil {
			w.Fatalf("waited in vain for %s", what)
		}
	}
}

// twinInteraction is something that Asha did there.
type twinInteraction struct {
	ID string `json:"id"`
}

// interact makes Asha do something: of a kind, with data, on a message or "".
func (w *twin) interact(kind int, message string, data map[string]any) twinInteraction {
	w.Helper()
	args := map[string]any{"type": kind, "data": data}
	if message != "" {
		args["messageId"] = message
	}
	var i twinInteraction
	w.call("interact", args, &i)
	return i
}

// slash makes Asha use a command; a second word is a subcommand.
func (w *twin) slash(name string, options ...any) twinInteraction {
	w.Helper()
	name, sub, _ := strings.Cut(name, " ")
	if sub != "" {
		options = []any{map[string]any{"type": optionSub, "name": sub, "options": options}}
	}
	return w.interact(interactionCommand, "", map[string]any{"id": "1", "name": name, "type": 1, "options": options})
}

// answered waits for the first response and checks its type.
func (w *twin) answered(i twinInteraction, kind int) string {
	w.Helper()
	var r *struct {
		Type    int
		Data    json.RawMessage
		Message string
	}
	w.await("a first response", func() bool {
		w.call("response", i, &r)
		return r != nil
	})
	if r.Type != kind {
		w.Errorf("the first response is of type %d, want %d: %s", r.Type, kind, r.Data)
	}
	return string(r.Data)
}

// twinMessage is a message as a client of the twin sees it.
type twinMessage struct {
	ID      string
	Content string
	Flags   int
	Edited  *string `json:"edited_timestamp"`
	Embeds  []struct{ Title, Description string }
	Rows    []struct {
		Components []struct {
			CustomID string `json:"custom_id"`
			Label    string
		}
	} `json:"components"`
}

// message waits for the message with a title, the only one.
func (w *twin) message(title string) twinMessage {
	w.Helper()
	var found twinMessage
	w.await("the message "+title, func() bool {
		var all []twinMessage
		w.call("messages", nil, &all)
		n := 0
		for _, m := range all {
			said := m.Content
			if len(m.Embeds) > 0 {
				said += m.Embeds[0].Title
			}
			if strings.Contains(said, title) {
				found = m
				n++
			}
		}
		if n > 1 {
			w.Fatalf("there are %d messages %q", n, title)
		}
		return n == 1
	})
	return found
}

// button returns the id of a message's button.
func (m twinMessage) button(label string) string {
	for _, row := range m.Rows {
		for _, b := range row.Components {
			if strings.Contains(b.Label, label) {
				return b.CustomID
			}
		}
	}
	return ""
}

// twinBot answers what the test types.
func twinBot(slow chan struct{}) *app {
	bot := &app{complete: func(chat.Request, string) []chat.Choice { return []chat.Choice{{Label: "The week", Value: "week"}} }}
	bot.handle = func(ctx context.Context, r chat.Request) (chat.Reply, error) {
		switch what := r.Command + " " + r.Text + r.Form + r.Action.ID; what {
		case "floor link":
			return chat.Ask(chat.Form{ID: "quiet", Title: "Quiet hours", Fields: []chat.Input{{Name: "from", Label: "From"}}}), nil
		case " quiet":
			return chat.Show(note("Quiet from "+r.Values["from"].Reveal(), "x")), nil
		case "mystats slow", "floor post":
			<-slow
			return chat.Show(chat.Message{Title: "Answer to " + what, Private: true, Blocks: []chat.Block{chat.Chart{
				Labels: []string{"09", "10"}, Series: []chat.Series{{Name: "calls", Points: []chat.Point{{Value: 3}, {Value: 4}}}},
			}}}), nil
		case " ack":
			return chat.Show(chat.Message{Title: "Acknowledged"}), nil
		default:
			return chat.Show(note("Answer to "+what, "x")), nil
		}
	}
	return bot
}

// TestTwin runs the adapter against a Discord that we did not write.
func TestTwin(t *testing.T) {
	t.Parallel()
	w := startTwin(t)
	a, err := New(Config{
		BotToken: secret.New("twin-token"), ApplicationID: twinApp, APIURL: w.api, Memory: acquainted(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.timing.answer, a.timing.gateway.first, a.timing.gateway.open, a.timing.identify = 500*time.Millisecond, 10*time.Millisecond, time.Second, 0
	slow := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, twinBot(slow)) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	w.await("a session", func() bool { return a.Stats().Connected })
	w.await("the commands", func() bool {
		var all []struct{ Name string }
		w.call("commands", nil, &all)
		return len(all) == 2 && all[0].Name == "mystats"
	})
	w.answers()
	w.promises(slow)
	w.forms()
	w.edits(a)
	w.recovers(a)
}

// answers checks an answer at once, and proposals.
func (w *twin) answers() {
	if data := w.answered(w.slash("mystats"), respondMessage); !strings.Contains(data, `"flags":64`) {
		w.Errorf("the answer is not private: %s", data)
	}
	w.message("Answer to mystats")
	typing := map[string]any{"id": "1", "name": "mystats", "type": 1, "options": []any{map[string]any{"type": 3, "name": "view", "value": "w", "focused": true}}}
	if data := w.answered(w.interact(interactionComplete, "", typing), respondChoices); data != `{"choices":[{"name":"The week","value":"week"}]}` {
		w.Errorf("proposals: %s", data)
	}
}

// promises checks answers that take their time: one in the place of the promise,
// with a file, and a private one beside a promise that others see.
func (w *twin) promises(slow chan struct{}) {
	private := w.slash("mystats", map[string]any{"type": 3, "name": "view", "value": "slow"})
	public := w.slash("floor post")
	if data := w.answered(private, respondLater); data != `{"flags":64}` {
		w.Errorf("the promise is not private: %s", data)
	}
	w.answered(public, respondLater)
	close(slow)
	w.message("Answer to mystats slow")
	w.message("Answered in private")
	if m := w.message("Answer to floor post"); m.Flags&flagEphemeral == 0 {
		w.Error("the answer beside a public promise is not private")
	}
}

// forms checks a form there and back.
func (w *twin) forms() {
	var form struct {
		CustomID string `json:"custom_id"`
	}
	data := w.answered(w.slash("floor link"), respondForm)
	if err := json.Unmarshal([]byte(data), &form); err != nil {
		w.Fatalf("the form %s: %v", data, err)
	}
	input := map[string]any{"type": 4, "custom_id": "from", "value": "22:00"}
	w.answered(w.interact(interactionForm, "", map[string]any{"custom_id": form.CustomID, "components": []any{map[string]any{"type": 1, "components": []any{input}}}}), respondMessage)
	w.message("Quiet from 22:00")
}

// edits checks what is sent unasked, edited, and pressed.
func (w *twin) edits(a *Adapter) {
	alert := chat.Message{Title: "An alert", Actions: []chat.Action{{ID: "ack", Label: "Acknowledge", Replace: true}}}
	out := toSupport("alert/1")
	out.Message = alert
	ref, err := a.Send(w.ctx, out)
	if err != nil {
		w.Fatal(err)
	}
	first := w.message("An alert")
	alert.Title = "It is worse"
	if err := a.Edit(w.ctx, ref, alert); err != nil {
		w.Fatal(err)
	}
	m := w.message("It is worse")
	if m.ID != first.ID || m.Edited == nil || !strings.HasSuffix(ref.ID, m.ID) {
		w.Errorf("%q is another message than %q, which is %s", m.ID, first.ID, ref.ID)
	}
	w.answered(w.interact(interactionPress, m.ID, map[string]any{"custom_id": m.button("Acknowledge"), "component_type": 2}), respondUpdate)
	if done := w.message("Acknowledged"); done.ID != m.ID || len(done.Rows) != 0 {
		w.Errorf("the answer is not in the alert's place: %+v", done)
	}
}

// recovers checks that a gateway that does not answer RESUME is left for a new
// session.
func (w *twin) recovers(a *Adapter) {
	before := a.Stats()
	var n int
	if w.call("drop", nil, &n); n != 1 {
		w.Fatalf("%d connections", n)
	}
	w.await("another session", func() bool {
		s := a.Stats()
		return s.Connected && s.LastReady.After(before.LastReady)
	})
	if s := a.Stats(); s.Identifies != before.Identifies+1 {
		w.Errorf("%d sign-ins after %d", s.Identifies, before.Identifies)
	}
	w.answered(w.slash("floor note"), respondMessage)
	w.message("Answer to floor note")
}
