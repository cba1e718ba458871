package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"floorwalker/bot/secret"
	"go.yaml.in/yaml/v3"
)

const planted = "xoxb-planted-4711"

// holder keeps a secret where fmt cannot call its methods.
type holder struct {
	Public  secret.Secret
	private secret.Secret
	nested  struct{ deep []secret.Secret }
	byName  map[string]secret.Secret
}

func plant() holder {
	h := holder{Public: secret.New(planted), private: secret.New(planted)}
	h.nested.deep = []secret.Secret{secret.New(planted)}
	h.byName = map[string]secret.Secret{"token": secret.New(planted)}
	return h
}

// TestNothingPrints tries every path from a value to text that the program has.
func TestNothingPrints(t *testing.T) {
	var out bytes.Buffer
	h := plant()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%c", "%08.3f"} {
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
		fmt.Fprintf(&out, verb+"\n", h.Public)
		fmt.Fprintf(&out, verb+"\n", &h.Public)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("hello", "holder", h, "pointer", &h, "secret", h.Public)
	}
	if b, err := json.Marshal(h); err != nil {
		t.Fatal(err)
	} else {
		out.Write(b)
	}
	if b, err := yaml.Marshal(h); err != nil {
		t.Fatal(err)
	} else {
		out.Write(b)
	}
	fmt.Fprintln(&out, fmt.Errorf("call with %v: %w", h.Public, errors.New("refused")))

	if s := out.String(); strings.Contains(s, planted) || strings.Contains(s, fmt.Sprintf("%x", planted)) {
		t.Errorf("the secret was printed:\n%s", s)
	}
	if !strings.Contains(out.String(), "•••") {
		t.Error("no mask was printed: the test prints nothing")
	}
}

func TestSecret(t *testing.T) {
	s := secret.New(planted)
	if got := s.Reveal(); got != planted {
		t.Errorf("Reveal() = %q, want %q", got, planted)
	}
	if !s.Equal(secret.New(planted)) || s.Equal(secret.New("other")) || s.Equal(secret.Secret{}) {
		t.Error("Equal does not compare content")
	}
	if (secret.Secret{}).String() != "" || !secret.New("").IsZero() || s.IsZero() {
		t.Error("an empty secret must be zero and print as nothing")
	}
	var fromText secret.Secret
	if err := json.Unmarshal([]byte(`"`+planted+`"`), &fromText); err != nil || !fromText.Equal(s) {
		t.Errorf("unmarshalled %v, %v", fromText, err)
	}
}
