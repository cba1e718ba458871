package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

const (
	// maxLookups bounds how many linked users are looked up, and lookupTime how
	// long that may take: networks allow some hundred a minute.
	maxLookups = 100
	lookupTime = 30 * time.Second
)

// networks lets every adapter look at its own set-up.
func (d *doctor) networks(ctx context.Context) {
	if d.config.On(chat.Console) {
		d.warn("networks", "no chat network is configured", "Set slack.bot_token and slack.app_token: floorwalker manifest slack prints the app to create.")
	}
	for _, a := range d.adapters {
		if a.Network() == chat.Console {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		for _, f := range a.Check(ctx) {
			d.note(f)
			d.broken[a.Network()] = d.broken[a.Network()] || f.Level == chat.LevelFault
		}
		cancel()
	}
}

// adapter returns the adapter of a network, nil if the network is off.
func (d *doctor) adapter(n chat.Network) chat.Adapter {
	i := slices.IndexFunc(d.adapters, func(a chat.Adapter) bool { return a.Network() == n })
	if i < 0 {
		return nil
	}
	return d.adapters[i]
}

// A role is why an address is in the configuration.
type role struct {
	name    string
	address chat.Address
}

// told returns everybody who is told of alerts.
func (d *doctor) told() []role {
	var all []role
	for _, a := range d.config.Admins {
		all = append(all, role{"admin", a})
	}
	for _, t := range d.config.Teams {
		for _, s := range t.Supervisors {
			for _, a := range s.IDs {
				all = append(all, role{"supervisor", a})
			}
		}
	}
	return all
}

// people looks up everybody who is told of alerts: an alert to a wrong id is
// never heard. Where that cannot work, it says so once.
func (d *doctor) people(ctx context.Context) {
	skipped := map[chat.Network]bool{}
	for _, r := range d.told() {
		n := r.address.Network
		a := d.adapter(n)
		if a == nil || d.known[r.address] {
			continue
		}
		if !d.broken[n] {
			d.person(ctx, a, r)
		} else if !skipped[n] {
			skipped[n] = true
			d.warn("people", fmt.Sprintf("on %s: not looked up, see above", n), "")
		}
	}
}

// person looks up one of those who are told.
func (d *doctor) person(ctx context.Context, a chat.Adapter, r role) {
	person, err := a.Lookup(ctx, r.address.ID)
	d.known[r.address] = true
	switch {
	case err == nil:
		d.ok(r.name, "%s is %s", r.address, cutText(person.Name, 60))
	case errors.Is(err, chat.ErrGone):
		d.fault(r.name, fmt.Sprintf("%s is deactivated or unknown", r.address), "Correct the id: "+idMenu[r.address.Network]+".")
	case isRefusal(err):
		d.broken[a.Network()] = true
		d.warn("people", fmt.Sprintf("on %s: not looked up: %s", a.Network(), bare(err)), nextFor(a.Network(), err))
	default:
		d.warn(r.name, fmt.Sprintf("%s could not be looked up: %s", r.address, bare(err)), "Run doctor again in a minute.")
	}
}

// linked looks up those who are linked, as far as time allows: what is stored of
// somebody who has left is to be deleted.
func (d *doctor) linked(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var off, gone []chat.Address
	asked, there, left := 0, 0, 0
	for _, l := range d.links {
		addr, err := chat.ParseAddress(l.User)
		if err != nil {
			continue // the store has refused it
		}
		a := d.adapter(addr.Network)
		switch {
		case d.config.off(addr.Network) != "":
			off = append(off, addr)
			continue
		case a == nil || d.known[addr] || d.broken[addr.Network]:
			continue
		case asked == maxLookups || ctx.Err() != nil:
			left++
			continue
		}
		asked++
		_, err = a.Lookup(ctx, addr.ID)
		switch {
		case err == nil:
			there++
		case errors.Is(err, chat.ErrGone):
			gone = append(gone, addr)
		}
	}
	if there > 0 {
		d.ok("links", "%d of %s found on their network%s", there, count(asked, "linked user"), leftWords(left))
	}
	if len(gone) > 0 {
		d.warn("links", are(len(gone), "linked user")+" deactivated or unknown: "+firstOf(gone), "floorwalker unlink USER deletes what is stored of them.")
	}
	if len(off) > 0 {
		d.warn("links", are(len(off), "linked user")+" on a network that is off: "+firstOf(off), d.config.off(off[0].Network)+".")
	}
}

func leftWords(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d more not looked up", n)
}

// firstOf lists three addresses, and how many there are besides.
func firstOf(list []chat.Address) string {
	var texts []string
	for _, a := range list[:min(len(list), 3)] {
		texts = append(texts, a.String())
	}
	text := strings.Join(texts, ", ")
	if more := len(list) - len(texts); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// post sends a short message to every channel. Where one shows that the token is
// dead, the others would show the same.
func (d *doctor) post(ctx context.Context) {
	dead := map[chat.Network]bool{}
	for _, t := range d.config.Teams {
		for _, channel := range t.Channels {
			if a := d.adapter(channel.Network); a != nil && !dead[channel.Network] {
				dead[channel.Network] = errors.Is(d.postTo(ctx, a, channel, t.Name), chat.ErrFinal)
			}
		}
	}
}

// postTo sends a message to a team's channel, and returns the error that it has
// noted.
func (d *doctor) postTo(ctx context.Context, a chat.Adapter, channel chat.Address, team string) error {
	m := chat.Message{Title: "Floorwalker can post here", Blocks: []chat.Block{
		chat.Paragraph{Text: chat.T("This is a test by an administrator. Digests of team " + team + " will appear here.")}}}
	_, err := a.Send(ctx, chat.Outgoing{To: channel, Message: m, Key: "doctor/" + channel.String() + "/" + time.Now().Format(time.RFC3339)})
	if err != nil {
		d.fault("channel", fmt.Sprintf("%s of team %s: %s", channel, team, bare(err)), nextFor(a.Network(), err))
		return err
	}
	d.ok("channel", "%s of team %s: posted", channel, team)
	return nil
}

// isRefusal reports whether every other call will be refused too.
func isRefusal(err error) bool {
	return errors.Is(err, chat.ErrFinal) || errors.Is(err, chat.ErrRefused)
}

// bare returns an adapter's error without what is for the program: the name of
// the network, of the call, and of the class.
func bare(err error) string {
	text := err.Error()
	for _, class := range []error{chat.ErrGone, chat.ErrRejected, chat.ErrBarred, chat.ErrRefused, chat.ErrUnclear, chat.ErrFinal} {
		text = strings.ReplaceAll(text, ": "+class.Error(), "")
	}
	for _, n := range chat.Networks() {
		text = strings.TrimPrefix(text, string(n)+": ")
	}
	if call, rest, ok := strings.Cut(text, ": "); ok && strings.Contains(call, ".") && !strings.Contains(call, " ") {
		text = rest // such as chat.postMessage
	}
	return text
}

// nextFor says what to do about an adapter's error.
func nextFor(n chat.Network, err error) string {
	switch {
	case errors.Is(err, chat.ErrBarred) && n == chat.Slack:
		return "Invite the bot to the channel: /invite @floorwalker. If it is there, let it post."
	case errors.Is(err, chat.ErrBarred):
		return "Give the bot the permission to send messages there."
	case errors.Is(err, chat.ErrGone) && n == chat.Slack:
		return "Invite the bot to the channel: /invite @floorwalker. Or correct the id: it is at the end of the channel's details."
	case errors.Is(err, chat.ErrGone):
		return "Let the bot see the channel, or correct the id."
	case errors.Is(err, chat.ErrRefused) && n == chat.Slack:
		return "Compare the app's scopes with floorwalker manifest slack, add what is missing, and install the app again."
	case errors.Is(err, chat.ErrRefused):
		return "Invite the bot again, with what floorwalker manifest " + string(n) + " prints."
	case errors.Is(err, chat.ErrFinal):
		return "Copy the bot token again to " + string(n) + ".bot_token."
	}
	return "Run doctor again in a minute."
}
