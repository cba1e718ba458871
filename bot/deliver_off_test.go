package bot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// discordUser is an address on a network that a site has no adapter for.
func discordUser(id string) chat.Address { return chat.Address{Network: chat.Discord, ID: id} }

// enqueue puts rows into the outbox.
func (s *site) enqueue(rows ...bot.Row) {
	s.t.Helper()
	err := s.store.Update(func(tx bot.Tx) error {
		for _, r := range rows {
			r.Added = time.Now()
			if _, err := tx.Enqueue(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// row returns a row of the outbox.
func (s *site) row(key string) (row bot.Row) {
	s.t.Helper()
	err := s.store.View(func(tx bot.Tx) (err error) {
		found := false
		if row, found, err = tx.Row(key); !found && err == nil {
			err = fmt.Errorf("there is no row %s", key)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

// TestSwitchedOff: what waits for a network that was taken out of the
// configuration is given up at its own time, and after a day if it has none. Until
// then it is on record why it waits, and is sent if the network comes back.
func TestSwitchedOff(t *testing.T) {
	c := siteConfig(t)
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.start()
		now := time.Now()
		s.enqueue(
			bot.Row{Key: "notice/a", To: discordUser("1"), GiveUp: now.Add(time.Hour)},
			bot.Row{Key: "alert/b", To: discordUser("2"), Lane: bot.LaneAlert},
			bot.Row{Key: "notice/c", To: discordUser("3"), GiveUp: now.Add(50 * time.Hour)},
		)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		b := s.bot
		go func() { ended <- b.Expire(ctx, chat.Discord) }()
		s.until("2026-03-02 17:10")
		const why = "discord is switched off: the configuration has no bot token for it"
		if r := s.row("notice/a"); r.State != bot.RowPending || r.Reason != why {
			t.Errorf("soon after: %s, %s", r.State, r.Reason)
		}
		s.says("dev", "floor status", "3 messages for discord, which is switched off.")
		s.until("2026-03-02 18:10")
		if r := s.row("notice/a"); r.State != bot.RowDead || r.Reason != "too late: "+why {
			t.Errorf("past its time: %s, %s", r.State, r.Reason)
		}
		if r := s.row("alert/b"); r.State != bot.RowPending {
			t.Errorf("an alert that may be open: %s, %s", r.State, r.Reason)
		}
		s.until("2026-03-03 17:10")
		if r := s.row("alert/b"); r.State != bot.RowDead || !strings.Contains(r.Reason, why) {
			t.Errorf("after a day: %s, %s", r.State, r.Reason)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}

		// It is switched on again.
		net := chattest.NewNetwork(chat.Discord)
		net.AddPerson("3", chat.Person{})
		ctx, cancel = context.WithCancel(context.Background())
		go func() { ended <- b.Deliver(ctx, net) }()
		s.until("2026-03-03 17:16")
		if sent := net.Sent(); len(sent) != 1 || sent[0].Key != "notice/c" || sent[0].Resent {
			t.Errorf("sent: %+v", sent)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.stop()
	})
}

// TestNetworkStopped: that a network stopped for good is told to each
// administrator on another one, once however often the program starts, at the
// address of theirs that can be reached.
func TestNetworkStopped(t *testing.T) {
	slack := func(id string) chat.Address { return chat.Address{Network: chat.Slack, ID: id} }
	c := siteConfig(t)
	c.Admins = []chat.Address{slack("U1"), person("dev"), discordUser("7"), slack("U9")}
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{slack("U1"), discordUser("5"), person("meera")}}}
	inSite(t, c, func(s *site) {
		s.net.AddPerson("dev", chat.Person{})
		s.net.AddPerson("meera", chat.Person{})
		for range 3 {
			s.start()
			if err := s.bot.NetworkStopped(chat.Slack, fmt.Errorf("slack: auth.test: token_revoked: %w", chat.ErrFinal)); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			s.stop()
		}
		s.reached("notice/stopped/slack/", "dev", "meera")
		if got := s.arrived(); len(got) > 0 && !strings.Contains(got[0].text, "slack does not have me back: slack: auth.test: token_revoked.") {
			t.Errorf("it reads\n%s", got[0].text)
		}
		s.open()
		if r := s.row("notice/stopped/slack/2026-03-02/discord:7"); !r.UponContact() {
			t.Errorf("somebody on Discord who never spoke to the bot: %+v", r)
		}
		s.close()
	})
}

// unreadable is a transaction in which what is kept of people cannot be read.
type unreadable struct{ bot.Tx }

// Record reads a record.
func (u unreadable) Record(kind bot.RecordKind, key string) ([]byte, bool, error) {
	if kind == bot.RecordQuiet {
		return nil, false, errors.New("it is damaged")
	}
	return u.Tx.Record(kind, key)
}

// TestUnreadableReader: that an administrator's record is damaged keeps nobody
// else from being written to.
func TestUnreadableReader(t *testing.T) {
	c := siteConfig(t, daily(17*60+30, 17*60+40))
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, update: func(tx bot.Tx) bot.Tx { return unreadable{tx} }}
		}
		s.net.Remove("#support")
		s.start()
		s.until("2026-03-02 17:31")
		s.net.AddChannel("#support")
		s.until("2026-03-02 17:41")
		s.expect(1, "")
		if !strings.Contains(s.log.String(), "what follows from a failed delivery is left out") {
			t.Error("nothing is in the log")
		}
		s.stop()
	})
}

// TestNobodyToTell: that nobody can be told is in the log.
func TestNobodyToTell(t *testing.T) {
	c := siteConfig(t)
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.start()
		if err := s.bot.NetworkStopped(chat.Console, errors.New("gone")); err != nil {
			t.Error(err)
		}
		s.stop()
		if !strings.Contains(s.log.String(), "no administrator is told that a network stopped") {
			t.Error("nothing is in the log")
		}
	})
}
