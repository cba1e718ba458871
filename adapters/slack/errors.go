package slack

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// A class says what a failed call means for the caller. Which code belongs to
// which class is Slack's documentation, read for this program's needs.
type class int

const (
	classLater     class = iota // nothing arrived; try later
	classUnclear                // it may have arrived
	classLimited                // wait as told; nothing arrived
	classDead                   // the workspace will not have this bot back
	classRefused                // a scope or permission is missing, whatever the destination
	classBarred                 // the bot may not write to this destination
	classGone                   // the destination is no more, or out of reach
	classNoEdit                 // the message can no longer be edited
	classMalformed              // our bug: the message's form is refused
	classLate                   // the trigger, view or response_url has expired
)

// classOf returns the class of one of Slack's error codes.
func classOf(code string) class {
	switch code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type",
		"token_expired", "forbidden_team":
		return classDead
	case "missing_scope", "no_permission", "ekm_access_denied", "app_access_restricted":
		return classRefused
	case "not_in_channel", "access_denied", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked":
		return classBarred
	case "channel_not_found", "is_archived", "is_inactive", "user_not_found", "users_not_found",
		"user_disabled", "user_not_visible", "user_not_in_channel", "invalid_user_combination",
		"messages_tab_disabled", "cannot_dm_bot":
		return classGone
	case "message_not_found", "cant_update_message", "edit_window_closed", "cannot_reply_to_message":
		return classNoEdit
	case "invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_too_long", "msg_blocks_too_long",
		"no_text", "too_many_attachments", "metadata_too_large", "invalid_metadata_format", "view_too_large",
		"duplicate_external_id", "only_one_table_allowed", "invalid_attachments":
		return classMalformed
	case "expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired", "trigger_exchanged",
		"not_found", "expired_url", "used_url":
		return classLate
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return classLimited
	case "team_added_to_org", "org_login_required":
		return classLater
	default:
		// Slack documents internal_error and fatal_error as "may have succeeded
		// in part", and an unknown code promises nothing better.
		return classUnclear
	}
}

// classify returns the class of a failed call, the code that Slack gave, and for
// classLimited how long to wait.
func classify(err error) (c class, code string, after time.Duration) {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return classLimited, "ratelimited", max(limited.RetryAfter, time.Second)
	}
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		c = classOf(answer.Err)
		if c == classLimited {
			after = time.Minute
		}
		if answer.Err == "message_limit_exceeded" {
			after = pauseUnknown
		}
		return c, answer.Err, after
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return classifyStatus(status.Code)
	}
	if errors.Is(err, errUnsent) {
		return classLater, "", 0
	}
	return classUnclear, "", 0
}

func classifyStatus(status int) (c class, code string, after time.Duration) {
	code = fmt.Sprintf("HTTP %d", status)
	switch {
	case status == http.StatusTooManyRequests:
		return classLimited, code, pauseUnknown
	case status >= http.StatusInternalServerError:
		return classUnclear, code, 0
	default:
		return classLater, code, 0
	}
}

// failure returns a failed call as one of the errors of package chat. It logs
// nothing, and names no address that is a secret.
func failure(method string, err error) error {
	if err == nil {
		return nil
	}
	c, code, after := classify(err)
	why := fmt.Errorf("slack: %s: %s", method, reason(err, code))
	switch c {
	case classLimited:
		return &chat.RetryError{After: after, Err: why}
	case classDead:
		return fmt.Errorf("%w: %w", why, chat.ErrFinal)
	case classRefused:
		return fmt.Errorf("%w: %w", why, chat.ErrRefused)
	case classBarred:
		return fmt.Errorf("%w: %w", why, chat.ErrBarred)
	case classGone, classNoEdit:
		return fmt.Errorf("%w: %w", why, chat.ErrGone)
	case classMalformed:
		return fmt.Errorf("%w: %w", why, chat.ErrRejected)
	case classUnclear:
		return fmt.Errorf("%w: %w", why, chat.ErrUnclear)
	default:
		return fmt.Errorf("slack: %s: %w", method, redacted(err))
	}
}

// reason says why a call failed, in Slack's words and ours.
func reason(err error, code string) string {
	answer, ok := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case ok && answer.Needed != "":
		return fmt.Sprintf("%s: the bot token lacks the scope %s", code, answer.Needed)
	case ok && pointers(answer.ResponseMetadata.Messages) != "":
		return code + " at " + pointers(answer.ResponseMetadata.Messages)
	case code == "not_in_channel":
		return code + ": invite the bot to the channel"
	case classOf(code) == classBarred:
		return code + ": allow the bot to post in the channel"
	case code == "messages_tab_disabled":
		return code + ": switch on the messages tab in the app's settings"
	case code != "":
		return code
	default:
		return redacted(err).Error()
	}
}

// redacted returns err without the address that package net/http puts into its
// errors: a response_url is a secret.
func redacted(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
