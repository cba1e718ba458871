package dashboard

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

const callPath = "/api/v2/agentDashboard/counters"

// Endpoint returns the URL that is called for a base URL: the customer's host,
// with or without a trailing slash and any part of the call's path. The error
// is a sentence that says what is wrong: credentials are sent there, so it must
// be https (http only to this machine), name a host, and not be the unfilled
// {{brand}} of the vendor's document.
func Endpoint(base string) (string, error) {
	// The text may hold a password, so no error quotes it.
	switch lower := strings.ToLower(base); {
	case base == "":
		return "", errors.New("base URL is missing; give the customer's host, as https://brand.example")
	case strings.ContainsAny(base, "{}"), strings.Contains(lower, "%7b"), strings.Contains(lower, "%7d"):
		return "", errors.New("base URL still has the braces of the vendor's sample; put the customer's host in their place")
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", errors.New("base URL cannot be parsed; it should look like https://brand.example")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return "", errors.New("base URL needs a scheme and a host; it should look like https://brand.example")
	case u.User != nil:
		return "", errors.New("base URL has a user name in it; credentials belong to agents, not to the URL")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("base URL has a query or a fragment; remove everything from ? or # on")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", fmt.Errorf("base URL is plain http to %s; credentials are sent there, use https", u.Host)
	}
	u.Path, u.RawPath = trimCall(u.Path)+callPath, ""
	return u.String(), nil
}

// trimCall cuts the part of the call's path that a base URL already has.
func trimCall(path string) string {
	path = strings.TrimRight(path, "/")
	for _, known := range []string{callPath, "/api/v2/agentDashboard", "/api/v2"} {
		if rest, ok := strings.CutSuffix(path, known); ok {
			return strings.TrimRight(rest, "/")
		}
	}
	return path
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
