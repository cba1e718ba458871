package bot_test

import (
	"fmt"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestUnlinkTakesBackBundles: what waits about a link is taken back with it, also
// where it begins a bundle; what is about something else stays.
func TestUnlinkTakesBackBundles(t *testing.T) {
	inSite(t, siteConfig(t), func(s *site) {
		s.start()
		want := map[string]bot.RowState{
			"notice/linked/x/0/console:asha":        bot.RowCancelled,
			"bundle/notice/linked/x/0/console:asha": bot.RowCancelled,
			"notice/rest/console:asha":              bot.RowPending,
			"bundle/notice/rest/console:asha":       bot.RowPending,
		}
		for key := range want {
			s.enqueue(bot.Row{Key: key, To: person("asha"), Lane: bot.LaneNotice, NotBefore: time.Now().Add(time.Hour)})
		}
		agent, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.bot.Unlink(agent, "console:asha", ""); err != nil {
			t.Fatal(err)
		}
		for key, state := range want {
			if r := s.row(key); r.State != state {
				t.Errorf("%s is %s, want %s", key, r.State, state)
			}
		}
		s.stop()
	})
}

// TestAlertsOfADamagedSupervisor: a supervisor whose own link cannot be read lists
// the alerts of their teams all the same.
func TestAlertsOfADamagedSupervisor(t *testing.T) {
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.wrap = func(st bot.Store) bot.Store { return blind{st} }
		s.start()
		s.says("meera", "floor alerts", "Nothing fires now")
		s.stop()
	})
}

// blind is a store that cannot read whose an address is.
type blind struct{ bot.Store }

// AgentAt reads nothing.
func (blind) AgentAt(addr chat.Address) (bot.Agent, error) {
	return bot.Agent{}, fmt.Errorf("%s: damaged", addr)
}
