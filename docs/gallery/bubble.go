package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/chat"
)

// opening is when every part begins: a Wednesday, a quarter past three where the
// people in the pictures are. So the pictures are the same every time.
func opening() (time.Time, error) {
	zone, err := time.LoadLocation("Asia/Kolkata")
	return time.Date(2026, time.March, 4, 15, 14, 0, 0, zone), err
}

// playAll returns every network's cards of some parts, played one after another.
func playAll(t *testing.T, parts []part) (map[chat.Network][]card, error) {
	cards := map[chat.Network][]card{}
	for _, n := range networks() {
		for _, p := range parts {
			list, err := play(t, n.name, p)
			if err != nil {
				return nil, fmt.Errorf("play on %s: %w", n.name, err)
			}
			cards[n.name] = append(cards[n.name], list...)
		}
	}
	return cards, nil
}

// play returns the cards of a part as one network's people get them. It is played
// on a floor of its own, in a bubble in which waiting takes no time.
func play(t *testing.T, network chat.Network, p part) (cards []card, err error) {
	onFloor(t, network, func(ctx context.Context, f *floor) error {
		s := stage{floor: f, ctx: ctx}
		p(&s)
		cards = s.cards
		return s.err
	}, &err)
	return cards, err
}

// onFloor calls do with a new floor, in a bubble, and keeps what fails.
func onFloor(t *testing.T, network chat.Network, do func(context.Context, *floor) error, err *error) {
	synctest.Test(t, func(t *testing.T) {
		begin, zoneErr := opening()
		time.Sleep(time.Until(begin))
		f, floorErr := newFloor(network)
		if *err = errors.Join(zoneErr, floorErr); *err == nil {
			*err = errors.Join(do(t.Context(), f), f.close())
		}
	})
}
