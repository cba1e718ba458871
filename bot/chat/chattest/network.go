package chattest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// A Network is a chat network in memory together with its adapter. People act
// on it with [Network.Do], what they see is [Network.Sees], and
// [Network.Idle] waits until everything is answered, so that a test needs no
// other waiting. It passes the conformance test.
//
// It may be used inside a synctest bubble if it was made there.
type Network struct {
	name chat.Network
	wake chan struct{} // one slot: there are new acts

	mu       sync.Mutex // guards what follows
	idle     *sync.Cond // on mu: pending fell to 0
	pending  int        // acts not answered yet, queued ones included
	queue    []Act
	acked    int
	stalled  chan struct{} // closed when calls go on; nil while they do
	people   map[string]chat.Person
	channels map[string]bool
	barred   map[string]bool // channels that the bot may not write to
	faults   []fault
	posts    []*post
	sent     []chat.Outgoing
	last     int // the last id given out

	complaints []error
}

// A fault is what happens to the next call.
type fault struct {
	err  error
	late bool // the message arrives all the same
}

// A post is a message or a form on people's screens.
type post struct {
	id      string
	to      string // a person or a channel
	viewer  string // the only one who sees it, "" for everybody there
	message chat.Message
	form    *chat.Form
}

// roomy are limits wide enough for any sensible message, so that tests see
// what was said, and narrow enough that an endless one shows.
var roomy = chat.Limits{Total: 12000, Title: 150, Blocks: 50, Facts: 40, Rows: 100, Columns: 20, Actions: 25, ActionLabel: 75}

// NewNetwork returns a network without people.
func NewNetwork(name chat.Network) *Network {
	n := &Network{
		name: name, wake: make(chan struct{}, 1),
		people: map[string]chat.Person{}, channels: map[string]bool{}, barred: map[string]bool{},
	}
	n.idle = sync.NewCond(&n.mu)
	return n
}

// AddPerson makes a person known.
func (n *Network) AddPerson(id string, p chat.Person) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.people[id] = p
}

// AddChannel makes a channel that everybody can read.
func (n *Network) AddChannel(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.channels[id] = true
}

// Bar forbids the bot to write to a channel, or allows it again.
func (n *Network) Bar(id string, yes bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.barred[id] = yes
}

// Remove makes a person or a channel unknown: what is sent there is gone.
func (n *Network) Remove(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.people, id)
	delete(n.channels, id)
}

// Delete takes a message off everybody's screen, as its readers may do.
func (n *Network) Delete(ref chat.Ref) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.posts = slices.DeleteFunc(n.posts, func(p *post) bool { return n.ref(p) == ref })
}

// Fail makes the next calls of Send and Edit return an error. Nothing arrives.
func (n *Network) Fail(err error, calls int) { n.fail(fault{err: err}, calls) }

// FailLate makes the next calls of Send and Edit return an error although the
// message arrives, as when an answer is lost.
func (n *Network) FailLate(err error, calls int) { n.fail(fault{err: err, late: true}, calls) }

func (n *Network) fail(f fault, calls int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, slices.Repeat([]fault{f}, calls)...)
}

// Stall makes calls of Send and Edit wait until their context ends or until
// Stall is called with false.
func (n *Network) Stall(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case on && n.stalled == nil:
		n.stalled = make(chan struct{})
	case !on && n.stalled != nil:
		close(n.stalled)
		n.stalled = nil
	}
}

// Sent returns what was delivered by Send, in order, as it was given.
func (n *Network) Sent() []chat.Outgoing {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sent)
}

// Acked returns how many acts the adapter has taken.
func (n *Network) Acked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.acked
}

// Idle waits until everything that people did is answered.
func (n *Network) Idle() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.pending > 0 {
		n.idle.Wait()
	}
}

// Do makes a person do something. If the adapter is not running, it is done when
// it runs. It returns an error if the person cannot do it.
func (n *Network) Do(a Act) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.people[a.User]; !ok {
		return fmt.Errorf("there is no %s on %s", a.User, n.name)
	}
	if a.Kind == chat.KindAction {
		if _, _, err := n.button(a); err != nil {
			return err
		}
	}
	if a.Event == "" {
		a.Event = n.id("event")
	}
	n.queue = append(n.queue, a)
	n.pending++
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil
}

