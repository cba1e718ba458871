package chat

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Ellipsis ends a text that was cut.
const Ellipsis = "…"

const (
	firstMark      = '\u0300' // no rune before it joins another or is wide
	joiner         = '\u200d' // binds pictures into one, such as a family
	pictureStyle   = '\ufe0f' // asks for the coloured picture, two columns wide
	longestCluster = 32       // runes; more marks on one letter are a prank and are cut like text
)

// Width returns the number of columns that s takes in a terminal: East Asian
// wide characters and emoji take two, combining marks none. It expects one line
// of text as [Clean] returns it.
func Width(s string) int {
	n := 0
	for c := range Characters(s) {
		n += characterWidth(c)
	}
	return n
}

// Characters yields what a reader would call the characters of s: a letter with
// its accents, or an emoji with everything joined to it. Cutting between two of
// them leaves both whole. It follows Unicode's grapheme clusters closely enough
// for cutting and aligning; a character has at most 32 runes.
func Characters(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s != "" {
			n := firstCharacter(s)
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// firstCharacter returns the length in bytes of the first character of s.
func firstCharacter(s string) int {
	base, n := utf8.DecodeRuneInString(s)
	prev, flag := base, regional(base)
	for range longestCluster - 1 {
		r, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case size == 0 || r < firstMark:
			return n
		case extends(r):
		case prev == joiner && unicode.Is(unicode.So, base) && unicode.Is(unicode.So, r):
		case flag && regional(r):
			flag = false
		default:
			return n
		}
		prev, n = r, n+size
	}
	return n
}

// extends reports whether r belongs to the character before it.
func extends(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) ||
		r == joiner || r == '\u200c' ||
		r >= 0x1F3FB && r <= 0x1F3FF || // skin tones
		r >= 0xE0020 && r <= 0xE007F || // tags of regional flags
		r >= 0x1160 && r <= 0x11FF // Hangul vowels and finals
}

// regional reports whether r is half of a flag.
func regional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// characterWidth returns the columns of one character. Spacing marks, such as
// Devanagari vowel signs, take a column of their own, as terminals draw them.
func characterWidth(c string) int {
	base, size := utf8.DecodeRuneInString(c)
	n := runeWidth(base)
	for _, r := range c[size:] {
		switch {
		case unicode.Is(unicode.Mc, r):
			n++
		case r == pictureStyle && !unicode.IsLetter(base), regional(r):
			n = 2
		}
	}
	return n
}

// runeWidth returns the columns of a rune that stands alone.
func runeWidth(r rune) int {
	switch {
	case r < ' ' || r >= 0x7F && r < 0xA0, r == '\u00ad':
		return 0
	case r < firstMark:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Clip returns s if its size is within the limit, and otherwise as many of its
// first characters as fit with an ellipsis after them. A limit below the size of
// the ellipsis gives "".
//
// The size function counts what the limit is about: runes if it is nil, or
// [Width], UTF-16 units, escaped bytes. It must be the same for a text as the sum
// for its characters.
func Clip(s string, limit int, size func(string) int) string {
	if size == nil {
		size = utf8.RuneCountInString
	}
	if size(s) <= limit {
		return s
	}
	room := limit - size(Ellipsis)
	if room < 0 {
		return ""
	}
	end := 0
	for c := range Characters(s) {
		if room -= size(c); room < 0 {
			break
		}
		end += len(c)
	}
	return strings.TrimRight(s[:end], " \n") + Ellipsis
}

// Clean returns s as valid UTF-8 that is safe to show: a control character
// becomes a space (newlines stay, and all kinds of line ends become newlines),
// and marks that change the direction of the text around them are removed, so
// that no name can reorder a sentence or drive a terminal.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unclean) && utf8.ValidString(s) {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(cleanRune, s)
}

func unclean(r rune) bool { return cleanRune(r) != r }

// cleanRune returns what stands for r, -1 for nothing.
func cleanRune(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
		return '\n'
	case unicode.IsControl(r):
		return ' '
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
		return -1
	default:
		return r
	}
}

// OneLine returns [Clean] of s with every run of white space as one space, for
// titles, labels and cells.
func OneLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }
