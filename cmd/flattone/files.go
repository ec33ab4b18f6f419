package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys/tpm"
	"github.com/flattone/flattone/daemon/private"
)

// keyBytes is the length of a key-encryption key (AES-256), and of a webhook secret, which Standard Webhooks
// wants to be 24 to 64 bytes long.
const keyBytes = 32

func (t *tool) keyCommand() *cobra.Command {
	sealed, device, pcrs := false, tpm.Device, []uint{tpm.SecureBoot}
	parent, c := t.newFileCommand("key", "make a vault key file", wordsKeyLong, func(file string) (said string, err error) {
		if sealed {
			return wordsTPMKeyMade, tpm.New(device, file, pcrs)
		}
		return wordsKeyMade, randomFile(file, func(random []byte) []byte { return random })
	})
	c.Flags().BoolVar(&sealed, "tpm", sealed, "have this machine's TPM seal it, for [vault.tpm]")
	c.Flags().UintSliceVar(&pcrs, "pcr", pcrs, "with --tpm: the registers that must stay what they are")
	c.Flags().StringVar(&device, "device", device, "with --tpm: where the TPM is")
	return parent
}

func (t *tool) secretCommand() *cobra.Command {
	parent, _ := t.newFileCommand("secret", "make a webhook secret file", wordsSecretLong, func(file string) (said string, err error) {
		return wordsSecretMade, randomFile(file, func(random []byte) []byte {
			return []byte("whsec_" + base64.StdEncoding.EncodeToString(random) + "\n")
		})
	})
	return parent
}

// newFileCommand is `NOUN new FILE`: a new file of random content that only its owner may read.
func (t *tool) newFileCommand(noun, short, long string, make func(file string) (said string, err error)) (parent, c *cobra.Command) {
	parent = &cobra.Command{Use: noun, Short: short, Long: long, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c = &cobra.Command{
		Use: "new FILE", Short: short, Long: long, Args: one("the name of a file to make"),
		RunE: func(_ *cobra.Command, args []string) error {
			said, err := make(args[0])
			if errors.Is(err, fs.ErrExist) {
				return fail(exitFailed, hintKeepFile, "%s is there already, and is left as it is", args[0])
			}
			if err != nil {
				return fmt.Errorf("making %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(t.out, said+"\n", args[0])
			return err
		},
	}
	parent.AddCommand(c)
	return parent, c
}

// randomFile makes a file of what encode makes of random bytes.
func randomFile(file string, encode func([]byte) []byte) error {
	random, err := locked.Bytes(keyBytes)
	if err != nil {
		return err
	}
	defer locked.Free(random)
	rand.Read(random[:keyBytes]) // never fails: see crypto/rand
	return private.Create(file, encode(random[:keyBytes]))
}

// sameFile reports whether two names are one file's.
func sameFile(a, b string) bool {
	here, err := os.Stat(a)
	if err != nil {
		return false
	}
	there, err := os.Stat(b)
	return err == nil && os.SameFile(here, there)
}

// mayReplace says early what would fail late: whoever can't write to a file's folder can't put another in its place, and sees less of what it names than there is.
func mayReplace(file string) error {
	const write = 2
	if err := syscall.Access(filepath.Dir(file), write); err != nil {
		return fail(exitDenied, "ask as root", "you can't change %s: %w", file, err)
	}
	return nil
}
