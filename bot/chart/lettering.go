package chart

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"floorwalker/bot/chat"
)

// A lettering writes in the built-in font, Go Medium, in one size. It draws
// Latin, Greek and Cyrillic. It belongs to one picture: it is not safe for
// concurrent use.
type lettering struct {
	font   *sfnt.Font
	size   fixed.Int26_6 // of the em, in pixels
	buffer sfnt.Buffer
}

// newLettering returns a lettering of a size in points.
func newLettering(size int) (*lettering, error) {
	f, err := sfnt.Parse(gomedium.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the built-in font: %w", err)
	}
	return &lettering{font: f, size: fixed.I(size * density)}, nil
}

// plainZero is the font's zero without a stroke through it, which no character
// stands for. In a small picture the one with the stroke looks like an eight.
const plainZero sfnt.GlyphIndex = 711

// glyph returns the place of a character in the font, 0 if it has none.
func (l *lettering) glyph(r rune) sfnt.GlyphIndex {
	if r == '0' {
		return plainZero
	}
	i, err := l.font.GlyphIndex(&l.buffer, r)
	if err != nil || !unicode.IsPrint(r) {
		return 0
	}
	return i
}

// or returns what the font can draw of s: with composed letters, without
// pictures such as emoji. If a letter is left that it cannot draw, or nothing,
// it returns instead.
func (l *lettering) or(s, instead string) string {
	s = strings.Map(func(r rune) rune {
		if l.glyph(r) == 0 && unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, norm.NFC.String(s))
	if s = chat.OneLine(s); s == "" || strings.ContainsFunc(s, func(r rune) bool { return l.glyph(r) == 0 }) {
		return instead
	}
	return s
}

// layout calls the function for each character of s with where it begins, in
// pixels, and returns where the last ends.
func (l *lettering) layout(s string, place func(i sfnt.GlyphIndex, x fixed.Int26_6)) fixed.Int26_6 {
	var x fixed.Int26_6
	var previous sfnt.GlyphIndex
	for _, r := range s {
		i := l.glyph(r)
		if previous != 0 {
			// The font has no pair if this fails, and letters then stand as they are.
			if kern, err := l.font.Kern(&l.buffer, previous, i, l.size, font.HintingNone); err == nil {
				x += kern
			}
		}
		if place != nil {
			place(i, x)
		}
		if advance, err := l.font.GlyphAdvance(&l.buffer, i, l.size, font.HintingNone); err == nil {
			x += advance
		}
		previous = i
	}
	return x
}

// width returns the length of s in points.
func (l *lettering) width(s string) float64 { return float64(l.layout(s, nil)) / 64 / density }

// clip shortens s to a length in points.
func (l *lettering) clip(s string, room float64) string {
	for n := len([]rune(s)); ; n-- {
		if short := chat.Clip(s, n, nil); n == 0 || l.width(short) <= room {
			return short
		}
	}
}

// write draws s in an ink from the left end of its base line.
func (c *canvas) write(l *lettering, k ink, at spot, s string) {
	l.layout(s, func(i sfnt.GlyphIndex, x fixed.Int26_6) {
		outline, err := l.font.LoadGlyph(&l.buffer, i, l.size, nil)
		if err != nil {
			return // a coloured glyph, which the built-in font has none of
		}
		c.outline(k, spot{at.x*density + float64(x)/64, float64(pixel(at.y))}, outline)
	})
}
