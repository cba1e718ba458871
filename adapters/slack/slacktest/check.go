package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A surface is a place for blocks. Not every block is allowed on every one.
type surface int

const (
	inMessage surface = 1 << iota
	inModal
	inHome
)

// A checker looks at blocks and collects what is wrong, in Slack's words where
// they are known, each with a JSON pointer.
type checker struct {
	surface  surface
	noCharts bool
	file     func(id string) bool // whether an uploaded file can be shown yet

	problems []string
	chars    int // of all texts so far
	tables   int
	charts   int
	inputs   int
	markdown int // characters
	ids      map[string]bool
	table    shapes
}

// A rule checks one value.
type rule func(k *checker, ptr string, v any)

// A shape is an object: its fields and their rules. A name that ends in "!" is
// required; a field that is not listed is refused. "type" is always allowed.
type shape map[string]rule

// shapes are the objects that a "type" field tells apart.
type shapes struct {
	blocks   map[string]blockShape
	elements map[string]shape
}

type blockShape struct {
	shape
	on    surface
	extra rule // what a shape cannot say
}

// message checks the blocks of a message.
func (k *checker) message(ptr string, blocks []obj) { k.blocks(ptr, blocks, 50) }

// blocks checks a list of at most n blocks.
func (k *checker) blocks(ptr string, blocks []obj, n int) {
	if k.ids == nil {
		k.ids, k.table = map[string]bool{}, newShapes()
	}
	if len(blocks) > n {
		k.bad(ptr, "no more than %d items allowed", n)
	}
	for i, b := range blocks {
		k.block(at(ptr, i), b)
	}
	if k.tables > 1 {
		k.bad(ptr, "only_one_table_allowed")
	}
	if k.charts > 2 {
		k.bad(ptr, "no more than 2 data_visualization blocks allowed")
	}
	if k.markdown > 12_000 {
		k.bad(ptr, "markdown text must be less than 12001 characters in total")
	}
}

func (k *checker) block(ptr string, b obj) {
	kind, _ := b["type"].(string)
	known, ok := k.table.blocks[kind]
	if !ok || known.on&k.surface == 0 || k.noCharts && strings.HasPrefix(kind, "data_") {
		k.bad(at(ptr, "type"), "unsupported type: %s", kind)
		return
	}
	known.check(k, ptr, b)
	if known.extra != nil {
		known.extra(k, ptr, b)
	}
	if id, _ := b["block_id"].(string); id != "" {
		if k.ids[id] {
			k.bad(at(ptr, "block_id"), "`block_id` already exists")
		}
		k.ids[id] = true
	}
}