// button finds the button of an act. Called with mu held.
func (n *Network) button(a Act) (*post, chat.Action, error) {
	for _, p := range n.posts {
		if p.id != a.On || !p.shows(a.User) {
			continue
		}
		for _, b := range p.message.Actions {
			if b.Label == a.Label && b.URL == "" {
				return p, b, nil
			}
		}
	}
	return nil, chat.Action{}, fmt.Errorf("%s sees no button %q on %q", a.User, a.Label, a.On)
}

// Sees returns what a person sees, as [Harness.Sees] says. A message's Text is
// its plain form.
func (n *Network) Sees(user string) []Seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []Seen
	for _, p := range n.posts {
		if p.shows(user) {
			all = append(all, p.seen(n.channels[p.to]))
		}
	}
	return all
}

// shows reports whether a person sees the post.
func (p *post) shows(user string) bool {
	if p.viewer != "" {
		return p.viewer == user
	}
	return true
}

func (p *post) seen(channel bool) Seen {
	s := Seen{ID: p.id, Private: p.viewer != ""}
	if channel {
		s.In = p.to
	}
	if p.form != nil {
		form := *p.form
		s.Form, s.Asked, s.Text = true, &form, form.Plain()
		return s
	}
	m := p.message
	s.Message, s.Text = &m, m.Plain()
	for _, a := range m.Actions {
		s.Buttons = append(s.Buttons, a.Label)
	}
	return s
}

// id gives out a name. Called with mu held.
func (n *Network) id(kind string) string {
	n.last++
	return fmt.Sprintf("%s-%d", kind, n.last)
}

// Network returns the name given to [NewNetwork].
func (n *Network) Network() chat.Network { return n.name }

// Check finds nothing wrong.
func (n *Network) Check(context.Context) []chat.Finding {
	return []chat.Finding{{Level: chat.LevelOK, Check: string(n.name), Message: "It is a network in memory."}}
}

// Lookup returns a person that was added.
func (n *Network) Lookup(ctx context.Context, id string) (chat.Person, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.people[id]
	if !ok {
		return p, fmt.Errorf("look up %s: %w", id, chat.ErrGone)
	}
	return p, ctx.Err()
}

// Send posts a message.
func (n *Network) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	late, err := n.obstacle(ctx)
	if err != nil && !late {
		return chat.Ref{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &post{to: out.To.ID}
	switch _, known := n.people[out.To.ID]; {
	case out.To.Network == n.name && known:
		p.viewer = out.To.ID
	case out.To.Network != n.name || !n.channels[out.To.ID]:
		return chat.Ref{}, fmt.Errorf("send to %s: %w", out.To, chat.ErrGone)
	case n.barred[out.To.ID]:
		return chat.Ref{}, fmt.Errorf("send to %s: the bot may not write there: %w", out.To, chat.ErrBarred)
	case out.Message.Private:
		return chat.Ref{}, fmt.Errorf("send to %s, which is a channel: the message is private: %w", out.To, chat.ErrRejected)
	}
	n.sent = append(n.sent, out)
	m := out.Message
	if out.Resent {
		m.Footer = chat.Join(m.Footer, chat.T(" (re-sent)"))
	}
	p.id, p.message = n.id("message"), chat.Fit(m, roomy)
	n.posts = append(n.posts, p)
	return n.ref(p), err
}

// Edit replaces a message.
func (n *Network) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	late, err := n.obstacle(ctx)
	if err != nil && !late {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.posts, func(p *post) bool { return n.ref(p) == ref && p.form == nil })
	if i < 0 {
		return fmt.Errorf("edit %s: %w", ref.ID, chat.ErrGone)
	}
	n.posts[i].message = chat.Fit(m, roomy)
	return err
}

func (n *Network) ref(p *post) chat.Ref { return chat.Ref{Network: n.name, ID: p.id} }

