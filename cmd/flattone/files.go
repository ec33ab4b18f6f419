package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// keyBytes is the length of a key-encryption key (AES-256), and of a webhook secret, which Standard Webhooks
// wants to be 24 to 64 bytes long.
const keyBytes = 32

func (t *tool) keyCommand() *cobra.Command {
	return t.newFileCommand("key", "make a vault key file", wordsKeyLong, wordsKeyMade,
		func(random []byte) []byte { return random })
}

func (t *tool) secretCommand() *cobra.Command {
	return t.newFileCommand("secret", "make a webhook secret file", wordsSecretLong, wordsSecretMade,
		func(random []byte) []byte {
			return []byte("whsec_" + base64.StdEncoding.EncodeToString(random) + "\n")
		})
}

// newFileCommand is `NOUN new FILE`: a new file of random content that only its owner may read.
func (t *tool) newFileCommand(noun, short, long, said string, encode func([]byte) []byte) *cobra.Command {
	parent := &cobra.Command{Use: noun, Short: short, Long: long, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "new FILE", Short: short, Long: long, Args: one("the name of a file to make"),
		RunE: func(_ *cobra.Command, args []string) error {
			random := make([]byte, keyBytes)
			rand.Read(random) // never fails: see crypto/rand
			if err := createSecretFile(args[0], encode(random)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(t.out, said+"\n", args[0])
			return err
		},
	})
	return parent
}

// createSecretFile makes a file with mode 0600 and content, durable when it returns, and never touches one
// that is there.
func createSecretFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fail(exitFailed, hintKeepFile, "%s is there already, and is left as it is", name)
	}
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(name) // half a key is worse than none
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
