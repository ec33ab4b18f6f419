package secret_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/secret"
)

func newText(t interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}, capacity int) *secret.Text {
	t.Helper()
	text, err := secret.NewText(capacity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(text.Destroy)
	return text
}

func TestTextCapacity(t *testing.T) {
	for capacity, ok := range map[int]bool{-1: false, 0: false, 1: true, 19: true, 255: true, 256: false} {
		text, err := secret.NewText(capacity)
		if (err == nil) != ok {
			t.Errorf("capacity %d: %v", capacity, err)
			continue
		}
		if ok {
			if text.Cap() != capacity || text.Len() != 0 {
				t.Errorf("capacity %d: has room for %d and holds %d", capacity, text.Cap(), text.Len())
			}
			text.Destroy()
		}
	}
}

func TestAppendTakesDigitsOnly(t *testing.T) {
	text := newText(t, 255)
	for b := range 256 {
		err := text.Append(byte(b))
		if digit := b >= '0' && b <= '9'; digit != (err == nil) || !digit && !errors.Is(err, secret.ErrNotADigit) {
			t.Fatal("a byte was judged wrongly")
		}
	}
	if text.Len() != 10 {
		t.Errorf("%d digits taken", text.Len())
	}
}

// A Text against the plainest model of it: a byte slice. Every operation also leaves nothing of what it
// removed in the memory behind the view.
func TestTextIsABoundedStack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		capacity := rapid.IntRange(1, 24).Draw(rt, "capacity")
		text, err := secret.NewText(capacity)
		if err != nil {
			rt.Fatal(err)
		}
		defer text.Destroy()
		var model []byte
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				d := rapid.ByteRange('0', '9').Draw(rt, "d")
				err := text.Append(d)
				if len(model) == capacity {
					if !errors.Is(err, secret.ErrFull) {
						rt.Fatal("a full text took a digit")
					}
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				model = append(model, d)
			},
			"drop": func(*rapid.T) {
				text.DropLast()
				model = model[:max(0, len(model)-1)]
			},
			"clear": func(*rapid.T) {
				text.Clear()
				model = model[:0]
			},
			"": func(rt *rapid.T) {
				if text.Len() != len(model) || !bytes.Equal(text.Reveal(), model) {
					rt.Fatal("the text differs from its model")
				}
				if behind := secret.Behind(text); len(bytes.Trim(behind, "\x00")) != 0 {
					rt.Fatal("something is left behind the last digit")
				}
			},
		})
	})
}

func TestADestroyedTextIsEmptyForGood(t *testing.T) {
	text := newText(t, 4)
	if err := text.Append('1'); err != nil {
		t.Fatal(err)
	}
	text.Destroy()
	text.Destroy()
	text.Clear()
	text.DropLast()
	if err := text.Append('1'); !errors.Is(err, secret.ErrDestroyed) {
		t.Errorf("append answers %v", err)
	}
	if text.Len() != 0 || text.Cap() != 0 || text.Reveal() != nil {
		t.Error("a destroyed text holds something")
	}
	if zero := (secret.Text{}); zero.Len() != 0 || zero.Reveal() != nil || !errors.Is(zero.Append('1'), secret.ErrDestroyed) {
		t.Error("the zero text is not a destroyed one")
	}
}

func TestRevealCantGrowIntoTheNextField(t *testing.T) {
	c := newCard(t, "4242", "1229", "123")
	_ = append(c.PAN.Reveal(), 'x')
	if c.PAN.Len() != 4 || len(bytes.Trim(secret.Behind(c.PAN), "\x00")) != 0 {
		t.Error("appending to a view writes into the secret")
	}
}
