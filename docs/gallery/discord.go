package main

import (
	"context"
	"encoding/json"

	"floorwalker/adapters/discord"
	"floorwalker/bot/chat"
)

// drawDiscord has Discord's adapter draw the cards and node make pages of that.
func drawDiscord(ctx context.Context, look string, cards []card) ([]page, error) {
	var jobs []job
	for _, c := range cards {
		_, offset := c.at.Zone()
		j := job{Network: chat.Discord, Theme: theme(look), Kind: "message", At: c.at, Offset: offset, People: c.people}
		var err error
		j.Drawing, err = drawingOnDiscord(c)
		if err != nil {
			return nil, err
		}
		if c.form != nil {
			j.Kind = "form"
		} else {
			j.Only = !c.sent && c.message.Private
		}
		jobs = append(jobs, j)
	}
	return pagesOf(ctx, look, cards, jobs)
}

func drawingOnDiscord(c card) (json.RawMessage, error) {
	if c.form != nil {
		return discord.DrawForm(*c.form)
	}
	return discord.Draw(c.message, c.sent)
}
