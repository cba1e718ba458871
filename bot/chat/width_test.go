package chat

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"":                   0,
		"abc":                3,
		"é":                  1,
		"e\u0301":            1,
		"王小明":                6,
		"ﾊﾝｶｸ":               4,
		"한글":                 4,
		"\u1112\u1161\u11ab": 2, // the same syllable in parts
		"🙂":                  2,
		"👨‍👩‍👧":              2,
		"👍🏽":                 2,
		"🇮🇳":                 2,
		"❤️":                 2,
		"❤️‍🔥":               2,
		"1️⃣":                2,
		"a\u200db":           2, // no emoji: nothing is joined
		"a\u200bb":           2,
		"▲ 3 – …":            7,
		"की":                 2,
		"عربى":               4,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestCharacters(t *testing.T) {
	zalgo := "a" + strings.Repeat("\u0301", 31)
	for s, want := range map[string][]string{
		"ae\u0301b":              {"a", "e\u0301", "b"},
		"👨‍👩‍👧x":                 {"👨‍👩‍👧", "x"},
		"🇮🇳🇩🇪🇫":                  {"🇮🇳", "🇩🇪", "🇫"},
		"a\xffb":                 {"a", "\xff", "b"},
		zalgo + "\u0301b":        {zalgo, "\u0301", "b"},
		"🏴\U000E0067\U000E007F!": {"🏴\U000E0067\U000E007F", "!"},
	} {
		if got := slices.Collect(Characters(s)); !slices.Equal(got, want) {
			t.Errorf("Characters(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, test := range []struct {
		s     string
		limit int
		size  func(string) int
		want  string
	}{
		{"short", 5, nil, "short"},
		{"longer", 5, nil, "long…"},
		{"a bc", 3, nil, "a…"},
		{"ae\u0301", 2, nil, "a…"},
		{"王小明", 5, Width, "王小…"},
		{"王小明", 4, Width, "王…"},
		{"abc", 1, nil, "…"},
		{"abc", 0, nil, ""},
		{"<<<<", 9, func(s string) int { return len(s) + 3*strings.Count(s, "<") }, "<…"},
	} {
		if got := Clip(test.s, test.limit, test.size); got != test.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", test.s, test.limit, got, test.want)
		}
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"a\r\nb\rc\u2028d": "a\nb\nc\nd",
		"a\x00b\tc\x9bd":   "a b c\uFFFDd",
		"a\u009bd":         "a d",
		"\ufeffx\u2066y":   "xy",
		"e\u200d\u200f":    "e\u200d\u200f",
	} {
		if got := Clean(s); got != want {
			t.Errorf("Clean(%q) = %q, want %q", s, got, want)
		}
	}
	if got := OneLine(" a\n\tb\u00a0 c "); got != "a b c" {
		t.Errorf("OneLine: %q", got)
	}
}

func FuzzClip(f *testing.F) {
	for _, s := range []string{"", "abc", "👨‍👩‍👧🇮🇳", "e\u0301\u0301", "\xff\xfe", "a\u202eb", "王"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 50
		if strings.Join(slices.Collect(Characters(s)), "") != s {
			t.Fatal("the characters do not add up to the text")
		}
		c := Clean(s)
		if !utf8.ValidString(c) || Clean(c) != c {
			t.Fatalf("Clean(%q) = %q is not clean", s, c)
		}
		for name, size := range map[string]func(string) int{"runes": utf8.RuneCountInString, "columns": Width} {
			got := Clip(c, limit, size)
			if size(got) > max(limit, 0) {
				t.Fatalf("Clip(%q, %d) by %s = %q is too long", c, limit, name, got)
			}
			if got != c && got != "" && !strings.HasSuffix(got, Ellipsis) {
				t.Fatalf("Clip(%q, %d) = %q was cut silently", c, limit, got)
			}
		}
	})
}
