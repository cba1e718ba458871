package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/dashboard/sim"
)

// TestNoSecretAnywhere is a day with credentials on both networks, logged at the
// finest level: linked in a form, on the command line and from a file, used,
// refused, looked at, backed up, sealed anew. No secret may stand in the
// log, in what commands print, in what people read, or in any stored byte.
func TestNoSecretAnywhere(t *testing.T) {
	s := newBothSite(t)
	s.rewrite("\nops:", "\nlog: {level: debug}\nops:")
	s.serve()
	agents := s.floor.Agents()
	s.linkInForm(agents[0])
	// Somebody types a credential where none belongs.
	s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/floor", "link "+agents[1].Token), "I did not read it")

	csv := filepath.Join(t.TempDir(), "agents.csv")
	text := fmt.Sprintf("user,user_id,token,name\nslack:U0MEERA,%s,%s,Meera\n", agents[2].UserID, agents[2].Token)
	if err := os.WriteFile(csv, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	for _, c := range []struct {
		in     string
		status int
		args   []string
	}{
		{"ssid=" + agents[3].SSID + "\n", 0, []string{"link", "discord:" + discordMeera}},
		{"user_id=" + agents[4].UserID + "\ntoken=wrong-" + agents[4].Token + "\n", exitFailed, []string{"link", "slack:U0DEV"}},
		{"", 0, []string{"import", csv, "--apply"}},
		{"", 0, []string{"stats", "slack:U0MEERA", "--json"}},
		{"", 0, []string{"links", "--json"}},
		{"", 0, []string{"audit"}},
		{"", 0, []string{"outbox", "--all"}},
		{"", 0, []string{"rekey"}},
		{"", 0, []string{"backup", filepath.Join(s.dir, "saved.tar")}},
	} {
		out, status := s.command(c.in, c.args...)
		if printed.WriteString(out); status != c.status {
			t.Errorf("%v exits %d\n%s", c.args, status, out)
		}
	}
	s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "raw"), "TH")
	s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/floor", "whoami"), "Asha Rao")
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d", status)
	}
	for _, u := range []string{"U0ASHA", "U0MEERA", "U0DEV"} {
		for _, m := range append(s.slack.Ephemerals(u), s.slack.Messages(s.slack.DM(u))...) {
			fmt.Fprintln(&printed, m.Plain(), m.Text, m.Blocks, m.Metadata)
		}
	}
	for _, m := range s.discord.Messages(discordSupport) {
		fmt.Fprintln(&printed, m.Plain())
	}
	secrets := map[string]string{
		"Slack's bot token": "xoxb-1", "Slack's app token": "xapp-1", "Discord's token": s.discord.Options().BotToken,
	}
	for i, a := range agents[:5] {
		secrets[fmt.Sprint("token ", i)], secrets[fmt.Sprint("session id ", i)] = a.Token, a.SSID
	}
	s.nowhere(secrets, map[string][]byte{"the log": []byte(s.log.String()), "what is printed": printed.Bytes()})
}

// linkInForm has Asha link an agent by the form in Slack.
func (s *slackSite) linkInForm(a sim.Agent) {
	s.t.Helper()
	m := s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", ""), "Not linked yet")
	if _, err := s.slack.Press("U0ASHA", m, "Link my account"); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", nil); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.slack.SubmitView("U0ASHA", map[string]string{"User id": a.UserID, "Token": a.Token}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.slack.WaitView(s.ctx, "U0ASHA", func(v slacktest.View) bool { return strings.Contains(v.Plain(), "Your account is connected") }); err != nil {
		s.t.Fatal(err)
	}
}

// nowhere looks for secrets in texts, and in each file of the site but those that
// hold them by right.
func (s *slackSite) nowhere(secrets map[string]string, texts map[string][]byte) {
	s.t.Helper()
	key := ""
	err := filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		switch {
		case strings.HasSuffix(name, ".key"):
			key = strings.TrimSpace(string(content))
		case name != s.config:
			texts[filepath.Base(name)] = content
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if key == "" || len(texts) < 4 || len(texts["floorwalker.db"]) == 0 || len(texts["saved.tar"]) == 0 {
		s.t.Errorf("the test looks at nothing: key %t, %d texts", key != "", len(texts))
	}
	secrets["the master key"] = key
	for where, text := range texts {
		for what, secret := range secrets {
			if secret != "" && bytes.Contains(text, []byte(secret)) {
				s.t.Errorf("%s is in %s", what, where)
			}
		}
	}
}
