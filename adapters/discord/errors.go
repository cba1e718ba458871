package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// A class says what a failed call means for the caller. Which code belongs to
// which class is Discord's documentation, read for this program's needs.
type class int

const (
	classLater     class = iota // nothing arrived; try later
	classUnclear                // it may have arrived
	classLimited                // wait as told; nothing arrived
	classDead                   // the token is no longer valid
	classBarred                 // a permission is missing at this destination
	classGone                   // the destination is no more, or out of reach
	classMalformed              // our bug: the message's form is refused
	classLate                   // the interaction's token has expired
	classAnswered               // the interaction has had its first response
)

// An Error is a call of Discord's API that failed. It wraps one of package
// chat's errors, and names no id, no token and nothing that people wrote.
type Error struct {
	Route  string        // method and template, such as "POST /channels/{}/messages"
	Status int           // of HTTP, 0 if there was no answer
	Code   int           // Discord's own, 0 if there was none
	Path   string        // code 50035: where the form is wrong, such as "/embeds/0/title"
	Scope  string        // of a limit: "user", "shared", "global"; "address" for a ban of ours
	After  time.Duration // of a limit: how long to wait
	Err    error         // why there was no answer, nil if there was one

	class class
}

// Error says what failed and why, in one line.
func (e *Error) Error() string {
	s := "discord: " + e.Route + ": " + e.reason()
	if e.Path != "" {
		s += " at " + e.Path
	}
	return s
}

// Unwrap returns the error of package chat that says what to do, and the reason
// why there was no answer.
func (e *Error) Unwrap() []error {
	var list []error
	switch e.class {
	case classUnclear:
		list = append(list, chat.ErrUnclear)
	case classDead:
		list = append(list, chat.ErrFinal)
	case classBarred:
		list = append(list, chat.ErrBarred)
	case classGone:
		list = append(list, chat.ErrGone)
	case classMalformed:
		list = append(list, chat.ErrRejected)
	}
	if e.Err != nil {
		list = append(list, e.Err)
	}
	return list
}

func (e *Error) reason() string {
	known, ok := codes()[e.Code]
	switch {
	case ok:
		return fmt.Sprintf("%d: %s", e.Code, known.words)
	case e.Err != nil:
		return e.Err.Error()
	case e.class == classDead:
		return "HTTP 401: the bot token is not valid"
	case e.Scope != "":
		return fmt.Sprintf("HTTP 429: limit of scope %s", e.Scope)
	case e.Code != 0:
		return fmt.Sprintf("HTTP %d, code %d", e.Status, e.Code)
	default:
		return fmt.Sprintf("HTTP %d", e.Status)
	}
}

// A meaning is what one of Discord's codes says. After is how long to wait where
// the answer does not tell.
type meaning struct {
	class class
	words string
	after time.Duration
}

// codes are Discord's codes as far as they matter here.
func codes() map[int]meaning {
	return map[int]meaning{
		10003: {class: classGone, words: "unknown channel"},
		10004: {class: classGone, words: "unknown server: the bot is not in it"},
		10008: {class: classGone, words: "unknown message"},
		10013: {class: classGone, words: "unknown user"},
		10015: {class: classLate, words: "unknown webhook"},
		10062: {class: classLate, words: "unknown interaction: it was answered too late"},
		20028: {class: classLimited, words: "too many messages in this channel", after: 10 * time.Second},
		20029: {class: classLimited, words: "too many messages in this server", after: 10 * time.Second},
		30034: {class: classLimited, words: "too many commands were created today", after: 24 * time.Hour},
		30046: {class: classLimited, words: "too many edits of a message that is older than an hour", after: 10 * time.Minute},
		40003: {class: classLimited, words: "direct messages are being opened too fast", after: opensPause},
		40005: {class: classMalformed, words: "the request is too large"},
		40060: {class: classAnswered, words: "the interaction has been acknowledged"},
		50001: {class: classBarred, words: "missing access: let the bot view the channel"},
		50005: {class: classGone, words: "the message is somebody else's"},
		50006: {class: classMalformed, words: "an empty message"},
		50007: {class: classGone, words: "the person takes no direct messages from this bot"},
		50008: {class: classGone, words: "the channel takes no messages"},
		50013: {class: classBarred, words: "missing permissions: the bot needs Send Messages, Embed Links and Attach Files there"},
		50027: {class: classLate, words: "the interaction's token has expired"},
		50035: {class: classMalformed, words: "invalid form"},
		50109: {class: classMalformed, words: "invalid JSON"},
		50278: {class: classGone, words: "the person shares no server with the bot"},
	}
}

