package bot_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

const linkPage = "https://floor.example/link/"

// keepPage notes the link page that a message offers. Its words are a secret.
func (s *stage) keepPage(name string, m chat.Message) {
	for _, a := range m.Actions {
		if words, ok := strings.CutPrefix(a.URL, linkPage); ok {
			s.pages[name], s.typed = secret.New(words), append(s.typed, words)
		}
	}
}

// doPages carries out a line about link pages.
func (s *stage) doPages(words []string) error {
	switch words[0] {
	case "pages":
		s.config.LinkPage = linkPage
		s.discord.AddPerson("asha", chat.Person{Name: "Asha Rao"})
		s.bot.Configure(s.config)
		return nil
	case "open":
		offer, err := s.bot.LinkOffer(context.Background(), s.pages[words[1]])
		if err != nil {
			fmt.Fprintf(&s.seen, "(%v)\n", err)
			return nil
		}
		s.showOffer(offer)
		return nil
	}
	return s.redeem(words[1], words[2:])
}

func (s *stage) showOffer(o bot.LinkOffer) {
	fmt.Fprintf(&s.seen, "for %s (%s), until %s, tries left: %d", o.Name, o.Address, o.Expires.Format("15:04 MST"), o.Tries)
	if o.Relink {
		s.seen.WriteString(", linked already")
	}
	s.seen.WriteString("\n")
}

func (s *stage) redeem(name string, fields []string) error {
	values, confirmed := map[string]secret.Secret{}, false
	for _, f := range fields {
		if f == "confirm" {
			confirmed = true
			continue
		}
		k, v, err := s.entered(name, f)
		if err != nil {
			return err
		}
		values[k] = v
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := s.bot.RedeemLink(ctx, s.pages[name], bot.LinkSubmission{
		Credential: dashboard.Credential{UserID: values["user_id"].Reveal(), Token: values["token"], SSID: values["ssid"]}, Confirmed: confirmed,
	})
	if errors.Is(err, bot.ErrNoTicket) {
		fmt.Fprintf(&s.seen, "(%v)\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	if !result.Linked {
		s.showOffer(result.Offer)
	}
	for _, k := range slices.Sorted(maps.Keys(result.Faults)) {
		fmt.Fprintf(&s.seen, "%s: %s\n", k, result.Faults[k])
	}
	if result.Faults == nil {
		s.seen.WriteString(hideIDs(result.Message.Plain()) + "\n")
	}
	return nil
}
