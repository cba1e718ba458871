package slacktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A View is a modal or an app's home, as one person sees it.
type View struct {
	ID              string
	Hash            string // changes with every update
	User            string // whose it is
	Type            string // "modal" or "home"
	Title           string
	Submit          string // the button's label; "" = none
	Close           string
	CallbackID      string
	ExternalID      string
	PrivateMetadata string
	Blocks          []map[string]any

	// Errors are what the app found wrong with a submission, by block_id.
	// Failure is what Slack tells the person when the app's answer was late or
	// unusable. Both are gone after the next update or submission.
	Errors  map[string]string
	Failure string

	s        *Server
	raw      obj // as the app sent it
	root     string
	previous string
	state    obj // values by block_id and action_id
}

const (
	maxViewSize  = 250_000 // bytes
	maxViewStack = 3
)

// viewShape is a view as the app sends it.
func viewShape(kind string, blocks rule) shape {
	sh := shape{"blocks!": blocks, "callback_id": str(0, 255), "private_metadata": str(0, 3000), "external_id": str(0, 255)}
	if kind == "modal" {
		maps.Copy(sh, shape{"title!": plain(24), "submit": plain(24), "close": plain(24),
			"clear_on_close": flag, "notify_on_close": flag, "submit_disabled": flag})
	}
	return sh
}

// checkView reads a view argument and checks it. s.mu is held.
func (s *Server) checkView(raw obj) *failure {
	kind, _ := raw["type"].(string)
	k := &checker{surface: inModal, file: s.fileReady}
	if kind == "home" {
		k.surface = inHome
	} else if kind != "modal" {
		k.bad("/view/type", "must be a valid enum value")
		return k.failure("invalid_arguments")
	}
	viewShape(kind, func(k *checker, ptr string, v any) {
		blocks, ok := objects(v)
		if !ok {
			k.bad(ptr, "must be an array")
		}
		k.blocks(ptr, blocks, 100)
	}).check(k, "/view", raw)
	if k.inputs > 0 && kind == "modal" && raw["submit"] == nil {
		k.bad("/view", "missing required field: submit")
	}
	if len(k.problems) > 0 {
		return k.failure("invalid_arguments")
	}
	if size(raw) > maxViewSize {
		return fail("view_too_large")
	}
	if id, _ := raw["external_id"].(string); id != "" && s.external(id) != nil {
		return fail("duplicate_external_id")
	}
	return nil
}

func (s *Server) external(id string) *View {
	for _, v := range s.views {
		if v.ExternalID == id {
			return v
		}
	}
	return nil
}

// show makes raw the content of v, with a new hash. s.mu is held.
func (s *Server) show(v *View, raw obj) {
	blocks, _ := objects(raw["blocks"]) // checked before
	s.name(blocks)
	word := func(key string) string { w, _ := raw[key].(string); return w }
	label := func(key string) string {
		t, _ := raw[key].(obj)
		w, _ := t["text"].(string)
		return w
	}
	v.s, v.raw, v.Blocks = s, raw, blocks
	v.Type, v.CallbackID, v.ExternalID = word("type"), word("callback_id"), word("external_id")
	v.PrivateMetadata = word("private_metadata")
	v.Title, v.Submit, v.Close = label("title"), label("submit"), label("close")
	v.Errors, v.Failure, v.state = nil, "", obj{}
	s.serial++
	v.Hash = fmt.Sprintf("%d.%07x", time.Now().Unix(), s.serial)
	s.views[v.ID] = v
	s.changed.ring()
}

// open puts a new modal on a person's stack, or alone. s.mu is held.
func (s *Server) open(user string, raw obj, push bool) (*View, *failure) {
	stack := s.stacks[user]
	if !push {
		s.dismiss(user, 0)
		stack = nil
	}
	if len(stack) == maxViewStack {
		return nil, fail("push_limit_reached")
	}
	v := &View{ID: s.id("V"), User: user}
	v.root = v.ID
	if len(stack) > 0 {
		v.root, v.previous = stack[0].ID, stack[len(stack)-1].ID
	}
	s.show(v, raw)
	s.stacks[user] = append(stack, v)
	return v, nil
}

// dismiss closes the modals of a person above the n lowest. s.mu is held.
func (s *Server) dismiss(user string, n int) {
	for _, v := range s.stacks[user][n:] {
		delete(s.views, v.ID)
	}
	s.stacks[user] = slices.Clip(s.stacks[user][:n])
	s.changed.ring()
}

func (s *Server) viewsOpen(a args) (obj, *failure) { return s.openBy(a, false) }

func (s *Server) viewsPush(a args) (obj, *failure) { return s.openBy(a, true) }

