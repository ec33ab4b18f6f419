package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

// A backup is made while four seal. What was acknowledged before it began opens on another box, by other custodians than were there and then by that box's own root;
// what was shredded since stays shredded; events are due again; the audit log goes on, and verifies from its beginning. That box may have another store than the one before.
func TestRestoredOnAnotherBox(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run("into "+engine, func(t *testing.T) { restoredInto(t, engine) })
	}
}

func restoredInto(t *testing.T, engine string) {
	old := newBox(t)
	shares := old.enrol(t)
	var before []string
	for range 20 {
		before = append(before, old.mustSeal(t))
	}
	if err := old.vault.Shred(t.Context(), "ann", before[0]); err != nil {
		t.Fatal(err)
	}
	if err := old.vault.Hold(t.Context(), "ann", before[1], "a dispute"); err != nil {
		t.Fatal(err)
	}
	var sealers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		sealers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := old.seal(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	f := old.files(t)
	close(stop)
	sealers.Wait()
	if err := old.vault.Shred(t.Context(), "ann", before[2]); err != nil {
		t.Fatal(err)
	}
	var purged bytes.Buffer
	if err := old.maker.PurgeLog(t.Context(), "ann", &purged); err != nil {
		t.Fatal(err)
	}
	f.purged = purged.Bytes()

	dir := folder(t)
	if err := storetest.On(filepath.Join(dir, "state"), engine); err != nil {
		t.Fatal(err)
	}
	custodians, done, err := restoreInto(t, dir, f, shares[1:])
	if err != nil {
		t.Fatal(err)
	}
	if done.Shredded != 1 || done.Box != "test" || done.Rows < 20 {
		t.Errorf("restored is %+v", done)
	}
	b := openBox(t, dir, custodians)
	for _, token := range without(before, before[0], before[2]) {
		if err := b.opens(t, token); err != nil {
			t.Errorf("a token that was acknowledged before the backup: %v", err)
		}
	}
	for _, token := range []string{before[0], before[2]} {
		if err := b.opens(t, token); !errors.Is(err, vault.ErrShredded) {
			t.Errorf("a card that was shredded: %v", err)
		}
	}
	own := newRoot(t)
	if _, err := b.vault.AddRoot(t.Context(), "flattoned", own); err != nil {
		t.Fatal(err)
	}
	after := b.mustSeal(t)
	if n, err := b.log.Verify(t.Context(), done.Checkpoint); err != nil || n == 0 {
		t.Errorf("the log verifies to %d, %v", n, err)
	}
	if due := count(t, b.db, "outbox WHERE ended = 0"); due < 19 {
		t.Errorf("%d events are due", due)
	}
	b.vault.Close()
	b.db.Close()
	b = openBox(t, dir, own)
	for _, token := range []string{before[1], after} {
		if err := b.opens(t, token); err != nil {
			t.Errorf("by the new box's own root: %v", err)
		}
	}
}

func count(t *testing.T, db *store.DB, of string) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.One([]any{&n}, "SELECT COUNT(*) FROM "+of) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A file that was cut short, or in which a byte is another, makes no row; nor does one of another vault, one in another's place, or what is no backup at all.
func TestRefused(t *testing.T) {
	old, other := newBox(t), newBox(t)
	shares, others := old.enrol(t), other.enrol(t)
	old.mustSeal(t)
	f, foreign := old.files(t), other.files(t)
	flipped := func(file []byte, at int) []byte {
		file = slices.Clone(file)
		file[at] ^= 1
		return file
	}
	middle := len(f.data) / 2
	for name, x := range map[string]struct {
		files
		shares [][]byte
		want   error
	}{
		"cut short":           {files{f.data[:len(f.data)-1], f.keys, nil}, shares[:2], ErrDamaged},
		"cut in the header":   {files{f.data[:40], f.keys, nil}, shares[:2], ErrNoBackup},
		"a byte":              {files{flipped(f.data, middle), f.keys, nil}, shares[:2], ErrDamaged},
		"the last byte":       {files{flipped(f.data, len(f.data)-1), f.keys, nil}, shares[:2], ErrDamaged},
		"more":                {files{append(slices.Clone(f.data), 0), f.keys, nil}, shares[:2], ErrDamaged},
		"another vault's":     {files{foreign.data, f.keys, nil}, shares[:2], vault.ErrWrongKey},
		"others' keys":        {files{f.data, foreign.keys, nil}, others[:2], vault.ErrWrongKey},
		"a purge log":         {files{f.purged, f.keys, nil}, shares[:2], ErrNoBackup},
		"data as a purge log": {files{f.data, f.keys, f.data}, shares[:2], ErrNoBackup},
		"a purge log cut":     {files{f.data, f.keys, f.purged[:len(f.purged)-1]}, shares[:2], ErrDamaged},
		"keys as data":        {files{f.keys, f.keys, nil}, shares[:2], ErrNoBackup},
		"text":                {files{[]byte("hello\n"), f.keys, nil}, shares[:2], ErrNoBackup},
		"nothing":             {files{nil, f.keys, nil}, shares[:2], ErrNoBackup},
		"somebody else's":     {files{toAge(t), f.keys, nil}, shares[:2], ErrNoBackup},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _, _, err := restore(t, x.files, x.shares)
			if !errors.Is(err, x.want) {
				t.Fatalf("%v, want %v", err, x.want)
			}
			if err := empty(t.Context(), openStore(t, filepath.Join(dir, "state"))); err != nil {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

// toAge is a file for somebody of age's own.
func toAge(t *testing.T) []byte {
	t.Helper()
	who, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var to bytes.Buffer
	w, err := age.Encrypt(&to, who.Recipient())
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

func TestKeysRefused(t *testing.T) {
	old := newBox(t)
	var to bytes.Buffer
	if err := old.maker.Keys(t.Context(), "ann", &to); !errors.Is(err, ErrNoCustodians) || to.Len() > 0 {
		t.Errorf("without custodians: %v, %d bytes", err, to.Len())
	}
	old.enrol(t)
	f := old.files(t)
	for name, x := range map[string]struct {
		file []byte
		want error
	}{
		"cut short": {f.keys[:len(f.keys)-5], ErrDamaged},
		"data":      {f.data, ErrDamaged},
		"a row":     {append(f.keys[:bytes.LastIndexByte(f.keys[:len(f.keys)-1], '\n')+1], `{"rows":1}`...), ErrDamaged},
	} {
		if _, err := ReadKeys(bytes.NewReader(x.file)); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

// A store that was used keeps what it has.
func TestNotIntoAStoreThatWasUsed(t *testing.T) {
	old, used := newBox(t), newBox(t)
	shares := old.enrol(t)
	token := used.mustSeal(t)
	f := old.files(t)
	k, _, versions := open(t, f.keys, shares[:2])
	_, err := Restore(t.Context(), used.db, used.auditKey(), Source{Data: bytes.NewReader(f.data), Keys: k, Versions: versions})
	if !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "move the state folder away") {
		t.Errorf("it says %v", err)
	}
	if err := used.opens(t, token); err != nil {
		t.Error(err)
	}
}

// After a rotation, keys from before don't open a backup from after; and the certificate of the version that was destroyed names the backup of keys that holds it.
func TestKeysAreNumbered(t *testing.T) {
	old := newBox(t)
	shares := old.enrol(t)
	old.mustSeal(t)
	early := old.files(t)
	if _, err := old.vault.Rotate(t.Context(), "ann", "a test"); err != nil {
		t.Fatal(err)
	}
	if err := old.vault.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := old.files(t)
	certificates, err := old.vault.Certificates(t.Context())
	if err != nil || len(certificates) != 2 || certificates[0].Kind != "key-1" || !bytes.Contains(certificates[0].Note, []byte("\nHeld by key backup: 1 of ")) {
		t.Errorf("%d certificates, %v", len(certificates), err)
	}
	if _, _, _, err := restore(t, files{late.data, early.keys, nil}, shares[:2]); !errors.Is(err, vault.ErrWrongKey) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("keys from before: %v", err)
	}
	if _, _, _, err := restore(t, files{early.data, late.keys, nil}, shares[:2]); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("keys from after the version of the data was destroyed: %v", err)
	}
	dir, root, done, err := restore(t, files{late.data, late.keys, nil}, shares[:2])
	if err != nil || done.Rows == 0 {
		t.Fatal(err)
	}
	b := openBox(t, dir, root)
	var to bytes.Buffer
	if err := b.maker.Keys(t.Context(), "ann", &to); err != nil {
		t.Fatal(err)
	}
	if k, err := ReadKeys(&to); err != nil || k.Number != 3 {
		t.Errorf("the next backup of keys is %v, %v", k, err)
	}
}

// Nothing in any of the files, opened as far as their keys open them, is a PAN or a CVV in any of its forms; and a backup of the data has no box of a key.
func TestNoDigitsLeave(t *testing.T) {
	b := newBox(t)
	shares := b.enrol(t)
	for range 3 {
		b.mustSeal(t)
	}
	f := b.files(t)
	_, _, versions := open(t, f.keys, shares[:2])
	var name string
	r, err := age.Decrypt(bytes.NewReader(f.data), identity{versions, &name})
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	for _, table := range keyTables {
		if bytes.Contains(plain.Bytes(), []byte(`{"table":"`+table+`"`)) {
			t.Errorf("the data has table %s", table)
		}
	}
	// What is in base64 is searched too.
	text := plain.String() + string(f.keys)
	for _, cell := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[],{}\":\n", r) }) {
		if raw, err := base64.StdEncoding.DecodeString(cell); err == nil {
			text += "\n" + string(raw)
		}
	}
	if !strings.Contains(text, "card.sealed") {
		t.Fatal("the audit log isn't found: this searches nothing")
	}
	for _, digits := range []string{thePAN, theCVV} {
		bcd, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		var wide []byte
		for _, c := range utf16.Encode([]rune(digits)) {
			wide = binary.LittleEndian.AppendUint16(wide, c)
		}
		for form, is := range map[string]string{"text": digits[:10], "BCD": string(bcd), "UTF-16": string(wide), "base64": base64.StdEncoding.EncodeToString([]byte(digits))[:16]} {
			if strings.Contains(text, is) {
				t.Errorf("digits as %s", form)
			}
		}
	}
}
