package dashboard

import (
	"strings"
	"testing"

	"floorwalker/bot/secret"
)

// cred makes a credential of its three parts.
func cred(ssid, userID, token string) Credential {
	return Credential{SSID: secret.New(ssid), UserID: userID, Token: secret.New(token)}
}

func TestCredential(t *testing.T) {
	for _, test := range []struct {
		cred  Credential
		kind  string
		body  string
		fault string // part of Validate's sentence, "" if valid
	}{
		{cred("s1", "", ""), "ssid", `{"ssid":"s1"}`, ""},
		{cred("", "u1", "t1"), "token", `{"userId":"u1","token":"t1"}`, ""},
		{cred("s1", "u1", "t1"), "token", `{"ssid":"s1","userId":"u1","token":"t1"}`, ""},
		{cred("", "u1", `t"1\é`), "token", `{"userId":"u1","token":"t\"1\\é"}`, ""},
		{cred("", "", ""), "ssid", `{}`, "no credential: give user_id and token, or the ssid"},
		{cred("", "u1", ""), "ssid", `{"userId":"u1"}`, "token is missing"},
		{cred("s1", "u1", ""), "ssid", `{"ssid":"s1","userId":"u1"}`, "token is missing"},
		{cred("", "", "t1"), "ssid", `{"token":"t1"}`, "user_id is missing"},
		{cred("s1", "", "t1"), "ssid", `{"ssid":"s1","token":"t1"}`, "user_id is missing"},
		{cred("", "u1", "planted 1"), "token", `{"userId":"u1","token":"planted 1"}`, "token contains a space or a line break"},
		{cred("planted\n", "", ""), "ssid", `{"ssid":"planted\n"}`, "ssid contains a space or a line break"},
		{cred("", "u\x001", "planted"), "token", `{"userId":"u\u00001","token":"planted"}`, "user_id contains"},
		{cred("planted\xff", "", ""), "ssid", "{\"ssid\":\"planted\uFFFD\"}", "ssid is not valid UTF-8"},
		{cred("", "u1", strings.Repeat("planted", 1000)), "token", "", "token is longer than 4096 bytes"},
	} {
		err := test.cred.Validate()
		if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("Validate: %v, want %q", err, test.fault)
		}
		if err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("Validate quotes a secret: %v", err)
		}
		if got := test.cred.Kind(); got != test.kind {
			t.Errorf("Kind is %s, want %s", got, test.kind)
		}
		if got := string(test.cred.body()); test.body != "" && got != test.body {
			t.Errorf("body is %s, want %s", got, test.body)
		}
	}
}

// TestCredentialsDiffer compares credentials that join to the same text.
func TestCredentialsDiffer(t *testing.T) {
	all := []Credential{{}, cred("ab", "", ""), cred("", "ab", ""), cred("", "", "ab"), cred("a", "b", ""), cred("", "a", "b"), cred("a", "", "b"), cred("a", "b", "c")}
	for i, a := range all {
		for j, b := range all {
			if got := a.Equal(b); got != (i == j) {
				t.Errorf("%d and %d equal: %v", i, j, got)
			}
			if got := a.fingerprint() == b.fingerprint(); got != (i == j) {
				t.Errorf("%d and %d have the same fingerprint: %v", i, j, got)
			}
		}
	}
	if a, b := cred("a", "b", "c"), cred("a", "b", "c"); !a.Equal(b) || a.fingerprint() != b.fingerprint() {
		t.Error("the same parts make another credential")
	}
}
