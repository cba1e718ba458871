package slack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"floorwalker/bot/chat"
)

// signingForm is what Slack's signing secrets look like.
var signingForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// checkHTTP looks at what HTTP mode needs: the signing secret, and that the
// public address leads to a floorwalker that has the same.
func (a *Adapter) checkHTTP(ctx context.Context) []chat.Finding {
	const check = "slack signing secret"
	f := chat.Finding{Level: chat.LevelOK, Check: check, Message: "The signing secret has the form of Slack's."}
	if !signingForm.MatchString(a.config.SigningSecret.Reveal()) {
		f = chat.Finding{Level: chat.LevelWarn, Check: check, Message: "The signing secret does not look like Slack's, which are 32 hexadecimal digits.",
			Next: "Copy the Signing Secret from Basic Information in the app's settings to slack.signing_secret."}
	}
	return []chat.Finding{f, a.checkAddress(ctx)}
}

// checkAddress does what Slack does when the address is entered, from here.
func (a *Adapter) checkAddress(ctx context.Context) chat.Finding {
	const check = "slack public address"
	if a.config.PublicURL == "" {
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "http.public_url is not set, so I cannot look whether Slack finds me.",
			Next: "Set it to where the world reaches http.listen, such as https://floor.example."}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	address := a.config.address(pathEvent)
	status, echoed, err := a.challenge(ctx, address)
	switch {
	case err != nil:
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: fmt.Sprintf("%s cannot be reached from this machine: %v.", address, err),
			Next: "Start floorwalker serve, and let the proxy pass /slack/ on to http.listen. From inside a network its public address is not always reachable: Slack says under Event Subscriptions whether it is from outside."}
	case status == http.StatusUnauthorized:
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: address + " refuses what is signed with this signing secret.",
			Next: "Restart floorwalker serve if slack.signing_secret was changed, and compare the clocks of both machines."}
	case !echoed:
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: fmt.Sprintf("%s is answered by something else, with status %d.", address, status),
			Next: "Let the proxy pass /slack/ on to http.listen, with the body as it came."}
	}
	return chat.Finding{Level: chat.LevelOK, Check: check, Message: address + " leads to floorwalker."}
}

// challenge posts a signed challenge and reports the answer's status and whether
// the challenge came back.
func (a *Adapter) challenge(ctx context.Context, address string) (status int, echoed bool, err error) {
	want := rand.Text()
	body, err := json.Marshal(map[string]string{"type": "url_verification", "challenge": want})
	if err != nil {
		return 0, false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, false, redacted(err)
	}
	req.Header.Set("Content-Type", "application/json")
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set(headerTimestamp, stamp)
	req.Header.Set(headerSignature, "v0="+hex.EncodeToString(signature(a.config.SigningSecret, stamp, body)))
	resp, err := a.hooks.Do(req)
	if err != nil {
		return 0, false, redacted(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, false, redacted(err)
	}
	var got struct {
		Challenge string `json:"challenge"`
	}
	return resp.StatusCode, resp.StatusCode == http.StatusOK && json.Unmarshal(answer, &got) == nil && got.Challenge == want, nil
}
