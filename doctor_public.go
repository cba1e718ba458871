package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"floorwalker/adapters/web"
)

// public looks whether the public address leads to link pages, if there are to be
// any. What cannot be reached from here may well be from outside.
func (d *doctor) public(ctx context.Context) {
	const check = "link page"
	if linkPage(d.config.HTTP) == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := d.config.HTTP.PublicURL
	status, ours, err := web.Probe(ctx, at)
	switch {
	case err != nil:
		d.warn(check, fmt.Sprintf("%s cannot be reached from this machine: %v", at, err),
			"Start floorwalker serve, and let the proxy pass /link/ on to http.listen. From inside a network its public address is not always reachable: open "+at+"/link/x on a phone.")
	case ours:
		d.ok(check, "%s leads to floorwalker", at)
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		d.warn(check, fmt.Sprintf("%s is there, but nobody behind it: status %d", at, status),
			"Start floorwalker serve, and let the proxy pass /link/ on to "+d.config.HTTP.Listen+".")
	default:
		d.fault(check, fmt.Sprintf("%s/link/ is answered by something else, with status %d", at, status),
			"Let the proxy pass /link/ on to http.listen, without a login or a redirect of its own. If floorwalker serve runs with an older configuration, restart it.")
	}
}
