package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// pages are the templates, and the hash by which the policy knows their style.
type pages struct {
	templates *template.Template
	styleHash string // as in Content-Security-Policy
}

func newPages() *pages {
	sum := sha256.Sum256([]byte(pageCSS))
	return &pages{template.Must(template.New("page").Parse(pageHTML)), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}
}

// A view is what a page is drawn from. All text in it is untrusted; the template
// escapes it.
type view struct {
	Title   string // of the window, and of the page
	Style   template.CSS
	Body    string // form, done or note
	Network string // "Slack"
	Command string // what people type to the bot there

	Text []paragraph // done, note
	form             // of Body form
}

// form is the rest of a view that shows one.
type form struct {
	Name, Initial, Where, ID string
	Until                    string
	Tries                    int
	Relink                   bool
	UserID                   string
	Faults                   map[string]string // by field
	Summary                  []fault           // the same, in the order of the fields
	Problem                  []paragraph       // what the dashboard, or the bot, says
	Open                     bool              // the other way to link is unfolded
	Ended                    bool              // nothing can be entered any more
}

// A fault is what is wrong with a field.
type fault struct{ Field, Text string }

// A paragraph is running text.
type paragraph []run

// A run is a stretch of text of one kind.
type run struct {
	Text         string
	Strong, Code bool
}

// write sends a page. It is drawn before anything is sent, so that a fault is a
// fault and no half of a page.
func (p *pages) write(w http.ResponseWriter, status int, v view) {
	v.Style = template.CSS(pageCSS) // ours
	var b bytes.Buffer
	if err := p.templates.Execute(&b, v); err != nil {
		panic(err) // a template and its view are constant; ServeHTTP answers
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// formPage is the page with the form: empty, or with what is wrong. What is secret
// is not shown again.
func formPage(r Result, entered Submission) view {
	o := r.Offer
	f := form{
		Name: called(o), Where: networkName(o.Who.Network), ID: o.Who.ID, Until: o.Expires.Format("15:04 MST"), Tries: o.Tries, Relink: o.Relink,
		UserID: entered.UserID, Faults: r.Faults, Open: r.Faults["ssid"] != "" || entered.UserID == "" && !entered.SSID.IsZero(),
		Ended: o.Tries <= 0,
	}
	f.Initial = initial(f.Name)
	if o.Workspace != "" {
		f.Where += " · " + chat.OneLine(o.Workspace)
	}
	for _, field := range []string{"user_id", "token", "ssid", "confirm"} {
		if text := r.Faults[field]; text != "" {
			f.Summary = append(f.Summary, fault{field, text})
		}
	}
	title := "Link your account"
	if len(r.Faults) == 0 {
		f.Problem = paragraphs(r.Message)
	}
	if len(f.Summary)+len(f.Problem) > 0 {
		title = "Not linked yet"
	}
	return view{Title: title, Body: "form", Network: networkName(o.Who.Network), Command: o.Command, form: f}
}

// donePage says that somebody is linked.
func donePage(r Result) view {
	return view{Title: "You are linked", Body: "done", Network: networkName(r.Offer.Who.Network), Text: paragraphs(r.Message)}
}

// goneTitle is the title of gonePage, by which Probe knows it.
const goneTitle = "This link does not work any more"

// gonePage says that a link page is not good any more.
func gonePage() view {
	return view{Title: goneTitle, Body: "note", Text: []paragraph{
		{{Text: "A link page works once, for ten minutes, and the newest one only."}},
		{{Text: "If you have just linked your account, all is well: your chat says so. If not, get a new page there as you got this one."}},
	}}
}

// note answers a request that no page sends.
func (s *Server) note(w http.ResponseWriter, status int) {
	title, text := "There is nothing here", "If you came by a link, ask whoever gave it to you for a new one."
	switch status {
	case http.StatusForbidden:
		title, text = "That came from another page", "Nothing was done. Open the link in your chat again, and send the form from there."
	case http.StatusTooManyRequests:
		title, text = "Too many requests", "Wait a minute, then load this page again."
	case http.StatusRequestEntityTooLarge:
		title, text = "That was too much", "Nothing was done. A user id and a token are short: go back and look at what you pasted."
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		title, text = "I could not read that", "Nothing was done. Open the link in your chat again, and use the form there."
	case http.StatusInternalServerError:
		title, text = "Something went wrong on my side", "It is in the log. Try again in a minute; if it happens again, tell an administrator."
	}
	s.pages.write(w, status, view{Title: title, Body: "note", Text: []paragraph{{{Text: text}}}})
}

// paragraphs returns a message's running text. Buttons are for chat, and so is
// what is small print there.
func paragraphs(m chat.Message) []paragraph {
	var list []paragraph
	for _, b := range m.Blocks {
		if p, ok := b.(chat.Paragraph); ok && !p.Quiet && len(p.Text) > 0 {
			list = append(list, runs(p.Text))
		}
	}
	if len(m.Footer) > 0 {
		list = append(list, runs(m.Footer))
	}
	return list
}

func runs(t chat.Text) paragraph {
	var p paragraph
	for _, span := range t {
		p = append(p, run{Text: chat.Text{span}.Plain(), Strong: span.Kind == chat.SpanStrong, Code: span.Kind == chat.SpanCode})
	}
	return p
}

// called is how the page calls somebody: by their id, if nothing can be seen of
// their name.
func called(o Offer) string {
	if name := chat.OneLine(o.Name); strings.ContainsFunc(name, visible) {
		return name
	}
	return o.Who.ID
}

// visible reports whether a character leaves ink by itself. Some letters do not,
// and neither does the blank of Braille.
func visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != '\u2800' &&
		!unicode.In(r, unicode.M, unicode.Other_Default_Ignorable_Code_Point)
}

// initial is the letter in a person's picture, "" if their name begins with none.
func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	if !unicode.IsLetter(r) {
		return ""
	}
	return string(unicode.ToUpper(r))
}

// networkName is how people write a network's name.
func networkName(n chat.Network) string {
	if n == "" {
		return ""
	}
	return strings.ToUpper(string(n[:1])) + string(n[1:])
}
