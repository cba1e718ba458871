package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"floorwalker/adapters/web"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// phone is the width of the pictures of the link page, in points.
const phone = 360

// linkBase is where the link pages of the pictures are.
const linkBase = "https://floor.example"

// linkPages returns the link page in its states, as a phone shows it.
func linkPages(t *testing.T) (pages []page, err error) {
	onFloor(t, chat.Slack, func(ctx context.Context, f *floor) error {
		html, err := f.linkPages(ctx)
		for i := range html {
			for _, look := range []string{"phone-light", "phone-dark"} {
				pages = append(pages, page{card: linkStates[i], look: look, html: html[i], width: phone})
			}
		}
		return err
	}, &err)
	return pages, err
}

// linkStates are the names of the pictures of the link page, in the order in
// which one person sees them.
var linkStates = []string{"linkpage", "linkpage-fault", "linkpage-refused", "linkpage-done", "linkpage-gone"}

// linkPages has Asha open her page, leave the confirmation out, mistype her
// token, get it right, and come back.
func (f *floor) linkPages(ctx context.Context) ([]string, error) {
	c := f.config(f.now.Location(), true)
	c.LinkPage = linkBase + "/link/"
	f.bot.Configure(c)
	server, err := web.New(web.Config{PublicURL: linkBase, Links: desk{f.bot}})
	if err != nil {
		return nil, err
	}
	replies, err := f.say(ctx, "asha", "floor", "link")
	if err != nil {
		return nil, err
	}
	actions := replies[0].Message.Actions
	if len(actions) == 0 || actions[0].URL == "" {
		return nil, errors.New("/floor link offers no page")
	}
	a := f.sim.Agents()[0]
	var pages []string
	for _, entered := range []url.Values{
		nil,
		{"user_id": {a.UserID}, "token": {a.Token}},
		{"user_id": {a.UserID}, "token": {"not-hers"}, "confirm": {"yes"}},
		{"user_id": {a.UserID}, "token": {a.Token}, "confirm": {"yes"}},
		nil,
	} {
		html, err := visit(ctx, server, actions[0].URL, entered)
		if err != nil {
			return nil, err
		}
		pages = append(pages, html)
	}
	return pages, nil
}

// visit opens a page, or sends what was entered on it, and marks what is to be
// in the picture.
func visit(ctx context.Context, server http.Handler, address string, entered url.Values) (string, error) {
	method := http.MethodGet
	if entered != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(entered.Encode()))
	if err != nil {
		return "", err
	}
	r.RemoteAddr = "192.0.2.1:1"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	html := w.Body.Bytes()
	if !bytes.Contains(html, []byte("<body>")) {
		return "", fmt.Errorf("the link page has no body; it says %d", w.Code)
	}
	return string(bytes.Replace(html, []byte("<body>"), []byte(`<body id="card">`), 1)), nil
}

// desk is the bot as the link page sees it.
type desk struct{ bot *bot.Bot }

// Offer implements [web.Links].
func (d desk) Offer(ctx context.Context, ticket secret.Secret) (web.Offer, error) {
	o, err := d.bot.LinkOffer(ctx, ticket)
	if errors.Is(err, bot.ErrNoTicket) {
		err = web.ErrGone
	}
	return offered(o), err
}

// Redeem implements [web.Links].
func (d desk) Redeem(ctx context.Context, ticket secret.Secret, s web.Submission) (web.Result, error) {
	r, err := d.bot.RedeemLink(ctx, ticket, bot.LinkSubmission{
		Credential: dashboard.Credential{UserID: s.UserID, Token: s.Token, SSID: s.SSID}, Confirmed: s.Confirmed,
	})
	return web.Result{Offer: offered(r.Offer), Faults: r.Faults, Message: r.Message, Linked: r.Linked}, err
}

func offered(o bot.LinkOffer) web.Offer {
	return web.Offer{Who: o.Address, Name: "Asha Rao", Workspace: "Northwind Support", Command: o.Command, Expires: o.Expires, Tries: o.Tries, Relink: o.Relink}
}
