package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is that of a colour such as #0b6b63, after WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is not a colour", colour)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// TestContrast: every text on its ground, and the edge of every field, as WCAG 2
// wants them on level AA, light and dark.
func TestContrast(t *testing.T) {
	light, dark, ok := strings.Cut(pageCSS, "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	variable := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	for name, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(css, -1) {
			colours[m[1]] = m[2]
		}
		for _, c := range []struct {
			front, back string
			least       float64
		}{
			{"text", "ground", 4.5}, {"text", "card", 4.5}, {"text", "accent-soft", 4.5}, {"text", "bad-soft", 4.5}, {"text", "info-soft", 4.5},
			{"quiet", "card", 4.5}, {"quiet", "ground", 4.5}, {"quiet", "accent-soft", 4.5},
			{"accent", "card", 4.5}, {"accent", "accent-soft", 4.5}, {"on-accent", "accent", 4.5},
			{"bad", "card", 4.5}, {"bad", "bad-soft", 4.5}, {"edge", "card", 3},
		} {
			a, b := luminance(t, colours[c.front]), luminance(t, colours[c.back])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < c.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, c.front, c.back, ratio, c.least)
			}
		}
	}
}
