package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"floorwalker/bot/chat"
)

// Why a network's events trouble the administrators, in the words that they read.
var (
	errDeleted = fmt.Errorf("it was deleted or archived: %w", chat.ErrGone)
	errRemoved = errors.New("the app was removed there")
)

// Event takes up what a network tells unasked. The administrators hear of a
// team's channel that is gone, and on another network of one that the app was
// removed from, at once and not when the next message for it is due. Each is told
// as rarely as what deliveries find out themselves, and not beside it.
func (b *Bot) Event(ctx context.Context, e chat.Event) {
	b.log.InfoContext(ctx, "network event", "network", e.By, "kind", int(e.Kind), "destination", e.Gone.String())
	var err error
	switch e.Kind {
	case chat.EventGone:
		err = b.channelTrouble(e.Gone, errDeleted, time.Now())
	case chat.EventRemoved:
		err = b.NetworkStopped(e.By, errRemoved)
	}
	if err != nil {
		b.log.ErrorContext(ctx, "nobody is told of a network's event", "network", e.By, "err", err)
	}
}
