package sim

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
)

// Transport returns a transport that hands every request to the simulation, in
// the caller's goroutine and without a socket, whatever its host is. It breaks
// answers off and resets connections as a network would.
func (s *Sim) Transport() http.RoundTripper { return transport{s} }

// transport is an http.RoundTripper on a Sim.
type transport struct{ sim *Sim }

// RoundTrip answers a request.
func (t transport) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	served := req.Clone(req.Context())
	if req.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		} else if p != nil {
			panic(p)
		}
	}()
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	t.sim.ServeHTTP(w, served)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return w.response(req), nil
}

// A recorder is a ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's header.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the status.
func (w *recorder) WriteHeader(status int) { w.status = status }

// Write keeps a part of the body.
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// response returns the answer as a client sees it. A body shorter than announced
// ends with io.ErrUnexpectedEOF.
func (w *recorder) response(req *http.Request) *http.Response {
	length := int64(w.body.Len())
	var body io.Reader = &w.body
	if announced, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil && announced > length {
		length, body = announced, io.MultiReader(body, cut{})
	}
	return &http.Response{
		Status:        strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       req,
	}
}

// cut is the end of a body that was cut short.
type cut struct{}

// Read returns io.ErrUnexpectedEOF.
func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
