package discordtest

import (
	"fmt"
	"net/http"
	"time"
)

// A failure is an answer that is not a success.
type failure struct {
	status  int
	code    int // Discord's
	message string
	errors  obj           // by path, for 50035
	retry   time.Duration // of a 429
	scope   string        // of a 429: user, global, shared
	bare    bool          // a global 429 that does not say when it ends
	html    bool          // Cloudflare's page in place of Discord's JSON
	reset   bool          // no answer at all
}

// messages are Discord's words and HTTP statuses for its codes.
var codes = map[int]struct {
	status int
	text   string
}{
	10003: {404, "Unknown Channel"},
	10004: {404, "Unknown Guild"},
	10007: {404, "Unknown Member"},
	10008: {404, "Unknown Message"},
	10013: {404, "Unknown User"},
	10015: {404, "Unknown Webhook"},
	10062: {404, "Unknown interaction"},
	10063: {404, "Unknown application command"},
	20028: {429, "The write action you are performing on the channel has hit the write rate limit."},
	20029: {429, "The write action you are performing on the server has hit the write rate limit."},
	30032: {400, "Maximum number of application commands reached (100)"},
	30034: {400, "Max number of daily application command creates has been reached (200)"},
	30046: {429, "Maximum number of edits to messages older than 1 hour reached. Try again later"},
	40003: {403, "You are opening direct messages too fast"},
	40005: {413, "Request entity too large"},
	40060: {400, "Interaction has already been acknowledged."},
	50001: {403, "Missing Access"},
	50005: {403, "Cannot edit a message authored by another user"},
	50006: {400, "Cannot send an empty message"},
	50007: {403, "Cannot send messages to this user"},
	50008: {400, "Cannot send messages in a non-text channel"},
	50013: {403, "Missing Permissions"},
	50027: {401, "Invalid Webhook Token"},
	50035: {400, "Invalid Form Body"},
	50041: {400, "Invalid API version"},
	50109: {400, "The request body contains invalid JSON."},
	50278: {403, "Cannot send messages to this user due to having no mutual guilds"},
}

// fail returns the failure with one of Discord's codes.
func fail(code int) *failure {
	c, ok := codes[code]
	if !ok {
		panic(fmt.Sprintf("discordtest: no text for code %d", code))
	}
	return &failure{status: c.status, code: code, message: c.text}
}

// plainFail is a failure that Discord gives no code of its own.
func plainFail(status int) *failure {
	return &failure{status: status, message: fmt.Sprintf("%d: %s", status, http.StatusText(status))}
}

// body is the failure as Discord's JSON.
func (f *failure) body() obj {
	b := obj{"message": f.message, "code": f.code}
	if f.errors != nil {
		b["errors"] = f.errors
	}
	if f.status == http.StatusTooManyRequests {
		b["retry_after"], b["global"] = f.retry.Seconds(), f.scope == "global"
		if f.code == 0 {
			delete(b, "code")
		}
	}
	return b
}

// A form collects what is wrong with a body, by path.
type form struct{ errors obj }

// at returns a place in the form.
func (f *form) at(path ...any) place { return place{f, path} }

// failure is the form as an answer, nil if nothing is wrong.
func (f *form) failure() *failure {
	if len(f.errors) == 0 {
		return nil
	}
	e := fail(50035)
	e.errors = f.errors
	return e
}

// A place is where in a form something stands.
type place struct {
	form *form
	path []any
}

// at returns a place below.
func (p place) at(path ...any) place {
	return place{p.form, append(append([]any{}, p.path...), path...)}
}

// wrong records a fault at the place.
func (p place) wrong(code, message string, args ...any) {
	if p.form.errors == nil {
		p.form.errors = obj{}
	}
	node := p.form.errors
	for _, step := range p.path {
		key := fmt.Sprint(step)
		next, ok := node[key].(obj)
		if !ok {
			next = obj{}
			node[key] = next
		}
		node = next
	}
	list, _ := node["_errors"].([]any)
	node["_errors"] = append(list, obj{"code": code, "message": fmt.Sprintf(message, args...)})
}

func (p place) required() { p.wrong("BASE_TYPE_REQUIRED", "This field is required") }