// failure returns what an answer means, nil for success. Answers to calls that
// carry an interaction's token are no word on the bot's own token.
func (c call) failure(a answer) error {
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	e := &Error{Route: c.route, Status: a.status, Err: a.err}
	if a.err != nil {
		e.class = classUnclear
		if !a.sent {
			e.class = classLater
		}
		return e
	}
	e.explain(c, a)
	if e.class == classLimited {
		return &chat.RetryError{After: e.After, Err: e}
	}
	return e
}

// refusal is the body of an answer that is not a success.
type refusal struct {
	Code       int             `json:"code"`
	Errors     json.RawMessage `json:"errors"`
	RetryAfter float64         `json:"retry_after"` // seconds
	Global     bool            `json:"global"`
}

func (e *Error) explain(c call, a answer) {
	var body refusal
	readable := json.Unmarshal(a.body, &body) == nil
	e.Code = body.Code
	known, ok := codes()[body.Code]
	switch {
	case a.status == http.StatusTooManyRequests, ok && known.class == classLimited:
		e.class = classLimited
		e.limit(a, body, known.after, readable)
	case ok:
		e.class = known.class
	default:
		e.class = classOfStatus(a.status, c.lane == laneReply, readable)
	}
	if body.Code == 50035 {
		e.Path = firstPath(body.Errors, "")
	}
}

// limit reads how long to wait. A 429 that is not Discord's JSON comes from what
// stands before it, and is about this machine's address.
func (e *Error) limit(a answer, body refusal, usual time.Duration, readable bool) {
	e.Scope = a.header.Get("X-RateLimit-Scope")
	if body.Global || a.header.Get("X-RateLimit-Global") != "" {
		e.Scope = scopeGlobal
	}
	e.After = max(seconds(a.header.Get("X-RateLimit-Reset-After")), seconds(a.header.Get("Retry-After")),
		time.Duration(body.RetryAfter*float64(time.Second)))
	if !readable {
		e.Scope, e.After = scopeAddress, max(e.After, addressPause)
	}
	if e.After <= 0 {
		e.After = max(usual, time.Second)
	}
	if usual > 0 {
		e.After = max(e.After, time.Second)
	}
}

const (
	scopeGlobal  = "global"
	scopeShared  = "shared"
	scopeAddress = "address"
	addressPause = 10 * time.Minute
)

// seconds reads a number of seconds, 0 if there is none.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e7 {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}

func classOfStatus(status int, reply, readable bool) class {
	switch {
	case status == http.StatusUnauthorized && reply, status == http.StatusNotFound && reply:
		return classLate
	case status == http.StatusUnauthorized:
		return classDead
	case status == http.StatusForbidden && readable:
		return classBarred // every route of ours is about one destination
	case status == http.StatusNotFound && readable:
		return classGone
	case status == http.StatusBadRequest && readable, status == http.StatusRequestEntityTooLarge:
		return classMalformed
	case status >= http.StatusInternalServerError:
		return classUnclear
	default:
		return classLater
	}
}

// firstPath returns where Discord found the first fault of a form. It returns no
// words of Discord's, which can quote what people wrote.
func firstPath(raw json.RawMessage, path string) string {
	var level map[string]json.RawMessage
	if len(path) > 200 || json.Unmarshal(raw, &level) != nil {
		return path
	}
	if _, found := level["_errors"]; found || len(level) == 0 {
		return path
	}
	var keys []string
	for k := range level {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return firstPath(level[keys[0]], path+"/"+strings.ToLower(keys[0]))
}

// classOf returns the class of a failed call.
func classOf(err error) class {
	if retry, ok := errors.AsType[*chat.RetryError](err); ok {
		err = retry.Err
		if _, ok := errors.AsType[*Error](err); !ok {
			return classLimited
		}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.class
	}
	return classLater
}
