package discord

import (
	"net/http"
	"time"
)

// Discord bans an address for a while after 10,000 answers of 401, 403 or 429 in
// ten minutes. Long before, we say less.
const (
	invalidSome = 500  // then nothing is said unasked
	invalidMany = 2000 // then nothing is called but to answer people
	invalidSpan = 10   // minutes that are counted
)

// invalid counts the answers that count towards the ban, by minute.
type invalid struct {
	minutes [invalidSpan]struct {
		minute int64
		n      int
	}
}

// counts reports whether Discord counts a failure.
func counts(e *Error) bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	case http.StatusTooManyRequests:
		return e.Scope != scopeShared
	default:
		return false
	}
}

func (v *invalid) add(now time.Time) {
	minute := now.Unix() / 60
	m := &v.minutes[minute%invalidSpan]
	if m.minute != minute {
		m.minute, m.n = minute, 0
	}
	m.n++
}

// count returns how many there were in the last ten minutes.
func (v *invalid) count(now time.Time) int {
	n := 0
	for _, m := range v.minutes {
		if now.Unix()/60-m.minute < invalidSpan {
			n += m.n
		}
	}
	return n
}

// pause returns how long a lane has to wait until the count may have fallen.
func (v *invalid) pause(now time.Time, in lane) time.Duration {
	most := invalidMany
	switch in {
	case laneReply:
		return 0
	case laneSend:
		most = invalidSome
	}
	if v.count(now) < most {
		return 0
	}
	return time.Minute
}
