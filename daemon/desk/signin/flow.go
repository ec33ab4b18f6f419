package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"
)

// flowCookie is what a browser brings back from the provider. With it comes what ties the way back to the way there.
const flowCookie = "__Host-desk-flow"

// flow is one browser's way to the provider and back.
type flow struct {
	// State, Nonce and Verifier are chance that comes back in the address, in the token, and by the desk itself.
	State, Nonce, Verifier string
	Then                   string
	Until                  time.Time
}

// flows are sealed into browsers' own cookies by a key that the process has from chance: whoever sets out a hundred thousand times costs no memory.
type flows struct{ sealer cipher.AEAD }

func newFlows() (*flows, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	return &flows{sealer}, err
}

func (f *flows) seal(one flow) string {
	text, _ := json.Marshal(one) // text and a time can be written
	return base64.RawURLEncoding.EncodeToString(f.sealer.Seal(nil, nil, text, nil))
}

func (f *flows) open(sealed string) (one flow, err error) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		text, err = f.sealer.Open(nil, nil, text, nil)
	}
	if err == nil {
		err = json.Unmarshal(text, &one)
	}
	if err == nil && time.Now().After(one.Until) {
		err = errFlow
	}
	return one, err
}
