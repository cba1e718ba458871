package discordtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

// needNode returns the node to run others' code with. Without it or its packages
// the test is skipped; how to get them is said once per test.
func needNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/discord/discordtest/testdata/node)")
	}
	for _, name := range []string{"discord.js", "discord-interactions", "typescript"} {
		if _, err := fs.Stat(os.DirFS("testdata/node"), "node_modules/"+name); err != nil {
			t.Skip("skipped: others' clients are not installed (run npm ci in adapters/discord/discordtest/testdata/node)")
		}
	}
	t.Parallel()
	return node
}

// judge prepares one of the scripts in testdata/node.
func judge(t *testing.T, node, script string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.Dir = "testdata/node"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// patient makes people wait longer than they do: node may be slow to start.
var patient = discordtest.Options{Times: discordtest.Times{Ack: 30 * time.Second}}

// says returns a test of a message's content.
func says(content string) func(discordtest.Message) bool {
	return func(m discordtest.Message) bool { return m.Content == content }
}

// discord.js logs in, registers commands, answers what people do, and goes on
// after its connection was lost.
func TestDiscordJS(t *testing.T) {
	node := needNode(t)
	s := start(t, patient)
	cmd, out := judge(t, node, "client.mjs", "http://"+hostOf(s)+"/api", s.Options().BotToken, guild, asha)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		if t.Failed() {
			cmd.Process.Kill() // it may have ended
			<-ended
			t.Logf("node says: %s", out)
		}
	}()
	ctx := soon(t)
	first := ok(s.WaitReady(ctx, 0))(t)
	if err := s.Wait(ctx, func() bool { return len(s.Calls("GET /channels/{channel}")) == 1 }); err != nil {
		t.Fatal(err)
	}
	if m := s.Messages(asha); len(m) != 1 || m[0].Content != "edited" || len(m[0].Attachments) != 1 {
		t.Errorf("direct messages %v, want one, edited, with its file", m)
	}
	jsCommand(t, s)

	first.Reconnect()
	second := ok(s.WaitReady(ctx, first.Number))(t)
	if !second.Resumed() || s.Identifies() != 1 {
		t.Errorf("after opcode 7: resumed %v, %d identifies", second.Resumed(), s.Identifies())
	}
	jsCommand(t, s)
	second.Invalidate(true)
	if err := s.Wait(ctx, func() bool { return s.Resumes() == 2 && len(s.Ready()) == 1 }); err != nil {
		t.Fatal(err)
	}
	second.Cut()
	third := ok(s.WaitReady(ctx, second.Number))(t)
	if !third.Resumed() || third.Path != "/gateway/resume" || s.Identifies() != 1 {
		t.Errorf("after a cut: resumed %v, at %s, %d identifies", third.Resumed(), third.Path, s.Identifies())
	}
	jsForm(t, s)
	s.RemoveChannel(floor)
	s.Outage(guild, true)
	s.Outage(guild, false)
	s.RemoveGuild(guild)
	bye := ok(s.Slash(asha, "", "bye"))(t)
	ok(bye.WaitReply(ctx, says("bye")))(t)
	err := <-ended
	ended <- err // for the deferred look
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"channel gone: floor", "guild unavailable: Acme", "guild gone: Acme"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("discord.js did not hear %q: %s", want, out)
		}
	}
}

// jsCommand has discord.js answer a command and a button.
func jsCommand(t *testing.T, s *discordtest.Server) {
	t.Helper()
	i := ok(s.Slash(asha, support, "mystats"))(t)
	m := ok(i.WaitReply(soon(t), says("42 calls")))(t)
	lines := strings.Split(m.Plain(), "\n")
	want := []string{"42 calls", "My stats", "Calls: 42 ▲ 3", "(image: a chart)", "the time", "[Refresh]"}
	if len(lines) == len(want) {
		lines[4] = "the time"
	}
	if !slices.Equal(lines, want) || m.For != asha {
		t.Errorf("%s sees %q, want %q", m.For, lines, want)
	}
	ok(i.WaitReply(soon(t), says("and more")))(t)
	press := ok(s.Press(asha, m, "Refresh"))(t)
	ok(press.WaitReply(soon(t), says("43 calls")))(t)
	if a, _ := press.Ack(); a.Type != discordtest.AnswerDeferredUpdate {
		t.Errorf("the button was answered with %d", a.Type)
	}
}

// jsForm has discord.js complete an option and open a form.
func jsForm(t *testing.T, s *discordtest.Server) {
	t.Helper()
	typing := ok(s.Suggest(asha, support, "mystats", "period", discordtest.Option{Name: "period", Value: "to"}))(t)
	if c := ok(typing.WaitChoices(soon(t)))(t); len(c) != 1 || c[0].Name != "today" {
		t.Errorf("choices %v", c)
	}
	i := ok(s.Slash(asha, "", "link"))(t)
	modal := ok(i.WaitModal(soon(t)))(t)
	if modal.Plain() != "Link\nName: {}" {
		t.Errorf("form %q", modal.Plain())
	}
	sent := ok(s.Submit(asha, modal, map[string]string{"Name": "Asha"}))(t)
	ok(sent.WaitReply(soon(t), says("hello Asha")))(t)
}

// Discord's own check accepts what the fake signs and nothing that was forged.
func TestDiscordSignatureCheck(t *testing.T) {
	node := needNode(t)
	type request struct {
		Name    string      `json:"name"`
		Body    string      `json:"body"`
		Headers http.Header `json:"headers"`
		Good    bool        `json:"good"`
	}
	s := start(t, discordtest.Options{Seed: "one", NoProbe: true})
	a := newApp(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusAccepted) })
	var requests []request
	for _, bad := range []discordtest.Forgery{discordtest.Genuine, discordtest.Tampered, discordtest.Unsigned, discordtest.OtherKey,
		discordtest.Stale, discordtest.Early, discordtest.Garbled, discordtest.Restamp} {
		if _, _, err := s.Post(soon(t), a.url, []byte(`{"type":2,"data":"grüße & 100 %"}`), bad); err != nil {
			t.Fatal(err)
		}
		// An old timestamp is well signed: the age is for the app to judge.
		good := bad == discordtest.Genuine || bad == discordtest.Stale || bad == discordtest.Early
		got := a.last()
		requests = append(requests, request{"forgery " + string(rune('0'+bad)), string(got.body), got.header, good})
	}
	in, err := json.Marshal(map[string]any{"key": s.PublicKey(), "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	cmd, out := judge(t, node, "verify.mjs")
	cmd.Stdin = bytes.NewReader(in)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// An endpoint behind Discord's own middleware passes the check of the developer
// portal, and its answers are shown.
func TestDiscordMiddleware(t *testing.T) {
	node := needNode(t)
	options := patient
	options.AnyCommand = true
	s := start(t, options)
	cmd, _ := judge(t, node, "endpoint.mjs", s.PublicKey())
	cmd.Stdout = nil
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := s.UseHTTP(soon(t), strings.TrimSpace(url)); err != nil {
		t.Fatal(err)
	}
	i := ok(s.Slash(asha, support, "mystats"))(t)
	m := ok(i.WaitReply(soon(t), says("heard mystats")))(t)
	press := ok(s.Press(meera, m, "Go"))(t)
	ok(press.WaitReply(soon(t), says("pressed")))(t)
	if a, _ := press.Ack(); a.Type != discordtest.AnswerUpdate || !a.HTTP {
		t.Errorf("the button was answered with %+v", a)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
