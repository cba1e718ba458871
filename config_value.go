package main

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
)

// isScalar reports whether values of type t are written as one text.
func isScalar(t reflect.Type) bool {
	if t == reflect.TypeFor[*time.Location]() || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	}
	return false
}

// setScalar reads text into v. All sources of values come here, so that a
// duration from the environment obeys the same rules as one from the file. The
// error is a sentence; it quotes the text unless that is, or looks like, a
// secret.
func setScalar(v reflect.Value, text string, tag reflect.StructTag) error {
	if allowed := strings.Fields(tag.Get("oneof")); len(allowed) > 0 && !slices.Contains(allowed, text) {
		return fmt.Errorf("%s is none of %s", quote(text), strings.Join(allowed, ", "))
	}
	if _, ok := v.Interface().(secret.Secret); !ok && looksLikeToken(text) {
		return errors.New("this looks like a token of Slack; it does not belong here")
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		return assign(p)(parseDuration(text))
	case **time.Location:
		return assign(p)(schedule.LoadZone(text))
	case *netip.Prefix:
		return assign(p)(parsePrefix(text))
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	}
	return setBasic(v, text)
}

// assign returns a function that stores a value at p unless there is an error.
func assign[T any](p *T) func(T, error) error {
	return func(v T, err error) error {
		if err == nil {
			*p = v
		}
		return err
	}
}

// setBasic reads text into a string, a bool or a number.
func setBasic(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s is neither true nor false", quote(text))
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 0)
		if err != nil {
			return fmt.Errorf("%s is not a whole number", quote(text))
		}
		v.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return fmt.Errorf("%s is not a number", quote(text))
		}
		v.SetFloat(x)
	}
	return nil
}

// scalarText returns the text that setScalar reads v from; a secret is masked.
func scalarText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	case *time.Location:
		if x == nil {
			return ""
		}
		return x.String()
	case encoding.TextMarshaler:
		text, _ := x.MarshalText() // those of our types do not fail
		return string(text)
	}
	return fmt.Sprint(v.Interface())
}

// looksLikeToken reports whether text was most likely put into the wrong place,
// where it would be printed.
func looksLikeToken(text string) bool {
	return slices.ContainsFunc([]string{"xoxb-", "xoxp-", "xoxe", "xapp-"}, func(p string) bool {
		return strings.HasPrefix(text, p) || strings.Contains(text, ":"+p)
	})
}

// parsePrefix reads a network in CIDR form.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.Prefix{}, fmt.Errorf("%s is an address, not a network; write %s/%d", quote(s), addr, addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%s is not a network; write it as 10.0.0.0/8", quote(s))
	}
	return p, nil
}

// parseDuration reads what time.ParseDuration reads and knows days (24h) and
// weeks besides: 90s, 1h30m, 35d, 2w. It refuses bare numbers, even 0, and
// negative ones.
func parseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%s is not a duration; write it like 10s, 5m, 2h, 35d or 2w", quote(s))
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("%s is a bare number, not a duration; write %[1]ss for seconds, %[1]sm for minutes", clip(s, 20))
	}
	if strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("%s is negative", quote(s))
	}
	var total time.Duration
	for rest := s; rest != "" || s == ""; {
		number := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789."))]
		unit := strings.TrimLeft(rest, "0123456789.")
		rest = strings.TrimLeft(unit, "nuµμmshdw")
		d, err := durationOf(number, unit[:len(unit)-len(rest)])
		if err != nil || total > math.MaxInt64-d {
			return 0, bad
		}
		total += d
	}
	return total, nil
}

// durationOf reads one number with its unit.
func durationOf(number, unit string) (time.Duration, error) {
	hours := map[string]time.Duration{"d": 24, "w": 7 * 24}[unit]
	if unit == "" {
		return 0, errors.New("no unit")
	}
	if hours == 0 {
		return time.ParseDuration(number + unit)
	}
	d, err := time.ParseDuration(number + "h")
	if err == nil && d > math.MaxInt64/hours {
		err = errors.New("too long")
	}
	return d * hours, err
}

// formatDuration writes d as parseDuration reads it: 35d, 1h30m, 10s.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
