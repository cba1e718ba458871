package bot

import (
	"maps"
	"testing"

	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// TestFormFaults: each field has its own fault, in words that need no name of it.
func TestFormFaults(t *testing.T) {
	const spaced = "This contains a space or a line break; paste only the value."
	for _, c := range []struct {
		userID, token, ssid string
		want                map[string]string
	}{
		{"u 1", "t 1", "", map[string]string{"user_id": spaced, "token": spaced}},
		{"u1", "t1", "s\n", map[string]string{"ssid": spaced}},
		{"u1", "", "", map[string]string{"token": "Give the token too, or only a session id."}},
		{"", "t1", "", map[string]string{"user_id": "Give the user id too, or only a session id."}},
		{"", "", "", map[string]string{"user_id": "Give your user id and token, or only a session id."}},
		{"u1", "t1", "", nil},
		{"", "", "s1", nil},
	} {
		got := formFaults(dashboard.Credential{UserID: c.userID, Token: secret.New(c.token), SSID: secret.New(c.ssid)})
		if !maps.Equal(got, c.want) {
			t.Errorf("%q %q %q: %q, want %q", c.userID, c.token, c.ssid, got, c.want)
		}
	}
}
