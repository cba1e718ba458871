package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot"
)

const (
	killFloors  = 4 // teams that have alerts, each with a supervisor of its own
	killWatched = 8 // agents whose numbers cross limits
	killLead    = "U0LEAD"
	killRules   = `
alerts:
  - {name: missed-many, teams: [%[1]s], when: missed >= 5, clear: missed <= 3, for: 0s, keep_firing_for: 0s, message: "{{.Agent}} has missed {{.Value}} calls"}
  - {name: missed-most, teams: [%[1]s], when: missed >= 8, clear: missed <= 3, for: 0s, keep_firing_for: 0s, severity: critical, escalate_after: 3s, repeat: 0s, message: "{{.Agent}} has missed {{.Value}} calls!"}
  - {name: missed-long, teams: [%[1]s], when: missed >= 20, for: 3s, message: "{{.Agent}} has missed {{.Value}} calls for long"}
`
)

func floorName(team int) string       { return fmt.Sprintf("floor%d", team) }
func floorSupervisor(team int) string { return fmt.Sprintf("U0SUP%d", team) }

// alertConfig is the part of the configuration that alerts need, teams first.
func (s *killSite) alertConfig() string {
	var b strings.Builder
	var names []string
	for team := range killFloors {
		names = append(names, floorName(team))
		s.slack.AddUser(slacktest.User{ID: floorSupervisor(team)})
		fmt.Fprintf(&b, `  - name: %s
    timezone: %s
    supervisors: [slack:%s, slack:%s]
    shifts: [{name: all, days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", end: "00:00"}]
`, floorName(team), s.zone, floorSupervisor(team), killLead)
	}
	s.slack.AddUser(slacktest.User{ID: killLead})
	fmt.Fprintf(&b, killRules, strings.Join(names, ", "))
	return b.String()
}

// A watchedAgent is one whose numbers cross limits.
type watchedAgent struct {
	address, user string
	id            bot.AgentID
	name          string
	teams         []string
	missed        int
}

// counting notes who was asked about.
func (s *killSite) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // killed while it asked
		}
		var who struct {
			User string `json:"userId"`
		}
		json.Unmarshal(body, &who) // the floor says what is wrong with it
		s.mu.Lock()
		s.questions[who.User]++
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// askedAgain returns whether everybody who is watched was asked about so often
// since.
func (s *killSite) askedAgain(times int) func() bool {
	count := func(user string) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.questions[user]
	}
	before := map[string]int{}
	for _, w := range s.watched {
		before[w.user] = count(w.user)
	}
	return func() bool {
		return !slices.ContainsFunc(s.watched, func(w *watchedAgent) bool { return count(w.user) < before[w.user]+times })
	}
}

// linkWatched links those who are watched. The program runs.
func (s *killSite) linkWatched(ctx context.Context, c *clerk) {
	s.t.Helper()
	all := s.floor.Agents()
	for i, a := range all[len(all)-killWatched:] {
		w := &watchedAgent{address: fmt.Sprintf("slack:U0W%d", i), user: a.UserID, name: a.Name, teams: []string{floorName(i % killFloors)}, missed: 1}
		if i == 0 {
			w.teams = append(w.teams, floorName(1))
		}
		linked, err := ask[linkResult](ctx, c, "link", linkArgs{User: w.address, Name: a.Name, Teams: w.teams, UserID: a.UserID, Token: a.Token, Actor: "cli:0"})
		if err != nil {
			s.t.Fatal(err)
		}
		w.id = linked.Agent
		s.watched = append(s.watched, w)
	}
}

// stir changes the floor: some agents cross a limit, or come back. Some are logged
// out or cannot be asked, until it is called again.
func (s *killSite) stir(calm bool) {
	s.t.Helper()
	for i, w := range s.watched {
		fault := ""
		switch {
		case calm:
		case s.rnd.IntN(6) == 0:
			w.missed = []int{1, 1, 6, 9}[s.rnd.IntN(4)]
		case s.rnd.IntN(12) == 0:
			fault = "code:1043"
		case i < 3 && s.rnd.IntN(6) == 0:
			fault = "html502"
		}
		if err := s.floor.Set(w.user, map[string]any{"TH": 30, "MH": w.missed}); err != nil {
			s.t.Fatal(err)
		}
		if err := s.floor.Fault(w.user, fault, 0); err != nil {
			s.t.Fatal(err)
		}
	}
}

