package store

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"floorwalker/bot/secret"
)

// keyAdvice ends every sentence about a malformed key.
const keyAdvice = "a key is 32 random bytes in base64, as `openssl rand -base64 32` prints"

// masterKey returns the key that the configuration gives. A key file that is not
// there is an error that matches fs.ErrNotExist.
func (c Config) masterKey() (masterKey, error) {
	if !c.Key.IsZero() {
		return parseKey("store.key", c.Key)
	}
	if c.KeyFile == "" {
		return masterKey{}, errors.New("no key for the store: set store.key_file, or FLOORWALKER_STORE_KEY")
	}
	text, err := readKeyFile(c.KeyFile)
	if err != nil {
		return masterKey{}, err
	}
	return parseKey("key file "+c.KeyFile, text)
}

// newMasterKey returns the key for a new database, and makes the key file if it
// is not there.
func (c Config) newMasterKey() (masterKey, error) {
	key, err := c.masterKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createKeyFile(c.KeyFile); err != nil {
		return masterKey{}, fmt.Errorf("create key file %s: %w", c.KeyFile, err)
	}
	c.Logger.Info("key file created; back it up apart from the database", "path", c.KeyFile)
	return c.masterKey()
}

// parseKey reads a key's text. Errors name the source and never quote the text.
func parseKey(source string, text secret.Secret) (masterKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text.Reveal()))
	if err != nil {
		return masterKey{}, fmt.Errorf("%s is not base64: %s", source, keyAdvice)
	}
	if len(key) != keySize {
		return masterKey{}, fmt.Errorf("%s holds %d bytes: %s", source, len(key), keyAdvice)
	}
	return newMasterKey(key)
}

// readKeyFile refuses a file that others than its owner may read.
func readKeyFile(path string) (secret.Secret, error) {
	info, err := os.Stat(path) // before opening, which would hang on a pipe
	if err != nil {
		return secret.Secret{}, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return secret.Secret{}, fmt.Errorf("key file %s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return secret.Secret{}, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode().Perm(); !private(path, mode) {
		return secret.Secret{}, fmt.Errorf("key file %s has mode %#o: only its owner may read it; chmod 600 %[1]s", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return secret.Secret{}, fmt.Errorf("key file: %w", err)
	}
	return secret.New(string(text)), nil
}

// private reports whether only its owner may read a file of a mode. A credential
// that systemd hands to a service may show as 0440: the service's user gets it
// by an access list, and nobody else comes into its directory.
func private(path string, mode fs.FileMode) bool {
	credentials := os.Getenv("CREDENTIALS_DIRECTORY")
	handed := credentials != "" && filepath.Dir(path) == filepath.Clean(credentials)
	return mode == 0o400 || mode == 0o600 || mode == 0o440 && handed
}

// createKeyFile makes a key file with a random key, whole or not at all. One
// that has appeared meanwhile stays as it is.
func createKeyFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keySize)
	rand.Read(key) // never fails, says its documentation
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return publish(f.Name(), path)
}

// publish gives a complete file its final name, durably. Unlike a rename, a link
// never replaces a file: one that is there already is left, without an error.
// (File systems without links have no file modes either, so no place for keys.)
func publish(temporary, path string) error {
	if err := os.Link(temporary, path); err != nil {
		if _, missing := os.Lstat(path); missing != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
