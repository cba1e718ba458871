package slack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

const resent = "(re-sent)"

// Send posts a message to a channel or to a person's direct messages. It waits
// at most two seconds for its turn; then, or after a 429, it returns a
// [chat.RetryError]. A form that Slack refuses is drawn once without tables and
// charts and once as text, before it is [chat.ErrRejected].
//
// A file that could not be attached is logged and named in a message of its own:
// the message itself has arrived.
func (a *Adapter) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	return a.send(ctx, out, patience)
}

// send is Send with another time to wait for the turn.
func (a *Adapter) send(ctx context.Context, out chat.Outgoing, budget time.Duration) (chat.Ref, error) {
	if out.To.Network != chat.Slack {
		return chat.Ref{}, fmt.Errorf("slack: %q is no address of this network: %w", out.To, chat.ErrRejected)
	}
	channel, err := a.conversation(ctx, out.To.ID, budget)
	if err != nil {
		return chat.Ref{}, err
	}
	if out.Message.Private && !isDM(channel) {
		return chat.Ref{}, fmt.Errorf("slack: a private message for the channel %s: %w", channel, chat.ErrRejected)
	}
	var posted chat.Ref
	err = a.degrade(ctx, out.Message, inChannel(channel), func(c card) error {
		return a.call(ctx, "chat.postMessage", channel, budget, func() error {
			id, ts, err := a.api.PostMessageContext(ctx, channel, c.options(out)...)
			posted = ref(id, ts)
			return err
		})
	})
	if err != nil {
		a.forget(out.To.ID, err)
		return chat.Ref{}, err
	}
	a.attachTo(ctx, channel, out.Message.Files)
	return posted, nil
}

// inChannel returns how a message is drawn in a conversation.
func inChannel(channel string) drawing { return drawing{place: place{public: !isDM(channel)}} }

// options returns a card with what belongs to the way out.
func (c card) options(out chat.Outgoing) []slack.MsgOption {
	if out.Resent {
		c.text = resent + " " + c.text
		marker := quiet(resent)
		if len(c.bar) > 0 {
			c.bar = append(slices.Clip(c.bar), marker)
		} else if len(c.blocks) > 0 {
			c.blocks = append(slices.Clip(c.blocks), marker)
		}
	}
	options := []slack.MsgOption{
		slack.MsgOptionText(c.text, false), // escaped already
		slack.MsgOptionBlocks(c.blocks...),
		slack.MsgOptionAttachments(c.attachments()...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
	if out.Key != "" {
		options = append(options, slack.MsgOptionMetadata(keyed(out.Key)))
	}
	return options
}

// keyed returns what lets a message be found again. Everybody in the workspace
// can read it, and a key holds names, so it is a hash.
func keyed(key string) slack.SlackMetadata {
	sum := sha256.Sum256([]byte(key))
	return slack.SlackMetadata{EventType: "floorwalker", EventPayload: map[string]any{"key": hex.EncodeToString(sum[:16])}}
}

// attachments returns the coloured bar, or an empty list that removes one.
func (c card) attachments() []slack.Attachment {
	if len(c.bar) == 0 {
		return []slack.Attachment{}
	}
	return []slack.Attachment{{Color: c.color, Fallback: c.text, Blocks: slack.Blocks{BlockSet: c.bar}}}
}

// Edit replaces a message. Of several edits of one message that wait at once
// only the newest is made, and the others return nil: what they said is
// outdated. Files of m are not added.
func (a *Adapter) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	return a.edit(ctx, ref, m, patience)
}

// edit is Edit with another time to wait for the turn.
func (a *Adapter) edit(ctx context.Context, ref chat.Ref, m chat.Message, budget time.Duration) error {
	channel, ts, ok := strings.Cut(ref.ID, ":")
	if !ok || ref.Network != chat.Slack {
		return fmt.Errorf("slack: %q names no message: %w", ref.ID, chat.ErrGone)
	}
	e, mine := a.joinEdit(ref.ID)
	defer a.leaveEdit(ref.ID, e)
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return a.degrade(ctx, m, inChannel(channel), func(c card) error {
		if !a.newest(e, mine) {
			return nil
		}
		if err := a.limits.wait(ctx, "chat.update", channel, budget); err != nil {
			return err
		}
		if !a.newest(e, mine) {
			return nil
		}
		_, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, c.options(chat.Outgoing{})...)
		return a.judge("chat.update", channel, err)
	})
}

// editing is a message that is being edited.
type editing struct {
	turn   chan struct{} // of size one: edits of a message do not overtake each other
	newest int           // guarded by the adapter's mu, as is the rest
	users  int
}

func (a *Adapter) joinEdit(id string) (e *editing, mine int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e = a.edits[id]
	if e == nil {
		e = &editing{turn: make(chan struct{}, 1)}
		a.edits[id] = e
	}
	e.newest++
	e.users++
	return e, e.newest
}

func (a *Adapter) leaveEdit(id string, e *editing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.users--; e.users == 0 {
		delete(a.edits, id)
	}
}

func (a *Adapter) newest(e *editing, mine int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return e.newest == mine
}

// conversation returns the id of a channel to post to: for a person that of
// their direct messages, because a message there can be edited only by it.
func (a *Adapter) conversation(ctx context.Context, id string, budget time.Duration) (string, error) {
	if !isUser(id) {
		return id, nil
	}
	a.mu.Lock()
	dm := a.dms[id]
	a.mu.Unlock()
	if dm != "" {
		return dm, nil
	}
	err := a.call(ctx, "conversations.open", "", budget, func() error {
		c, _, _, err := a.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{id}})
		if err == nil {
			dm = c.ID
		}
		return err
	})
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dms[id] = dm
	return dm, nil
}

