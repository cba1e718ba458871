package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// Each of Discord's codes is an error of package chat, and says what it is.
func TestCodes(t *testing.T) {
	for _, test := range []struct {
		fault discordtest.Fault
		want  error // nil is a limit
	}{
		{discordtest.Fault{Code: 10003}, chat.ErrGone},
		{discordtest.Fault{Code: 10004}, chat.ErrGone},
		{discordtest.Fault{Code: 10008}, chat.ErrGone},
		{discordtest.Fault{Code: 10013}, chat.ErrGone},
		{discordtest.Fault{Code: 50007}, chat.ErrGone},
		{discordtest.Fault{Code: 50278}, chat.ErrGone},
		{discordtest.Fault{Code: 50001}, chat.ErrBarred},
		{discordtest.Fault{Code: 50013}, chat.ErrBarred},
		{discordtest.Fault{Code: 50035}, chat.ErrRejected},
		{discordtest.Fault{Code: 50109}, chat.ErrRejected},
		{discordtest.Fault{Code: 40005}, chat.ErrRejected},
		{discordtest.Fault{Status: 401}, chat.ErrFinal},
		{discordtest.Fault{Status: 403}, chat.ErrBarred},
		{discordtest.Fault{Status: 500}, chat.ErrUnclear},
		{discordtest.Fault{Status: 502}, chat.ErrUnclear},
		{discordtest.Fault{Reset: true}, chat.ErrUnclear},
		{discordtest.Fault{Code: 20028}, nil},
		{discordtest.Fault{Code: 30046}, nil},
		{discordtest.Fault{Code: 40003}, nil},
		{discordtest.Fault{Status: 429, RetryAfter: 3 * time.Second}, nil},
		{discordtest.Fault{Status: 429, Scope: "shared", RetryAfter: 3 * time.Second}, nil},
		{discordtest.Fault{Status: 429, Scope: "global", RetryAfter: 3 * time.Second}, nil},
		{discordtest.Fault{Status: 429, Scope: "global", RetryAfter: 3 * time.Second, Bare: true}, nil},
		{discordtest.Fault{Status: 429, HTML: true, RetryAfter: 3 * time.Second}, nil},
	} {
		t.Run(fmt.Sprintf("%+v", test.fault), func(t *testing.T) {
			srv := network(t, discordtest.Options{})
			a := adapter(t, srv, nil)
			srv.Fail("POST /channels/{channel}/messages", test.fault, -1)
			_, err := a.Send(t.Context(), toSupport("news"))
			for _, class := range []error{chat.ErrGone, chat.ErrBarred, chat.ErrRefused, chat.ErrRejected, chat.ErrFinal, chat.ErrUnclear} {
				if errors.Is(err, class) != (class == test.want) {
					t.Errorf("Is(%v) = %v: %v", class, !errors.Is(err, class), err)
				}
			}
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("no *Error in %v", err)
			}
			if e.Route != "POST /channels/{}/messages" || !strings.HasPrefix(err.Error(), "discord: ") {
				t.Errorf("%+v: %v", e, err)
			}
			retry, limited := errors.AsType[*chat.RetryError](err)
			if limited != (test.want == nil) || limited && (retry.After < time.Second || retry.After != e.After) {
				t.Errorf("limited is %v: %v", limited, err)
			}
		})
	}
}

func toSupport(title string) chat.Outgoing {
	return chat.Outgoing{To: chat.Address{Network: chat.Discord, ID: support}, Message: chat.Message{Title: title}, Key: "digest/" + title}
}

