package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"floorwalker/bot/secret"
)

// TestKeyFromServiceManager: a key that systemd hands over may be readable for
// its group, as it seems; another file with that mode is refused.
func TestKeyFromServiceManager(t *testing.T) {
	const text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	credentials, elsewhere := t.TempDir(), t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials+"/")
	for _, test := range []struct {
		dir  string
		mode os.FileMode
		fine bool
	}{
		{credentials, 0o440, true}, {credentials, 0o400, true}, {credentials, 0o444, false}, {credentials, 0o640, false},
		{elsewhere, 0o440, false}, {elsewhere, 0o600, true},
	} {
		file := filepath.Join(test.dir, "floorwalker.key")
		os.Remove(file)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, test.mode); err != nil {
			t.Fatal(err)
		}
		c := testConfig(t)
		c.Key, c.KeyFile = secret.Secret{}, file
		s, err := Open(c)
		if fine := err == nil; fine != test.fine || !fine && !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %#o in %s: %v", test.mode, test.dir, err)
		}
		if err == nil {
			s.Close()
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if private("floorwalker.key", 0o440) {
		t.Error("without a service manager there are no credentials")
	}
}
