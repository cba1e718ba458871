package main

import (
	"context"
	"fmt"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// A card is one picture's subject: a message, a form or a home page.
type card struct {
	name    string
	message chat.Message
	form    *chat.Form
	page    []chat.Message
	at      time.Time // when it was sent, in the reader's zone
	typed   string    // what the person did, as in a terminal
	as      string    // who they are, or whom it was sent to; "" for a channel
	people  []named   // who may be mentioned
	sent    bool      // the bot sent it unasked: to a channel, or if it is private by direct message
}

// A part is some cards that belong together.
type part func(*stage)

// everything is every card of the product.
func everything() []part { return []part{firstDays, weeks, evening, watched} }

// firstDays are the cards of somebody who begins, and of what may go wrong.
func firstDays(s *stage) {
	s.newcomer()
	s.numbers()
	s.trouble()
	s.leaving()
}

// A stage collects cards; after an error it does nothing more.
type stage struct {
	*floor
	ctx   context.Context
	cards []card
	err   error
	as    string // who acted last
}

// clock is what time it is where the people are.
func (f *floor) clock() time.Time { return time.Now().In(f.now.Location()) }

// try keeps an error.
func (s *stage) try(err error) {
	if s.err == nil {
		s.err = err
	}
}

// keep adds one answer as a card; the last, or counted from the first.
func (s *stage) keep(name, typed string, replies []chat.Reply, err error) {
	s.try(err)
	if s.err != nil {
		return
	}
	reply := replies[len(replies)-1]
	c := card{name: name, form: reply.Form, page: reply.Page, at: s.clock(), typed: typed, as: s.as, people: s.people()}
	if reply.Message != nil {
		c.message = *reply.Message
	}
	s.cards = append(s.cards, c)
}

// say keeps the last answer to a command.
func (s *stage) say(name, person, command, text string) {
	if s.err != nil {
		return
	}
	s.as = person
	replies, err := s.floor.say(s.ctx, person, command, text)
	typed := "/" + command
	if text != "" {
		typed += " " + text
	}
	s.keep(name, typed, replies, err)
}

// post keeps a message that the bot sends unasked, to somebody or, for "", to a
// channel.
func (s *stage) post(name, to string, m chat.Message) {
	s.cards = append(s.cards, card{name: name, message: m, at: s.clock(), as: to, sent: true, people: s.people()})
}

// home keeps the home page of somebody, on networks that have one.
func (s *stage) home(name, person string) {
	if s.err != nil || s.network != chat.Slack {
		return
	}
	s.as = person
	r := s.request(person)
	r.Kind = chat.KindHome
	replies, err := s.handle(s.ctx, r)
	s.keep(name, "", replies, err)
}

// fault makes the simulated API's next answers go wrong.
func (s *stage) fault(name string, count int) { s.try(s.sim.Fault("*", name, count)) }

// newcomer is somebody who is not linked, and links.
func (s *stage) newcomer() {
	s.say("not-linked", "asha", "mystats", "")
	s.say("help-newcomer", "asha", "floor", "help")
	s.say("whoami-newcomer", "asha", "floor", "whoami")
	s.home("home-newcomer", "asha")
	c := s.config(s.now.Location(), true)
	if s.network == chat.Discord {
		s.say("link-page", "asha", "floor", "link")
		c.LinkPage = ""
		s.bot.Configure(c)
		s.say("not-linked-no-page", "asha", "mystats", "")
		c.LinkPage = linkBase + "/link/"
		s.bot.Configure(c)
		return
	}
	c.LinkPage = linkBase + "/link/"
	s.bot.Configure(c)
	s.say("link-page", "asha", "floor", "link")
	s.bot.Configure(s.config(s.now.Location(), true))
	a := s.sim.Agents()[0]
	s.say("link-form", "asha", "floor", "link")
	s.submitted("link-form-fault", map[string]string{"user_id": a.UserID})
	s.submitted("link-refused", map[string]string{"user_id": a.UserID, "token": "not-hers"})
	s.submitted("linked", map[string]string{"user_id": a.UserID, "token": a.Token})
	s.say("unlink-done", "asha", "floor", "unlink confirm")
}

func (s *stage) submitted(name string, values map[string]string) {
	if s.err != nil {
		return
	}
	replies, err := s.floor.submit(s.ctx, "asha", values)
	s.keep(name, "/floor link", replies, err)
}

// morning and afternoon are what the API answers for Asha.
func morning() map[string]any {
	return map[string]any{
		"TH": 31, "MH": 2, "aTT": 246, "HT": 512, "C": 29, "tC": 33, "I": 2,
		"callType": map[string]any{"Inbound": 19, "Outbound": 8, "Callback": 4},
		"cmpId":    map[string]any{"101": 17, "104": 10, "117": 4},
		"l":        map[string]any{"type": "Web", "duration": []string{"4", "10", "12"}}, "ml": "No", "ATT": true,
	}
}

func afternoon() map[string]any {
	return map[string]any{
		"TH": 42, "MH": 3, "aTT": 238, "HT": 655, "C": 39, "tC": 45, "I": 4,
		"callType": map[string]any{"Inbound": 26, "Outbound": 11, "Callback": 5},
		"cmpId":    map[string]any{"101": 23, "104": 13, "117": 6},
		"l":        map[string]any{"type": "Web", "duration": []string{"6", "01", "44"}}, "ml": "No", "ATT": true,
	}
}

// numbers are Asha's own.
func (s *stage) numbers() {
	if s.err != nil {
		return
	}
	s.try(s.counters(morning()))
	asha, err := s.link(s.ctx, "asha")
	s.try(err)
	s.say("mystats-first", "asha", "mystats", "")
	s.try(s.age(asha, 110*time.Minute))
	s.try(s.counters(afternoon()))
	s.say("mystats", "asha", "mystats", "")
	s.home("home", "asha")
	for _, view := range []string{"raw", "help"} {
		s.say("mystats-"+view, "asha", "mystats", view)
	}
	s.bot.Configure(s.config(s.now.Location(), false))
	s.say("mystats-unconfirmed", "asha", "mystats", "")
	s.say("mystats-help-unconfirmed", "asha", "mystats", "help")
	s.bot.Configure(s.config(s.now.Location(), true))
	s.say("help", "asha", "floor", "help")
	s.say("help-supervisor", "meera", "floor", "help")
	s.say("whoami", "asha", "floor", "whoami")
	s.say("export", "asha", "floor", "export")
	s.try(s.age(asha, 7*time.Minute))
	s.fault("code:1501", 3)
	s.say("stale", "asha", "mystats", "")
	s.fault("", 0)
	s.waiting()
}

// waiting is what stands there while the API takes its time.
func (s *stage) waiting() {
	if s.err != nil {
		return
	}
	s.fault("slow:1s", 1)
	r := s.request("asha")
	r.Command = "mystats"
	reply, err := s.bot.Handle(s.ctx, r)
	s.keep("waiting", "/mystats", []chat.Reply{reply}, err)
}

// trouble is what goes wrong.
func (s *stage) trouble() {
	s.say("unknown-command", "asha", "floor", "lnik")
	s.say("unknown-view", "asha", "mystats", "shfit")
	s.say("secret-typed", "asha", "floor", "link token=abc")
	for _, code := range []string{"1014", "1039", "1043", "1000"} {
		s.fault("code:"+code, 5)
		s.say("refused-"+code, "asha", "mystats", "")
		s.fault("", 0)
	}
}

// leaving deletes everything, after a question.
func (s *stage) leaving() {
	s.say("unlink", "asha", "floor", "unlink")
	s.say("unlinked", "asha", "floor", "unlink confirm")
	if s.err != nil {
		return
	}
	a := s.sim.Agents()[1]
	ravi := bot.LinkRequest{Address: s.person("ravi"), Name: fullName("ravi"), Actor: "cli:0", Credential: credentialOf(a)}
	if _, err := s.bot.LinkAll([]bot.LinkRequest{ravi}, []bot.LinkState{bot.LinkUnverified}); err != nil {
		s.try(fmt.Errorf("link ravi: %w", err))
		return
	}
	s.fault("code:1501", 3)
	s.say("not-answering", "ravi", "mystats", "")
	s.fault("", 0)
}
