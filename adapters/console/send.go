package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"floorwalker/bot/chart"
	"floorwalker/bot/chat"
)

// rememberedPosts is how many messages can still be edited.
const rememberedPosts = 1000

// A post is a message that was sent or answered.
type post struct {
	number  int
	ref     chat.Ref
	to      string       // a persona or a channel
	in      chat.Address // the channel it stands in; zero in a direct message
	heading string
	message chat.Message
}

// Send shows a message as a direct message or in a channel, at once or at the
// next "wait".
func (c *Console) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	if err := ctx.Err(); err != nil {
		return chat.Ref{}, err
	}
	p := &post{to: out.To.ID, heading: "DM to " + out.To.ID, message: out.Message}
	_, known := c.person(out.To.ID)
	switch channel := strings.HasPrefix(out.To.ID, "#") && len(out.To.ID) > 1; {
	case out.To.Network != chat.Console, !known && !channel:
		return chat.Ref{}, fmt.Errorf("send to %s: %w", out.To, chat.ErrGone)
	case channel && out.Message.Private:
		return chat.Ref{}, fmt.Errorf("send to %s: a private message to a channel: %w", out.To, chat.ErrRejected)
	case channel:
		p.in, p.heading = out.To, out.To.ID
	}
	if out.Resent {
		p.message.Footer = chat.Join(p.message.Footer, chat.T(" (re-sent)"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remember(p)
	c.post(p)
	return p.ref, nil
}

// Edit shows a message again, as edited.
func (c *Console) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.posts, func(p *post) bool { return p.ref == ref })
	if i < 0 {
		return fmt.Errorf("edit %s: %w", ref.ID, chat.ErrGone)
	}
	p := c.posts[i]
	p.message = m
	if !slices.Contains(c.held, p) {
		p.heading = strings.TrimSuffix(p.heading, " · edited") + " · edited"
		c.post(p)
	}
	return nil
}

// remember gives a post its reference. Called with mu held.
func (c *Console) remember(p *post) {
	c.ids++
	p.number = c.ids
	p.ref = chat.Ref{Network: chat.Console, ID: "m" + strconv.Itoa(c.ids)}
	if len(c.posts) >= rememberedPosts {
		c.posts = c.posts[1:]
	}
	c.posts = append(c.posts, p)
}

// post shows what was sent, or keeps it for the next "wait". Called with mu held.
func (c *Console) post(p *post) {
	if !c.live && !c.waiting {
		c.held = append(c.held, p)
		return
	}
	c.show(p)
}

// reply shows an answer, in place of a post if one is given, and returns its
// post.
func (c *Console) reply(r chat.Request, m chat.Message, on *post) *post {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &post{to: r.From.ID, in: r.In, heading: r.From.ID, message: m}
	switch {
	case m.Private:
		p.heading += " · only you see this"
	case !r.In.IsZero():
		p.to, p.heading = r.In.ID, r.In.ID
	}
	if on != nil {
		p.heading += " · updated"
		if c.last[on.audience()] == on {
			delete(c.last, on.audience()) // its buttons are gone with it
		}
	}
	c.remember(p)
	c.show(p)
	return p
}

// show prints a post as a card and makes its buttons the ones to press. Called
// with mu held.
func (c *Console) show(p *post) {
	width := c.width()
	p.message = chat.Fit(p.message, limits(width))
	var files []line
	for _, f := range p.message.Files {
		files = append(files, wrap(c.file(f), width-frame)...)
	}
	for _, b := range p.message.Blocks {
		if ch, ok := b.(chat.Chart); ok && c.config.Pictures {
			files = append(files, wrap(c.picture(ch), width-frame)...)
		}
	}
	c.print(drawCard(p.heading, p.message, files, width))
	if len(p.message.Actions) > 0 {
		c.last[p.audience()] = p
	} else if c.last[p.audience()] == p {
		delete(c.last, p.audience())
	}
}

// audience returns the persona who can press the post's buttons, "" for
// everybody.
func (p *post) audience() string {
	if strings.HasPrefix(p.to, "#") {
		return ""
	}
	return p.to
}

// pressable returns the last card with buttons that the persona can see.
func (c *Console) pressable() *post {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, all := c.last[c.persona], c.last[""]
	if own == nil || all != nil && all.number > own.number {
		return all
	}
	return own
}

// file writes a file and says where.
func (c *Console) file(f chat.File) []run {
	runs := []run{{"File ", dim}, {f.Name, bold}}
	if f.Alt != "" {
		runs = append(runs, run{" (" + f.Alt + ")", dim})
	}
	path, err := c.save(f)
	if err != nil {
		return append(runs, run{" could not be written: " + chat.OneLine(err.Error()), red})
	}
	return append(runs, run{" is at " + path, plain})
}

// picture writes a chart as a picture and returns the words that say where.
func (c *Console) picture(ch chat.Chart) []run {
	data, err := chart.PNG(ch, chart.Options{})
	if err != nil {
		return []run{{"No picture: " + chat.OneLine(err.Error()), dim}}
	}
	return c.file(chat.File{Name: "chart.png", Type: "image/png", Data: data})
}

// save writes a file into the console's folder, readable by its owner only, and
// returns its path. An existing file is never overwritten.
func (c *Console) save(f chat.File) (string, error) {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "floorwalker-")
		if err != nil {
			return "", err
		}
		c.dir = dir
	}
	name := safeName(f.Name)
	ext := filepath.Ext(name)
	for n := 1; ; n++ {
		path := filepath.Join(c.dir, name)
		if n > 1 {
			path = filepath.Join(c.dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext))
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) && n < 1000 {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = file.Write(f.Data)
		if closed := file.Close(); err == nil {
			err = closed
		}
		return path, err
	}
}

// safeName returns a file name of letters, digits, dots and dashes, because the
// name comes from outside.
func safeName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, s)
	s = strings.Trim(s, "._")
	if len(s) > 100 {
		s = s[len(s)-100:] // the end holds the extension
	}
	if s == "" {
		return "file"
	}
	return s
}
