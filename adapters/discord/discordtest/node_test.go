package discordtest_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

// judge prepares one of the scripts that run others' code. Without node or its
// packages the test is skipped; how to get them is said once per test.
func judge(t *testing.T, script string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/discord/discordtest/testdata/node)")
	}
	if _, err := fs.Stat(os.DirFS("testdata/node"), "node_modules/discord.js"); err != nil {
		t.Skip("skipped: the clients are not installed (run npm ci in adapters/discord/discordtest/testdata/node)")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.Dir = "testdata/node"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// discord.js logs in, registers commands and answers what people do.
func TestDiscordJS(t *testing.T) {
	s := start(t, discordtest.Options{Times: discordtest.Times{Ack: 30 * time.Second}}) // node may be slow to start
	cmd, out := judge(t, "client.mjs", "http://"+hostOf(s)+"/api", s.Options().BotToken, guild, asha)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			t.Logf("node says: %s", out)
		}
	}()
	ctx := soon(t)
	if err := s.Wait(ctx, func() bool {
		return len(s.Commands("")) == 3 && s.Calls("PATCH /channels/{channel}/messages/{message}") != nil
	}); err != nil {
		t.Fatal(err)
	}
	i := ok(s.Slash(asha, support, "mystats"))(t)
	m := ok(i.WaitReply(ctx, func(m discordtest.Message) bool { return m.Content == "42 calls" }))(t)
	t.Log(m.Plain())
	ok(i.WaitReply(ctx, func(m discordtest.Message) bool { return m.Content == "and more" }))(t)
	p := ok(s.Press(asha, m, "Refresh"))(t)
	ok(p.WaitReply(ctx, func(m discordtest.Message) bool { return m.Content == "43 calls" }))(t)
	sug := ok(s.Suggest(asha, support, "mystats", "period", discordtest.Option{Name: "period", Value: "to"}))(t)
	if c := ok(sug.WaitChoices(ctx))(t); len(c) != 1 || c[0].Name != "today" {
		t.Fatal(c)
	}
	l := ok(s.Slash(asha, "", "link"))(t)
	modal := ok(l.WaitModal(ctx))(t)
	sub := ok(s.Submit(asha, modal, map[string]string{"Name": "Asha"}))(t)
	ok(sub.WaitReply(ctx, func(m discordtest.Message) bool { return m.Content == "hello Asha" }))(t)
	b := ok(s.Slash(asha, support, "bye"))(t)
	ok(b.WaitAck(ctx))(t)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
