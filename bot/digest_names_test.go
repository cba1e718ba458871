package bot_test

import (
	"strings"
	"testing"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestNames: who missed most is named to supervisors, and in a channel only where
// the team wants that; else it reads how many. The leaderboard names the best,
// and nobody else.
func TestNames(t *testing.T) {
	mine := daily(17*60 + 30)
	mine.Name, mine.ToSupervisors = "mine", true
	for _, named := range []bool{false, true} {
		c := siteConfig(t, daily(17*60+30), mine)
		team := &c.Teams[0]
		team.NamesInChannel, team.Leaderboard, team.LeaderboardBy = named, 1, "answered"
		team.Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
		team.Members = append(team.Members, bot.Person{Addresses: []chat.Address{person("ravi")}}, bot.Person{Addresses: []chat.Address{person("leo")}})
		inSite(t, c, func(s *site) {
			s.open()
			s.link("ravi", 1)
			s.link("leo", 2)
			s.close()
			for _, a := range s.floor.Agents()[:3] {
				s.set(a.UserID, 100, 0)
			}
			s.start()
			s.until("2026-03-02 17:20")
			s.set(s.floor.Agents()[0].UserID, 130, 2)
			s.set(s.floor.Agents()[1].UserID, 110, 9)
			s.set(s.floor.Agents()[2].UserID, 120, 1)
			s.until("2026-03-02 17:31")
			const count, name = "1 agent missed more than twice their share.", "Missed more than twice their share  "
			best, worst := s.floor.Agents()[0].Name, s.floor.Agents()[1].Name
			for _, p := range s.arrived() {
				public := p.to == person("#support")
				hidden := public && !named
				if strings.Contains(p.text, count) != hidden || strings.Contains(p.text, name+worst+" 9") == hidden || strings.Contains(p.text, worst) == hidden {
					t.Errorf("to %s, with names_in_channel %v:\n%s", p.to, named, p.text)
				}
				if !strings.Contains(p.text, "1 "+best) || strings.Contains(p.text, s.floor.Agents()[2].Name) {
					t.Errorf("the best, and nobody else, is to be on the leaderboard:\n%s", p.text)
				}
			}
			if n := len(s.arrived()); n != 2 {
				t.Errorf("%d messages arrived, want 2", n)
			}
			s.stop()
		})
	}
}

// set makes the API count calls of an agent's, some of them missed.
func (s *site) set(user string, offered, missed int) {
	s.t.Helper()
	if err := s.floor.Set(user, map[string]any{"TH": offered, "MH": missed}); err != nil {
		s.t.Fatal(err)
	}
}
