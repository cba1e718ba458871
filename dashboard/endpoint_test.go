package dashboard

import (
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	const want = "https://brand.example/api/v2/agentDashboard/counters"
	for base, want := range map[string]string{
		"https://brand.example":                                 want,
		"https://brand.example/":                                want,
		"https://brand.example//":                               want,
		"HTTPS://brand.example":                                 want,
		"https://brand.example/api/v2":                          want,
		"https://brand.example/api/v2/":                         want,
		"https://brand.example/api/v2/agentDashboard":           want,
		"https://brand.example/api/v2/agentDashboard/counters":  want,
		"https://brand.example/api/v2/agentDashboard/counters/": want,
		"https://brand.example:8443":                            "https://brand.example:8443" + callPath,
		"https://host.example/brand/api/v2":                     "https://host.example/brand" + callPath,
		"https://host.example/myapi/v2":                         "https://host.example/myapi/v2" + callPath,
		"http://localhost:8080":                                 "http://localhost:8080" + callPath,
		"http://127.0.0.1:8080/":                                "http://127.0.0.1:8080" + callPath,
		"http://127.9.9.9":                                      "http://127.9.9.9" + callPath,
		"http://[::1]:8080":                                     "http://[::1]:8080" + callPath,
		"http://[::ffff:127.0.0.1]":                             "http://[::ffff:127.0.0.1]" + callPath,
		"https://पुणे.example":                                  "https://%E0%A4%AA%E0%A5%81%E0%A4%A3%E0%A5%87.example" + callPath,
	} {
		if got, err := Endpoint(base); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", base, got, err, want)
		}
	}
	for base, sentence := range map[string]string{
		"":                                   "base URL is missing",
		"{{brand}}":                          "still has the braces",
		"https://{{brand}}/api/v2":           "still has the braces",
		"https://%7B%7Bbrand%7D%7D":          "still has the braces",
		"https://%7bbrand.example":           "still has the braces",
		"https://brand.example/%7D":          "still has the braces",
		"brand.example":                      "needs a scheme and a host",
		"//brand.example":                    "needs a scheme and a host",
		"https://":                           "needs a scheme and a host",
		"https://:443":                       "needs a scheme and a host",
		"https:brand.example":                "needs a scheme and a host",
		"ftp://brand.example":                "needs a scheme and a host",
		"file:///etc/passwd":                 "needs a scheme and a host",
		"http://brand.example":               "plain http to brand.example; credentials are sent there, use https",
		"http://localhost.brand.example":     "plain http",
		"http://0.0.0.0":                     "plain http",
		"http://128.0.0.1":                   "plain http",
		"https://me:planted@brand.example":   "has a user name in it",
		"https://brand.example?ssid=planted": "has a query or a fragment",
		"https://brand.example?":             "has a query or a fragment",
		"https://brand.example#planted":      "has a query or a fragment",
		"https://planted:host:1":             "cannot be parsed",
		"https://me:planted@host:x":          "cannot be parsed",
		" https://brand.example":             "cannot be parsed",
		"https://brand.example/\x00planted":  "cannot be parsed",
	} {
		got, err := Endpoint(base)
		if err == nil || !strings.Contains(err.Error(), sentence) {
			t.Errorf("%q: %s, %v; want %q", base, got, err, sentence)
		} else if strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: the error quotes it: %v", base, err)
		}
	}
}