// forget drops what is known of a destination that is gone: a person who comes
// back has other direct messages.
func (a *Adapter) forget(id string, err error) {
	if errors.Is(err, chat.ErrGone) {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.dms, id)
	}
}

// refusals remembers what the workspace does not take: tables and charts come to
// workspaces one after another.
type refusals struct{ tables, charts time.Time }

// refusedFor is how long that is believed.
const refusedFor = 7 * 24 * time.Hour

// degrade has a message sent, ever more plainly until Slack takes its form: as
// it is meant, without tables and charts, as text.
func (a *Adapter) degrade(ctx context.Context, m chat.Message, d drawing, send func(card) error) error {
	d = a.allowed(d, time.Now())
	err := a.try(ctx, d.draw(m), send)
	if !errors.Is(err, chat.ErrRejected) {
		return err
	}
	plainer := d
	plainer.noTables, plainer.noCharts = true, true
	if plainer != d && slices.ContainsFunc(m.Blocks, drawn) {
		if err = a.try(ctx, plainer.draw(m), send); !errors.Is(err, chat.ErrRejected) {
			if err == nil {
				a.refused(m, time.Now())
			}
			return err
		}
	}
	return a.try(ctx, card{text: textOnly(m)}, send)
}

// try sends a card, unless our own checks refuse it.
func (a *Adapter) try(ctx context.Context, c card, send func(card) error) error {
	if problems := c.problems(); len(problems) > 0 {
		a.complain(ctx, problems)
		return fmt.Errorf("slack: %s: %w", problems[0], chat.ErrRejected)
	}
	err := send(c)
	if errors.Is(err, chat.ErrRejected) {
		a.log.ErrorContext(ctx, "a message's form was refused", "err", err)
	}
	return err
}

// complain logs what our own checks found: a fault of this program.
func (a *Adapter) complain(ctx context.Context, problems []string) {
	if len(problems) > 0 {
		a.log.ErrorContext(ctx, "a card breaks Slack's limits", "problems", problems)
	}
}

// allowed returns d without what the workspace refused lately.
func (a *Adapter) allowed(d drawing, now time.Time) drawing {
	a.mu.Lock()
	defer a.mu.Unlock()
	d.noTables = d.noTables || now.Before(a.refusals.tables)
	d.noCharts = d.noCharts || now.Before(a.refusals.charts)
	return d
}

// refused remembers that the workspace took a message only without its tables
// and charts.
func (a *Adapter) refused(m chat.Message, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range m.Blocks {
		switch b.(type) {
		case chat.Table:
			a.refusals.tables = now.Add(refusedFor)
		case chat.Chart:
			a.refusals.charts = now.Add(refusedFor)
		}
	}
}

// attachTo uploads files to a conversation, below the message they belong to.
func (a *Adapter) attachTo(ctx context.Context, channel string, files []chat.File) {
	for _, f := range files {
		err := a.upload(ctx, channel, f)
		if err == nil {
			continue
		}
		a.log.ErrorContext(ctx, "a file was not attached", "err", err)
		sorry := note("", "The file "+fileName(f)+" could not be attached: "+uploadAdvice(err))
		sorry.Private = isDM(channel)
		if _, err := a.Send(ctx, chat.Outgoing{To: chat.Address{Network: chat.Slack, ID: channel}, Message: sorry}); err != nil {
			a.log.ErrorContext(ctx, "a missing file was not reported", "err", err)
		}
	}
}

// uploadTo uploads a file to a person's direct messages.
func (a *Adapter) uploadTo(ctx context.Context, to chat.Address, f chat.File) error {
	channel, err := a.conversation(ctx, to.ID, noHurry)
	if err != nil {
		return err
	}
	return a.upload(ctx, channel, f)
}

// upload shares a file in a conversation.
func (a *Adapter) upload(ctx context.Context, channel string, f chat.File) error {
	if len(f.Data) == 0 {
		return fmt.Errorf("slack: the file %s is empty: %w", f.Name, chat.ErrRejected)
	}
	return a.call(ctx, "files.completeUploadExternal", "", noHurry, func() error {
		_, err := a.api.UploadFileContext(ctx, slack.UploadFileParameters{
			Reader: bytes.NewReader(f.Data), FileSize: len(f.Data), Filename: fileName(f), Title: fileName(f),
			AltTxt: chat.Clip(chat.OneLine(f.Alt), maxAlt, func(s string) int { return len(s) }), Channel: channel,
		})
		return err
	})
}

// maxAlt is in bytes: Slack says 1,000 characters, and not of which kind.
const maxAlt = 1000

// fileName returns a file's name as it is uploaded: short, on one line, and
// without anything that could be a folder.
func fileName(f chat.File) string {
	name := strings.NewReplacer("/", "-", `\`, "-").Replace(chat.OneLine(f.Name))
	return cmp.Or(chat.Clip(name, 100, nil), "file")
}

var pointer = regexp.MustCompile(`\[json-pointer:([^\]]*)\]`)

// pointers returns where Slack found a fault, from its answer. The rest of the
// answer can quote what people wrote.
func pointers(messages []string) string {
	var found []string
	for _, m := range messages {
		for _, p := range pointer.FindAllStringSubmatch(m, -1) {
			found = append(found, p[1])
		}
	}
	return strings.Join(found, " ")
}
