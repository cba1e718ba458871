package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"floorwalker/adapters/console"
	"floorwalker/bot/chat"
)

// columns is the width of the terminal in the pictures.
const columns = 80

// drawTerminal has the console draw the cards in colour.
func drawTerminal(ctx context.Context, look string, cards []card) ([]page, error) {
	style, err := terminalStyle()
	if err != nil {
		return nil, err
	}
	var pages []page
	for _, c := range cards {
		text, err := onConsole(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("draw %s on the console: %w", c.name, err)
		}
		pages = append(pages, page{card: c.name, look: look, html: `<!doctype html><meta charset="utf-8"><style>` + style + `</style><pre id="card">` + fromANSI(text) + `</pre>`})
	}
	return pages, nil
}

// onConsole returns what stands in the terminal when the card is there.
func onConsole(ctx context.Context, c card) (string, error) {
	var out bytes.Buffer
	dir, err := os.MkdirTemp("", "floorwalker-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	who := cmp.Or(c.as, "asha")
	k := console.New(console.Config{
		In: strings.NewReader("/floor\n"), Out: &out, Color: console.ColorAlways, Width: columns, Live: true, Dir: dir,
		People: []console.Person{{ID: who, Name: fullName(who)}},
	})
	if !c.sent {
		err = k.Run(ctx, answer{c})
		form, _, _ := strings.Cut(out.String(), "Nothing was sent.") // because nobody fills it in
		return form, err
	}
	to := chat.Address{Network: chat.Console, ID: "#support"}
	if c.message.Private {
		to.ID = who
	}
	_, err = k.Send(ctx, chat.Outgoing{To: to, Message: c.message})
	return out.String(), err
}

// answer is an app that answers everything with one card.
type answer struct{ card }

func (a answer) Commands() []chat.Command { return []chat.Command{{Name: "mystats"}, {Name: "floor"}} }

func (a answer) Handle(context.Context, chat.Request) (chat.Reply, error) {
	if a.form != nil {
		return chat.Ask(*a.form), nil
	}
	return chat.Show(a.message), nil
}

func (a answer) Complete(context.Context, chat.Request, string) []chat.Choice { return nil }
func (a answer) Event(context.Context, chat.Event)                            {}

var rendition = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// fromANSI returns a text with renditions as HTML: a span for each, with a class
// for each of its parameters.
func fromANSI(text string) string {
	var b strings.Builder
	open := false
	for text != "" {
		at := rendition.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		b.WriteString(html.EscapeString(text[:at[0]]))
		if open {
			b.WriteString("</span>")
		}
		open = false
		if p := text[at[2]:at[3]]; p != "" && p != "0" {
			fmt.Fprintf(&b, `<span class="s%s">`, strings.ReplaceAll(p, ";", " s"))
			open = true
		}
		text = text[at[1]:]
	}
	b.WriteString(html.EscapeString(text))
	if open {
		b.WriteString("</span>")
	}
	return strings.TrimRight(b.String(), "\n")
}

// terminalColors are the look of the terminal. Its letters are eight points
// wide, so that borders stand below each other exactly.
const terminalColors = `body{margin:0;background:#16181d}
#card{margin:0;display:inline-block;padding:14px 18px;background:#16181d;color:#d6d8dd;font:13.288px/15px Mono,monospace;width:80ch}
.s1{font-weight:700;color:#fff}.s2{color:#868b96}.s4{text-decoration:underline}.s31{color:#f47067}.s32{color:#57ab5a}
.s33{color:#d9a441}.s34{color:#539bf5}.s36{color:#39c5cf}`

// terminalStyle returns a terminal's colours and its font.
func terminalStyle() (string, error) {
	dir, err := nodeDir()
	if err != nil {
		return "", err
	}
	var css strings.Builder
	css.WriteString(terminalColors)
	for _, weight := range []int{400, 700} {
		font, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("node_modules/@fontsource/dejavu-mono/files/dejavu-mono-latin-%d-normal.woff2", weight)))
		if err != nil {
			return "", fmt.Errorf("the terminal's font is missing (run npm ci in docs/gallery/node): %w", err)
		}
		fmt.Fprintf(&css, `@font-face{font-family:Mono;font-weight:%d;src:url(data:font/woff2;base64,%s)}`, weight, base64.StdEncoding.EncodeToString(font))
	}
	return css.String(), nil
}