// Whatever a 429 tells, there is a time to wait, and whose limit it is.
func TestLimits429(t *testing.T) {
	for _, test := range []struct {
		name, header, body, scope string
		after                     time.Duration
	}{
		{"route", "X-RateLimit-Scope: user\nX-RateLimit-Reset-After: 2.5\nRetry-After: 2", `{"retry_after": 2.5, "global": false}`, "user", 2500 * time.Millisecond},
		{"body only", "", `{"retry_after": 1.5}`, "", 1500 * time.Millisecond},
		{"header only", "Retry-After: 7", `{}`, "", 7 * time.Second},
		{"nothing", "", `{}`, "", time.Second},
		{"global", "X-RateLimit-Global: true\nRetry-After: 4", `{"global": true, "retry_after": 3.1}`, "global", 4 * time.Second},
		{"global by body", "", `{"global": true, "retry_after": 3}`, "global", 3 * time.Second},
		{"shared", "X-RateLimit-Scope: shared\nRetry-After: 4", `{"retry_after": 4}`, "shared", 4 * time.Second},
		{"page", "Retry-After: 30", `<html>error code: 1015</html>`, "address", 10 * time.Minute},
		{"long page", "Retry-After: 3600", `<html>`, "address", time.Hour},
		{"nonsense", "Retry-After: soon", `{"retry_after": "later"}`, "address", 10 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			for line := range strings.SplitSeq(test.header, "\n") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					header.Set(name, value)
				}
			}
			err := at("GET", "/gateway/bot").failure(answer{status: 429, header: header, body: []byte(test.body)})
			e, ok := errors.AsType[*Error](err)
			retry, limited := errors.AsType[*chat.RetryError](err)
			if !ok || !limited || e.Scope != test.scope || retry.After != test.after {
				t.Errorf("got %+v, %v; want scope %q, %v", e, err, test.scope, test.after)
			}
		})
	}
}

// An interaction's token is not the bot's: that it has ended is no word on ours.
func TestReplyErrors(t *testing.T) {
	for status, code := range map[int]int{401: 50027, 404: 10015, 400: 40060} {
		k := at("PATCH", "/webhooks/{}/{}/messages/{}", "1", "t0ken", "@original").in(laneReply, noHurry)
		err := k.failure(answer{status: status, body: fmt.Appendf(nil, `{"code": %d}`, code)})
		if errors.Is(err, chat.ErrFinal) || errors.Is(err, chat.ErrGone) {
			t.Errorf("code %d: %v", code, err)
		}
		if strings.Contains(err.Error(), "t0ken") {
			t.Errorf("the token stands in %v", err)
		}
	}
	if err := at("GET", "/users/{}", "1").in(laneReply, noHurry).failure(answer{status: 401}); errors.Is(err, chat.ErrFinal) {
		t.Errorf("an expired interaction ends the bot: %v", err)
	}
}

func TestFormPath(t *testing.T) {
	const errs = `{"embeds": {"0": {"fields": {"1": {"value": {"_errors": [{"code": "BASE_TYPE_REQUIRED", "message": "S3CRET"}]}}}}}}`
	err := at("POST", "/channels/{}/messages", support).failure(answer{status: 400, body: []byte(`{"code": 50035, "errors": ` + errs + `}`)})
	e, _ := errors.AsType[*Error](err)
	if e.Path != "/embeds/0/fields/1/value" || !strings.HasSuffix(err.Error(), "at /embeds/0/fields/1/value") {
		t.Errorf("the path is %q: %v", e.Path, err)
	}
	for _, odd := range []string{"", "null", "[]", `"x"`, `{"a":`, `{}`, strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)} {
		if path := firstPath(json.RawMessage(odd), ""); len(path) > 300 {
			t.Errorf("%.20q: %q", odd, path)
		}
	}
}

// The first fault of a message's form costs its looks, not the message.
func TestDegrade(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	srv.Fail("POST /channels/{channel}/messages", discordtest.Fault{Code: 50035}, 1)
	out := toSupport("news")
	out.Message.Blocks = []chat.Block{chat.Fields{{Label: "Calls", Value: "42"}}}
	if _, err := a.Send(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	all := srv.Messages(support)
	if len(all) != 1 || len(all[0].Embeds) != 0 || !strings.Contains(all[0].Content, "Calls: 42") {
		t.Errorf("%+v", all)
	}
}
