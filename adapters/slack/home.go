package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// maxPage is a home page's size: Slack takes a view of 250 kB, with what it adds
// itself.
const maxPage = 200_000

// drawPage draws the cards of a home page below each other. What does not fit is
// counted, the last cards first.
func drawPage(cards []chat.Message) []slack.Block {
	var page []slack.Block
	size := 0
	for i, m := range cards {
		blocks := drawing{surface: inHome}.draw(m).blocks
		if i > 0 {
			blocks = append([]slack.Block{slack.NewDividerBlock()}, blocks...)
		}
		size += sizeOf(blocks)
		if len(page)+len(blocks) >= maxViewBlocks || size > maxPage {
			return append(page, quiet(fmt.Sprintf("+%d more", len(cards)-i)))
		}
		page = append(page, blocks...)
	}
	return page
}

// sizeOf returns how many bytes blocks are as JSON.
func sizeOf(blocks []slack.Block) int {
	b, err := json.Marshal(blocks)
	if err != nil {
		return maxPage
	}
	return len(b)
}

// openHome has the bot fill a person's home page.
func (s *session) openHome(ctx context.Context, user, request string, v view) {
	to := s.responder(user, "", "")
	to.view = v
	to.view.Type = "home"
	s.answer(ctx, chat.Request{ID: request, Kind: chat.KindHome, From: person(user), At: time.Now(), SecretForms: true}, to)
}

// publish fills the person's home page. One that stands there already is not
// published again: its private_metadata is the digest of what it shows. Pages of
// one person do not overtake each other, and one that somebody waits to replace
// is left out. If Slack has another page than the one we know, a newer one of an
// older run, it is replaced: the newest is the one that was just made.
func (r *responder) publish(ctx context.Context, cards []chat.Message) error {
	blocks := drawPage(cards)
	r.s.complain(ctx, homeProblems(blocks))
	page := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}, PrivateMetadata: digest(blocks)}
	if r.view.PrivateMetadata == page.PrivateMetadata {
		return nil
	}
	id := "home " + r.user
	e, mine := r.s.joinEdit(id)
	defer r.s.leaveEdit(id, e)
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !r.s.newest(e, mine) {
		return nil
	}
	err := r.put(ctx, page, r.view.Hash)
	if err != nil && r.view.Hash != "" && strings.Contains(err.Error(), "hash_conflict") {
		err = r.put(ctx, page, "")
	}
	return err
}

// put publishes a page if Slack's hash of the one in its place is this one; ""
// is any. It remembers what stands there then.
func (r *responder) put(ctx context.Context, page slack.HomeTabViewRequest, hash string) error {
	request := slack.PublishViewContextRequest{UserID: r.user, View: page}
	if hash != "" {
		request.Hash = &hash
	}
	return r.s.call(ctx, "views.publish", "", noHurry, func() error {
		stands, err := r.s.api.PublishViewContext(ctx, request)
		if err == nil {
			r.view.Hash, r.view.PrivateMetadata = stands.Hash, page.PrivateMetadata
		}
		return err
	})
}

// digest returns a digest of what blocks show.
func digest(blocks []slack.Block) string {
	b, err := json.Marshal(blocks)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