// check is the rule for an object of this shape.
func (sh shape) check(k *checker, ptr string, v any) {
	o, ok := v.(obj)
	if !ok {
		k.bad(ptr, "must be an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		r := sh[name]
		if r == nil {
			r = sh[name+"!"]
		}
		switch {
		case name == "type":
		case r == nil:
			k.bad(ptr, "invalid additional property: %s", name)
		default:
			r(k, at(ptr, name), o[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sh)) {
		if name, required := strings.CutSuffix(name, "!"); required && o[name] == nil {
			k.bad(ptr, "missing required field: %s", name)
		}
	}
}

// bad records a problem.
func (k *checker) bad(ptr, format string, a ...any) {
	k.problems = append(k.problems, fmt.Sprintf(format, a...)+" [json-pointer:"+ptr+"]")
}

// failure returns what was found as Slack's answer.
func (k *checker) failure(code string) *failure {
	messages := make([]string, len(k.problems))
	for i, p := range k.problems {
		messages[i] = "[ERROR] " + p
	}
	return &failure{code: code, extra: obj{"errors": k.problems, "response_metadata": obj{"messages": messages}}}
}

// at extends a JSON pointer.
func at(ptr string, parts ...any) string {
	for _, p := range parts {
		ptr += "/" + fmt.Sprint(p)
	}
	return ptr
}

// objects returns a list of objects, and whether v is one; nil is an empty one.
func objects(v any) ([]obj, bool) {
	if v == nil {
		return nil, true
	}
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	os := make([]obj, len(list))
	for i, e := range list {
		if os[i], ok = e.(obj); !ok {
			return nil, false
		}
	}
	return os, true
}

// str is text of lo to hi characters.
func str(lo, hi int) rule {
	return func(k *checker, ptr string, v any) {
		s, ok := v.(string)
		if !ok {
			k.bad(ptr, "must be a string")
			return
		}
		n := utf8.RuneCountInString(s)
		if n < lo {
			k.bad(ptr, "must be more than %d characters", lo-1)
		}
		if n > hi {
			k.bad(ptr, "must be less than %d characters", hi+1)
		}
	}
}

// shown is str for a text that counts towards the length of a message.
func shown(lo, hi int) rule {
	inner := str(lo, hi)
	return func(k *checker, ptr string, v any) {
		inner(k, ptr, v)
		s, _ := v.(string)
		k.chars += utf8.RuneCountInString(s)
	}
}

// text is a text object of either kind, with 1 to hi characters.
func text(hi int) rule { return textOf(hi, "plain_text", "mrkdwn") }

// plain is a plain_text object.
func plain(hi int) rule { return textOf(hi, "plain_text") }

func textOf(hi int, kinds ...string) rule {
	return func(k *checker, ptr string, v any) {
		o, ok := v.(obj)
		kind, _ := o["type"].(string)
		if !ok || !slices.Contains(kinds, kind) {
			k.bad(ptr, "must be a %s object", strings.Join(kinds, " or "))
			return
		}
		sh := shape{"text!": shown(1, hi)}
		if kind == "plain_text" {
			sh["emoji"] = flag
		} else {
			sh["verbatim"] = flag
		}
		sh.check(k, ptr, o)
	}
}

// flag is true or false.
func flag(k *checker, ptr string, v any) {
	if _, ok := v.(bool); !ok {
		k.bad(ptr, "must be a boolean")
	}
}

// number is a number from lo to hi.
func number(lo, hi float64) rule {
	return func(k *checker, ptr string, v any) {
		if n, ok := v.(float64); !ok || n < lo || n > hi {
			k.bad(ptr, "must be a number from %g to %g", lo, hi)
		}
	}
}

// anything is a field that is not looked into.
func anything(*checker, string, any) {}

// oneOf is one of some words.
func oneOf(words ...string) rule {
	return func(k *checker, ptr string, v any) {
		if s, _ := v.(string); !slices.Contains(words, s) {
			k.bad(ptr, "must be a valid enum value")
		}
	}
}

// list is lo to hi values.
func list(lo, hi int, each rule) rule {
	return func(k *checker, ptr string, v any) {
		l, ok := v.([]any)
		if !ok {
			k.bad(ptr, "must be an array")
			return
		}
		if len(l) < lo {
			k.bad(ptr, "no fewer than %d items allowed", lo)
		}
		if len(l) > hi {
			k.bad(ptr, "no more than %d items allowed", hi)
		}
		for i, e := range l {
			each(k, at(ptr, i), e)
		}
	}
}

// link is an absolute web address.
func link(k *checker, ptr string, v any) {
	str(1, 3000)(k, ptr, v)
	s, _ := v.(string)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		k.bad(ptr, "invalid url")
	}
}

// element is one of the elements that a place allows.
func element(kinds ...string) rule {
	return func(k *checker, ptr string, v any) {
		o, _ := v.(obj)
		kind, _ := o["type"].(string)
		sh, ok := k.table.elements[kind]
		if !ok || !slices.Contains(kinds, kind) {
			k.bad(at(ptr, "type"), "unsupported type: %s", kind)
			return
		}
		sh.check(k, ptr, o)
		if kind == "image" {
			picture(k, ptr, o)
		}
	}
}

// size returns the bytes of v as JSON.
func size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(b)
}
