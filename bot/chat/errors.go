package chat

import (
	"errors"
	"fmt"
	"time"
)

// The errors of an adapter name what the caller does next; test for them with
// [errors.Is]. An error that is none of these, and no [RetryError], means "try
// later, with growing pauses".
var (
	// ErrGone: the destination or the message is no more, or cannot be reached
	// (direct messages closed). Mark it, do not try again.
	ErrGone = errors.New("chat: destination gone")

	// ErrRejected: the network refuses this message for its form, and the
	// adapter has already tried it as plain text. Our fault; do not try again.
	ErrRejected = errors.New("chat: message rejected")

	// ErrBarred: the network refuses the bot at this one destination (it is not
	// in the channel, or may not write there). Hold what waits for it until
	// somebody changes that; others go on. The error says what to change.
	ErrBarred = errors.New("chat: not allowed there")

	// ErrRefused: the network refuses the bot wherever it writes (a missing
	// scope). Hold all that waits for the network until somebody changes the
	// set-up.
	ErrRefused = errors.New("chat: permission refused")

	// ErrUnclear: the message may or may not have arrived (time-out, reset, 5xx
	// after sending). Try again, marked as re-sent.
	ErrUnclear = errors.New("chat: delivery unclear")

	// ErrFinal: the network will not have this bot back without an operator
	// (token revoked).
	ErrFinal = errors.New("chat: stopped for good")

	// ErrDuplicate: the request was answered before.
	ErrDuplicate = errors.New("chat: request already answered")
)

// RetryError says when to try again. Nothing arrived.
type RetryError struct {
	After time.Duration // from now, more than 0
	Err   error         // why
}

// Error says why and when.
func (e *RetryError) Error() string { return fmt.Sprintf("%v (try again after %v)", e.Err, e.After) }

// Unwrap returns the reason.
func (e *RetryError) Unwrap() error { return e.Err }
