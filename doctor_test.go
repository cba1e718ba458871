package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

// says checks what the doctor says of a site: texts that are there once, "!" and
// texts that are not.
func (s *slackSite) says(status int, args []string, texts ...string) {
	s.t.Helper()
	out, got := s.command("", append([]string{"doctor"}, args...)...)
	if got != status {
		s.t.Errorf("doctor exits %d, want %d", got, status)
	}
	for _, text := range texts {
		want := 1
		if rest, not := strings.CutPrefix(text, "!"); not {
			text, want = rest, 0
		}
		if n := strings.Count(out, text); n != want {
			s.t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}
	if s.t.Failed() {
		s.t.Logf("doctor says\n%s", out)
	}
}

// rewrite changes the site's configuration.
func (s *slackSite) rewrite(pairs ...string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err == nil {
		err = os.WriteFile(s.config, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestDoctorStatus: a faulty configuration is a mistake of usage, and warnings
// are not well.
func TestDoctorStatus(t *testing.T) {
	s := newSlackSite(t, "    poll: false\n")
	if out, status := s.command("slack:U0ASHA", "link", "slack:U0ASHA"); status == 0 {
		t.Fatal(out) // it makes the database all the same
	}
	a := s.floor.Agents()[0]
	if out, status := s.command("user_id="+a.UserID+"\ntoken="+a.Token+"\n", "link", "slack:U0ASHA"); status != 0 {
		t.Fatal(out)
	}
	s.says(0, nil, "All is well.", "1 of 1 linked user found on their network")
	s.rewrite("poll: false", "poll: true")
	s.says(0, nil, "No faults, 1 warning.", "!All is well")
	s.rewrite("poll: true", "poll: perhaps")
	s.says(exitUsage, nil, "1 fault, 0 warnings\n", "→ Mend it")
	s.says(exitUsage, []string{"--json"}, `"level": "fault"`)
	s.rewrite("poll: perhaps", "poll: true", "U0DEV", "U0NOBODY")
	s.says(exitFailed, nil, "1 fault, 1 warning\n")
}

// TestDoctorPeople looks up everybody once, and nobody where that cannot work.
func TestDoctorPeople(t *testing.T) {
	s := newSlackSite(t, "  - {name: sales, poll: false, channels: [slack:C0SALES]}\n")
	s.rewrite("[slack:U0DEV]", "[slack:U0DEV, slack:U0LEFT, slack:U0NONE, slack:U0MEERA]")
	s.slack.AddUser(slacktest.User{ID: "U0LEFT", Deleted: true})
	s.says(exitFailed, nil, "slack:U0DEV is Dev Patel", "slack:U0LEFT is deactivated or unknown", "slack:U0NONE is deactivated or unknown", "slack:U0MEERA is Meera Nair", "2 faults")
	s.slack.SetScopes("commands", "chat:write", "im:write", "files:write")
	s.says(exitFailed, nil, "The scope users:read is missing", "on slack: not looked up, see above", "!slack:U0", "1 fault")
	s.slack.Revoke("token_revoked")
	s.says(exitFailed, []string{"--post"}, "on slack: not looked up, see above", "!slack:U0", "C0SUPPORT of team support: token_revoked\n", "!C0SALES", "!chat: ", "Copy the bot token again")
}

// TestDoctorLinked: who is linked and not there is told, and whose network is
// off.
func TestDoctorLinked(t *testing.T) {
	s := newSlackSite(t, "")
	agents := s.floor.Agents()
	for i, user := range []string{"slack:U0GONE1", "slack:U0GONE2", "slack:U0GONE3", "slack:U0GONE4", "slack:U0ASHA", "discord:1"} {
		if out, status := s.command(fmt.Sprintf("user_id=%s\ntoken=%s\n", agents[i].UserID, agents[i].Token), "link", user); status != 0 {
			t.Fatal(out)
		}
	}
	s.says(0, nil, "6 agents are linked", "1 of 5 linked users found on their network\n", "4 linked users are deactivated or unknown: slack:U0GONE", " and 1 more",
		"1 linked user is on a network that is off: discord:1\n", "discord.bot_token is missing")
}

// TestDoctorChannel: each reason why a channel gets nothing has its next step.
func TestDoctorChannel(t *testing.T) {
	s := newSlackSite(t, "")
	s.rewrite("slack:C0SUPPORT", "slack:C0NONE")
	s.says(exitFailed, []string{"--post"}, "slack:C0NONE of team support: channel_not_found\n", "/invite @floorwalker", "!chat: ", "!chat.postMessage")
	s.slack.Fail("chat.postMessage", slacktest.Fault{Error: "restricted_action"}, 1)
	s.says(exitFailed, []string{"--post"}, "slack:C0NONE of team support: restricted_action", "If it is there, let it post.", "!floorwalker manifest slack")
	s.slack.Fail("chat.postMessage", slacktest.Fault{Error: "missing_scope"}, 1)
	s.says(exitFailed, []string{"--post"}, "slack:C0NONE of team support: missing_scope", "floorwalker manifest slack", "!/invite")
}

// TestDoctorForeignAPI: what answers at the address is something else.
func TestDoctorForeignAPI(t *testing.T) {
	for answer, want := range map[string]string{
		`{"ok": true}`: "the answer reports no success (HTTP 200)",
		`{"status": "error", "message": "no such route", "code": 404}`: `it says "no such route" (HTTP 200)`,
		`[1]`:                "the answer is JSON but not an object (HTTP 200)",
		`<html>Hello</html>`: "the answer is HTML instead of JSON (HTTP 200)",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }))
		s := newSlackSite(t, "")
		text, err := os.ReadFile(s.config)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "base_url: \"")
		old, _, _ := strings.Cut(rest, "\"")
		s.rewrite(old, server.URL)
		s.says(exitFailed, []string{"slack:U0ASHA"}, "something answers at "+server.URL+", but it is not the counters API: "+want, "Set dashboard.base_url", "!not answering", "!is not linked")
		server.Close()
	}
}

// TestBare: what is for the program does not reach a person.
func TestBare(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("slack: chat.postMessage: not_in_channel: invite the bot to the channel: %w", chat.ErrBarred), "not_in_channel: invite the bot to the channel"},
		{fmt.Errorf("discord: Missing Access (50001): %w", chat.ErrBarred), "Missing Access (50001)"},
		{fmt.Errorf("slack: user U1 is deactivated: %w", chat.ErrGone), "user U1 is deactivated"},
		{errors.New("dial tcp 10.0.0.1:443: refused"), "dial tcp 10.0.0.1:443: refused"},
	} {
		if got := bare(test.err); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// TestFindingsDocument: every finding has the four keys that scripts look for.
func TestFindingsDocument(t *testing.T) {
	got, err := json.Marshal(findings{[]chat.Finding{{Level: chat.LevelOK, Check: "api", Message: "answers"}}})
	if want := `{"findings":[{"level":"ok","check":"api","message":"answers","next":""}]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