// supervise does what supervisors do, until ctx ends, and notes what they are told
// is done.
func (s *killSite) supervise(ctx context.Context) {
	if s.connected(ctx) != nil {
		return
	}
	for ctx.Err() == nil {
		time.Sleep(rand.N(150 * time.Millisecond))
		who := killLead
		if rand.N(2) == 0 {
			who = floorSupervisor(rand.N(killFloors))
		}
		switch rand.N(8) {
		case 0, 1, 2:
			s.takeListed(ctx, who)
		case 3, 4, 5:
			s.takeShown(ctx, who)
		case 6:
			s.silenceOne(ctx, who)
		case 7:
			s.endSilence(ctx, who)
		}
	}
}

// says types a command and returns the answer that matches; false if there is
// none in this life.
func (s *killSite) says(ctx context.Context, who, text string, match *regexp.Regexp) (slacktest.Message, bool) {
	i := s.slack.Slash(who, who, "/floor", text)
	m, err := i.WaitReply(ctx, func(m slacktest.Message) bool { return match.MatchString(m.Plain()) })
	return m, err == nil
}

// assure notes what somebody was told is done.
func (s *killSite) assure(what, who, object string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assured = append(s.assured, assured{What: what, By: "slack:" + who, Object: object, At: time.Now()})
}

var (
	anything = regexp.MustCompile(`.`)
	yours    = regexp.MustCompile(`(?m)#(\d+) is yours until`)
	since    = regexp.MustCompile(`#(\d+) since`)
	taken    = regexp.MustCompile(`Acknowledged by (\S+) until`)
	silenced = regexp.MustCompile(`(?m)^(missed-\w+ of .+?) until `)
	numbered = regexp.MustCompile(`(?m)^(\d+)\s.* in floor\d`)
	ended    = regexp.MustCompile(`Silence ended`)
)

// takeListed lists the alerts and acknowledges one, by the button or by its
// number.
func (s *killSite) takeListed(ctx context.Context, who string) {
	list, ok := s.says(ctx, who, "alerts", anything)
	if !ok {
		return
	}
	var buttons []string
	for _, b := range list.Buttons() {
		if strings.HasPrefix(b, "Acknowledge ") {
			buttons = append(buttons, b)
		}
	}
	if len(buttons) == 0 {
		return
	}
	button := buttons[rand.N(len(buttons))]
	if rand.N(2) == 0 {
		if m, ok := s.says(ctx, who, "ack "+strings.TrimPrefix(button, "Acknowledge "), anything); ok {
			s.noteTaken(who, m)
		}
		return
	}
	i, err := s.slack.Press(who, list, button)
	if err != nil {
		return // the list was replaced meanwhile
	}
	if m, err := i.WaitReply(ctx, func(m slacktest.Message) bool { return yours.MatchString(m.Plain()) }); err == nil {
		s.noteTaken(who, m)
	}
}

func (s *killSite) noteTaken(who string, m slacktest.Message) {
	if n := yours.FindStringSubmatch(m.Plain()); n != nil {
		s.assure("ack", who, n[1])
	}
}

// takeShown acknowledges what a message of an alert shows.
func (s *killSite) takeShown(ctx context.Context, who string) {
	for _, m := range slices.Backward(s.slack.Messages(who)) {
		n := since.FindStringSubmatch(m.Plain())
		if n == nil || !slices.Contains(m.Buttons(), "Acknowledge") {
			continue
		}
		i, err := s.slack.Press(who, m, "Acknowledge")
		if err != nil {
			return
		}
		reply, err := i.WaitReply(ctx, nil)
		if by := taken.FindStringSubmatch(reply.Plain()); err == nil && by != nil && by[1] == strings.ToLower(who) {
			s.assure("ack", who, n[1])
		}
		return
	}
}

// silenceOne silences a rule for an agent.
func (s *killSite) silenceOne(ctx context.Context, who string) {
	w := s.watched[rand.N(len(s.watched))]
	m, ok := s.says(ctx, who, fmt.Sprintf("silence missed-many@%q 1h", w.name), anything)
	if !ok {
		return
	}
	for _, what := range silenced.FindAllStringSubmatch(m.Plain(), -1) {
		s.assure("silence", who, what[1])
	}
}

// endSilence ends one of the silences there are.
func (s *killSite) endSilence(ctx context.Context, who string) {
	list, ok := s.says(ctx, who, "silences", anything)
	if !ok {
		return
	}
	numbers := numbered.FindAllStringSubmatch(list.Plain(), -1)
	if len(numbers) == 0 {
		return
	}
	n := numbers[rand.N(len(numbers))][1]
	if _, ok := s.says(ctx, who, "unsilence "+n, ended); ok {
		s.assure("unsilence", who, n)
	}
}