// obstacle returns the error that a call meets, and whether it arrives all the
// same. It waits while the network is stalled.
func (n *Network) obstacle(ctx context.Context) (late bool, err error) {
	n.mu.Lock()
	stalled := n.stalled
	n.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.faults) == 0 {
		return false, nil
	}
	f := n.faults[0]
	n.faults = n.faults[1:]
	return f.late, f.err
}

// Run hands what people do to app until ctx is done.
func (n *Network) Run(ctx context.Context, app chat.App) error {
	pool := chat.NewPool(chat.PoolConfig{Panicked: func(value any, stack []byte) {
		n.complain(fmt.Errorf("panic: %v\n%s", value, stack))
	}})
	for {
		select {
		case <-ctx.Done():
			pool.Drain()
			return nil
		case <-n.wake:
		}
		for a, ok := n.next(); ok; a, ok = n.next() {
			if !pool.Go(func(ctx context.Context) { n.serve(ctx, app, a) }) {
				n.answered()
			}
		}
	}
}

// next takes the next act from the queue.
func (n *Network) next() (Act, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == 0 {
		return Act{}, false
	}
	a := n.queue[0]
	n.queue = n.queue[1:]
	n.acked++
	return a, true
}

// answered notes that an act is done with.
func (n *Network) answered() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending--; n.pending == 0 {
		n.idle.Broadcast()
	}
}

// serve answers one act.
func (n *Network) serve(ctx context.Context, app chat.App, a Act) {
	defer n.answered()
	s, err := n.receive(a)
	if err != nil {
		return // the button is gone: the person sees that
	}
	err = chat.Answer(ctx, app, s.request, s.show)
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		n.complain(fmt.Errorf("%s %s: an error that is none of the contract's: %w", a.Command, a.Text, err))
	}
}

func (n *Network) complain(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.complaints = append(n.complaints, err)
}

// Complaints returns what the app did against its contract: panics, and errors
// that it should have explained to the person.
func (n *Network) Complaints() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.complaints)
}

// A showing is one act on its way: the request, and where its answer is shown.
type showing struct {
	n       *Network
	act     Act
	request chat.Request
	on      *post // what the next answer takes the place of; nil for a new post
}

// receive turns an act into a request.
func (n *Network) receive(a Act) (*showing, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &showing{n: n, act: a, request: chat.Request{
		ID: a.Event, Kind: a.Kind, From: chat.Address{Network: n.name, ID: a.User}, Name: n.people[a.User].Name,
		At: time.Now(), SecretForms: true, Command: a.Command, Text: a.Text,
	}}
	if a.In != "" {
		s.request.In = chat.Address{Network: n.name, ID: a.In}
	}
	switch a.Kind {
	case chat.KindAction:
		p, b, err := n.button(a)
		if err != nil {
			return nil, err
		}
		s.request.Action, s.request.Ref = chat.Action{ID: b.ID, Value: b.Value}, n.ref(p)
		if b.Replace {
			s.on = p
		}
	case chat.KindForm:
		i := slices.IndexFunc(n.posts, func(p *post) bool { return p.id == a.On && p.form != nil && p.viewer == a.User })
		if i < 0 {
			return nil, fmt.Errorf("%s has no open form %q", a.User, a.On)
		}
		f := n.posts[i].form
		n.posts = slices.Delete(n.posts, i, i+1)
		s.request.Form, s.request.Value, s.request.Values = f.ID, f.Value, map[string]secret.Secret{}
		for _, v := range a.Values {
			s.request.Values[v.Name] = secret.New(v.Value)
		}
	}
	return s, nil
}

// show puts an answer on the screen.
func (s *showing) show(_ context.Context, r chat.Reply) error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if s.on == nil {
		s.on = &post{id: s.n.id("message"), to: s.act.In}
		if r.Form != nil || r.Message.Private || s.act.In == "" {
			s.on.viewer = s.act.User
		}
		s.n.posts = append(s.n.posts, s.on)
	}
	s.on.form = r.Form
	if r.Message != nil {
		s.on.message = chat.Fit(*r.Message, roomy)
	}
	return nil
}
