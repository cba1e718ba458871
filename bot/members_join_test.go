package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// interrupted is a store in which something happens just before a link.
type interrupted struct {
	bot.Store
	before *func() error // once; nil: nothing
}

// Link links, after what comes in between.
func (x interrupted) Link(l bot.Link) (bot.Linked, error) {
	if f := *x.before; f != nil {
		*x.before = nil
		if err := f(); err != nil {
			return bot.Linked{}, err
		}
	}
	return x.Store.Link(l)
}

// secondAddress runs a test on an open site whose configuration says that asha is
// somebody on Discord too. ask is a request of theirs there; what before is set to
// happens once, between the question whose address it is and the answer.
func secondAddress(t *testing.T, test func(s *site, before *func() error, ask func(id string) string)) {
	there := chat.Address{Network: chat.Discord, ID: "1"}
	c := siteConfig(t)
	c.Teams[0].Members = []bot.Person{{Addresses: []chat.Address{person("asha"), there}}}
	inSite(t, c, func(s *site) {
		before := new(func() error)
		s.wrap = func(st bot.Store) bot.Store { return interrupted{st, before} }
		s.open()
		defer s.close()
		time.Sleep(time.Hour)
		test(s, before, func(id string) string {
			r := command("asha", "floor whoami")
			r.From, r.ID = there, id
			reply, err := s.bot.Handle(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return reply.Message.Plain()
		})
	})
}

// TestTwoFirstRequests: of two requests at once from an address that the
// configuration gives an agent, one makes it join. The other changes nothing.
func TestTwoFirstRequests(t *testing.T) {
	secondAddress(t, func(s *site, before *func() error, ask func(string) string) {
		first, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		*before = func() error { ask("y"); return nil }
		if said := ask("x"); !strings.Contains(said, "Also you: console:asha") {
			t.Errorf("the one who was second: %s", said)
		}
		agent, err := s.store.AgentAt(person("asha"))
		if err != nil || agent.LinkedBy != first.LinkedBy || !agent.LinkedAt.Equal(first.LinkedAt) || len(agent.Addresses) != 2 {
			t.Errorf("the agent is now %+v, %v", agent, err)
		}
		joined := 0
		for e, err := range s.store.AuditTrail(time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(e.Detail, "joined") {
				joined++
			}
		}
		if joined != 1 {
			t.Errorf("%d addresses joined, says the audit trail", joined)
		}
	})
}

// TestJoinWhileRelinked: a new credential that comes in while another address
// joins is the one that stays.
func TestJoinWhileRelinked(t *testing.T) {
	secondAddress(t, func(s *site, before *func() error, ask func(string) string) {
		renewed := dashboard.Credential{UserID: s.floor.Agents()[0].UserID, Token: secret.New("a-new-token")}
		*before = func() error {
			_, err := s.store.Link(bot.Link{Address: person("asha"), Credential: renewed, State: bot.LinkActive, Audit: bot.AuditEntry{Action: "link"}})
			return err
		}
		ask("x")
		agent, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := s.store.Credential(agent.ID); err != nil || !kept.Equal(renewed) || len(agent.Addresses) != 2 {
			t.Errorf("the new credential is lost (%v), with addresses %v", err, agent.Addresses)
		}
	})
}

// TestJoinOnAFullDisk: to be known needs no space on the disk.
func TestJoinOnAFullDisk(t *testing.T) {
	secondAddress(t, func(s *site, before *func() error, ask func(string) string) {
		for i := range 2 { // it is tried anew
			*before = func() error { return fmt.Errorf("link: %w", bot.ErrNotSaved) }
			if said := ask(fmt.Sprint(i)); !strings.Contains(said, "Asha Rao") || *before != nil {
				t.Errorf("with a full disk: %s", said)
			}
		}
		if said := ask("x"); !strings.Contains(said, "Also you: console:asha") {
			t.Errorf("with space again: %s", said)
		}
	})
}

// TestJoinWhileUnlinked: somebody who is unlinked at that moment stays unlinked.
func TestJoinWhileUnlinked(t *testing.T) {
	secondAddress(t, func(s *site, before *func() error, ask func(string) string) {
		*before = func() error {
			agent, err := s.store.AgentAt(person("asha"))
			if err == nil {
				_, err = s.bot.Unlink(agent, "console:asha", "")
			}
			return err
		}
		if said := ask("x"); !strings.Contains(said, "not linked") {
			t.Errorf("it reads %s", said)
		}
	})
}

// TestLinkedAndTold: whoever is linked is told, whatever is killed when: nothing
// is stored of a link that is not also promised to be told of.
func TestLinkedAndTold(t *testing.T) {
	inSite(t, siteConfig(t), func(s *site) {
		commits := 0
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, update: func(tx bot.Tx) bot.Tx { commits++; return tx }}
		}
		s.open()
		defer s.close()
		a := s.floor.Agents()[3]
		l := bot.LinkRequest{Address: person("ravi"), Name: a.Name, Actor: "cli:0", NoVerify: true,
			Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)}}
		if _, _, err := s.bot.Link(s.t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if _, err := s.bot.LinkAll([]bot.LinkRequest{{Address: person("meera"), Actor: "cli:0", Credential: l.Credential}}, []bot.LinkState{bot.LinkActive}); err != nil {
			t.Fatal(err)
		}
		told := map[chat.Address]int{}
		for row, err := range s.store.Rows(bot.RowPending) {
			if err != nil {
				t.Fatal(err)
			}
			told[row.To]++
		}
		if commits != 0 || told[person("ravi")] != 2 || told[person("meera")] != 1 {
			t.Errorf("after %d more commits promised: %v", commits, told)
		}
	})
}
