package sim

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const maxRequest = 64 << 10 // bytes of a request's body

// routes returns the two things the simulation answers.
func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/agentDashboard/counters", s.serveCounters)
	mux.HandleFunc("POST /sim/fault", s.serveFault)
	return mux
}

// ServeHTTP answers a request.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers requests on l until ctx ends, then closes l and every
// connection. It returns nil when ctx ended.
func (s *Sim) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveCounters answers as the API does.
func (s *Sim) serveCounters(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "request body is too long", http.StatusRequestEntityTooLarge)
		return
	}
	agent, code := s.authenticate(body)
	f := s.take(agent)
	switch f.kind {
	case "slow":
		if !pause(r.Context(), f.delay) {
			return
		}
	case "html502":
		s.write(w, http.StatusBadGateway, "text/html", []byte(badGateway))
		return
	case "reset":
		reset(w)
		return
	case "code":
		s.write(w, http.StatusOK, jsonType, refusal(f.code))
		return
	case "expired":
		s.write(w, http.StatusUnauthorized, jsonType, refusal(1014))
		return
	}
	answer := s.answer(agent, code, f.kind)
	if f.kind == "truncate" {
		s.date(w)
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer))) // and less comes
		w.Write(answer[:len(answer)/2])
		return
	}
	s.write(w, http.StatusOK, jsonType, answer)
}

const jsonType = "application/json; charset=utf-8"

const badGateway = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

// answer returns the body for an agent, or for the code that refuses the
// request.
func (s *Sim) answer(agent, code int, kind string) []byte {
	if code != 0 {
		return refusal(code)
	}
	r, ok := s.counters(agent, s.now())
	if !ok {
		return refusal(1043)
	}
	var message any = []row{r}
	var status any = http.StatusOK
	switch kind {
	case "strings":
		message, status = []any{stringly(r)}, "200"
	case "emptyarray":
		message = []row{r.emptied()}
	}
	return encode(row{{"message", message}, {"status", "success"}, {"code", status}})
}

// refusal returns the body of an error.
func refusal(code int) []byte {
	return encode(row{{"status", "error"}, {"message", meaning(code)}, {"code", code}})
}

// encode writes a body. Set has checked what a caller gave, and all else is
// ours, so that an error is a mistake in this package.
func encode(r row) []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return b
}

// meaning returns the vendor's text for a code.
func meaning(code int) string {
	texts := map[int]string{
		1000: "Invalid parameter",
		1001: "Invalid data type",
		1002: "UserId not provided",
		1003: "AgentId does not exist",
		1004: "File not found",
		1009: "Something went wrong",
		1010: "Database error",
		1014: "Invalid token",
		1015: "Permission denied",
		1020: "Token not found",
		1032: "Internal server error",
		1039: "User account suspended",
		1043: "Agent not logged in",
		1047: "Malformed request body",
		1501: "Agent dashboard error",
		1586: "Data not found",
	}
	if text, ok := texts[code]; ok {
		return text
	}
	return "Unknown error"
}

// authenticate returns whose counters a request asks for, or the code that
// refuses it. With a refusal the agent is who they claim to be, so that their
// faults hit them all the same, or everybody when nobody knows.
func (s *Sim) authenticate(body []byte) (agent, code int) {
	agent = everybody
	var req map[string]jsontext.Value
	if json.Unmarshal(body, &req) != nil || req == nil {
		return agent, 1047
	}
	given := map[string]string{}
	for _, name := range []string{"ssid", "userId", "token"} {
		raw, ok := req[name]
		if !ok {
			continue
		}
		var text string
		if raw.Kind() != '"' || json.Unmarshal(raw, &text) != nil {
			return agent, 1001
		}
		given[name] = text
	}
	return s.open(given["ssid"], given["userId"], given["token"])
}

// open checks a credential: a session id alone, a user id and a token, or all
// three, and then of one agent.
func (s *Sim) open(ssid, userID, token string) (agent, code int) {
	agent, known := s.byUser[userID]
	if userID == "" {
		agent, known = s.bySSID[ssid]
	}
	if !known {
		agent = everybody
	}
	switch {
	case ssid == "" && userID == "" && token == "":
		return agent, 1000
	case userID == "" && token != "":
		return agent, 1002
	case userID != "" && token == "":
		return agent, 1020
	case userID != "" && !known:
		return agent, 1003
	case !known:
		return agent, 1014
	case token != "" && token != s.agents[agent].Token, ssid != "" && ssid != s.agents[agent].SSID:
		return agent, 1014
	}
	return agent, 0
}

// serveFault sets or clears a fault: {"user_id", "fault", "count"}.
func (s *Sim) serveFault(w http.ResponseWriter, r *http.Request) {
	var req struct {
		UserID string `json:"user_id"`
		Fault  string `json:"fault"`
		Count  int    `json:"count"`
	}
	body := http.MaxBytesReader(w, r.Body, maxRequest)
	if err := json.UnmarshalRead(body, &req, json.RejectUnknownMembers(true)); err != nil {
		http.Error(w, `body must be JSON as {"user_id": "100213", "fault": "html502", "count": 1}`, http.StatusBadRequest)
		return
	}
	if err := s.Fault(req.UserID, req.Fault, req.Count); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// write sends an answer.
func (s *Sim) write(w http.ResponseWriter, status int, contentType string, body []byte) {
	s.date(w)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // whoever asked has gone if this fails
}

// date makes the answer's date that of the simulation's clock.
func (s *Sim) date(w http.ResponseWriter) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
}

// pause waits for d and reports whether the client is still there.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// reset closes the connection so that the client sees a reset, not an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to break off without a connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