func (s *Server) openBy(a args, push bool) (obj, *failure) {
	var raw obj
	if !a.decode("view", &raw) || raw == nil || raw["type"] != "modal" {
		return nil, fail("invalid_arguments")
	}
	if f := s.checkView(raw); f != nil {
		return nil, f
	}
	user, f := s.redeemTrigger(a.str("trigger_id"))
	if f != nil {
		return nil, f
	}
	v, f := s.open(user, raw, push)
	if f != nil {
		return nil, f
	}
	return obj{"view": v.json()}, nil
}

func (s *Server) viewsUpdate(a args) (obj, *failure) {
	v := s.views[a.str("view_id")]
	if id := a.str("external_id"); v == nil && id != "" {
		v = s.external(id)
	}
	if v == nil {
		return nil, fail("not_found")
	}
	return s.replace(v, a)
}

func (s *Server) viewsPublish(a args) (obj, *failure) {
	user := s.users[a.str("user_id")]
	if user == nil {
		return nil, fail("user_not_found")
	}
	v := s.homes[user.ID]
	if v == nil {
		v = &View{ID: s.id("V"), User: user.ID, Type: "home"}
		v.root = v.ID
	}
	answer, f := s.replace(v, a)
	if f == nil {
		s.homes[user.ID] = v
	}
	return answer, f
}

// replace gives a view new content, unless the caller saw an older one.
func (s *Server) replace(v *View, a args) (obj, *failure) {
	var raw obj
	if !a.decode("view", &raw) || raw == nil || raw["type"] != v.Type {
		return nil, fail("invalid_arguments")
	}
	if hash := a.str("hash"); hash != "" && hash != v.Hash {
		return nil, fail("hash_conflict")
	}
	own := v.ExternalID
	v.ExternalID = "" // the view may keep its own
	f := s.checkView(raw)
	v.ExternalID = own
	if f != nil {
		return nil, f
	}
	s.show(v, raw)
	return obj{"view": v.json()}, nil
}

// View returns the modal on top of a person's stack, and whether one is open.
func (s *Server) View(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stack := s.stacks[s.person(user).ID]
	if len(stack) == 0 {
		return View{}, false
	}
	return *stack[len(stack)-1], true
}

// Home returns the app's home as a person sees it, and whether the app has
// published one.
func (s *Server) Home(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.homes[s.person(user).ID]
	if v == nil {
		return View{}, false
	}
	return *v, true
}

// WaitView waits until the modal on top of a person's stack is one for which
// match reports true; a nil match is any.
func (s *Server) WaitView(ctx context.Context, user string, match func(View) bool) (View, error) {
	var found View
	err := s.Wait(ctx, func() (ok bool) {
		found, ok = s.View(user)
		return ok && (match == nil || match(found))
	})
	return found, err
}

// WaitHome is WaitView for the app's home.
func (s *Server) WaitHome(ctx context.Context, user string, match func(View) bool) (View, error) {
	var found View
	err := s.Wait(ctx, func() (ok bool) {
		found, ok = s.Home(user)
		return ok && (match == nil || match(found))
	})
	return found, err
}

// json returns the view as Slack's answers and payloads hold it.
func (v *View) json() obj {
	o := maps.Clone(v.raw)
	for _, key := range []string{"private_metadata", "callback_id", "external_id"} {
		if o[key] == nil {
			o[key] = ""
		}
	}
	maps.Copy(o, obj{"id": v.ID, "hash": v.Hash, "team_id": v.s.o.TeamID, "app_id": v.s.o.AppID, "bot_id": "B0BOT",
		"root_view_id": v.root, "previous_view_id": nil, "state": obj{"values": v.state}, "blocks": v.Blocks})
	if v.previous != "" {
		o["previous_view_id"] = v.previous
	}
	return o
}

// Plain returns the view as a person reads it: the title, the blocks as in
// [Message.Plain], errors below, then the buttons.
func (v View) Plain() string {
	p := printer{name: v.s.nameOf}
	if v.Title != "" {
		p.line(v.Title)
	}
	p.blocks(v.Blocks)
	for _, id := range slices.Sorted(maps.Keys(v.Errors)) {
		p.line("! " + v.Errors[id])
	}
	if v.Failure != "" {
		p.line("! " + v.Failure)
	}
	for _, label := range []string{v.Submit, v.Close} {
		if label != "" {
			p.line("[" + label + "]")
		}
	}
	return strings.Join(p.lines, "\n")
}

// Live lists the control sequences in the view, as [Message.Live] does. A view
// notifies nobody.
func (v View) Live() []string { return live(content{blocks: v.Blocks}) }
