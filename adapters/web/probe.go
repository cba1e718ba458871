package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Probe asks a public address for a link page that never was, as somebody with an
// old link does. Ours reports whether a listener with link pages answered, as far
// as its own page for that shows; if not, status is what else was answered.
// Redirects are not followed, since what is entered on a page would not follow
// them either. It takes as long as ctx allows.
func Probe(ctx context.Context, publicURL string) (status int, ours bool, err error) {
	ticket := make([]byte, 32)
	rand.Read(ticket) // never fails, says its documentation
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, publicURL+"/link/"+base64.RawURLEncoding.EncodeToString(ticket), nil)
	if err != nil {
		return 0, false, plain(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, false, plain(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return resp.StatusCode, false, plain(err)
	}
	return resp.StatusCode, resp.StatusCode == http.StatusNotFound && strings.Contains(string(page), "<h1>"+goneTitle+"</h1>"), nil
}

// plain is an error without the address, which says nothing to whoever gave it.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
