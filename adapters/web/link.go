package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// What is spent of [limits.perMinute]. A submission costs more than a look: it
// may end in a live call. An office behind one address has room for dozens of
// people who link in the same minute.
const (
	costLook   = 1
	costSubmit = 5
)

// ticketForm is how a ticket looks: 32 bytes in base64 for URLs. For everything
// else nobody needs to be asked.
var ticketForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// link serves a link page.
func (s *Server) link(w http.ResponseWriter, r *http.Request, ticket secret.Secret) {
	cost := costLook
	if r.Method == http.MethodPost {
		cost = costSubmit
	}
	if wait, ok := s.asked.allow(network(s.client(r)), cost, s.limits.perMinute, time.Now()); !ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		s.note(w, http.StatusTooManyRequests)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.answer)
	defer cancel()
	switch {
	case !ticketForm.MatchString(ticket.Reveal()):
		s.gone(w)
	case r.Method == http.MethodPost:
		s.submit(ctx, w, r, ticket)
	default:
		s.look(ctx, w, ticket)
	}
}

// look shows the form.
func (s *Server) look(ctx context.Context, w http.ResponseWriter, ticket secret.Secret) {
	offer, err := s.config.Links.Offer(ctx, ticket)
	if err != nil {
		s.failed(ctx, w, err)
		return
	}
	s.pages.write(w, http.StatusOK, formPage(Result{Offer: offer}, Submission{}))
}

// submit takes what was entered.
func (s *Server) submit(ctx context.Context, w http.ResponseWriter, r *http.Request, ticket secret.Secret) {
	if s.origin.Check(r) != nil {
		s.note(w, http.StatusForbidden)
		return
	}
	entered, status := s.read(w, r)
	if status != http.StatusOK {
		s.note(w, status)
		return
	}
	result, err := s.config.Links.Redeem(ctx, ticket, entered)
	switch {
	case err != nil:
		s.failed(ctx, w, err)
	case result.Linked:
		s.pages.write(w, http.StatusOK, donePage(result))
	case result.Message.Tone != chat.Neutral: // not the person's doing
		s.pages.write(w, http.StatusServiceUnavailable, formPage(result, entered))
	default:
		s.pages.write(w, http.StatusUnprocessableEntity, formPage(result, entered))
	}
}

// read returns what was entered, or the status that says what is wrong with the
// request. Its errors are not looked at: they quote what was sent.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (Submission, int) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return Submission{}, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.limits.form))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return Submission{}, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return Submission{}, http.StatusBadRequest
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return Submission{}, http.StatusBadRequest
	}
	field := func(name string) secret.Secret { return secret.New(strings.TrimSpace(values.Get(name))) }
	return Submission{
		UserID: field("user_id").Reveal(), Token: field("token"), SSID: field("ssid"), Confirmed: values.Get("confirm") == "yes",
	}, http.StatusOK
}

// failed answers for an error of [Links].
func (s *Server) failed(ctx context.Context, w http.ResponseWriter, err error) {
	if errors.Is(err, ErrGone) {
		s.gone(w)
		return
	}
	s.log.ErrorContext(ctx, "link page failed", "err", err)
	s.note(w, http.StatusInternalServerError)
}

// gone is the one answer to whatever cannot be told apart from a ticket that
// never was.
func (s *Server) gone(w http.ResponseWriter) {
	s.pages.write(w, http.StatusNotFound, gonePage())
}
