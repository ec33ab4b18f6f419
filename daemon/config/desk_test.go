package config

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// desk is the least that is valid.
const desk = "version = 1\ncert_file = \"desk.pem\"\nkey_file = \"desk.key\"\norigin = \"https://desk.example.com\"\n"

func TestDeskDefaults(t *testing.T) {
	d, err := ParseDesk("/etc/flattone/desk.toml", []byte(desk))
	if err != nil {
		t.Fatal(err)
	}
	d.at = nil
	want := &Desk{AdminSocket: "/run/flattone/admin.sock", Listen: ":8443", CertFile: "/etc/flattone/desk.pem", KeyFile: "/etc/flattone/desk.key", Origin: "https://desk.example.com",
		Brand:  DeskBrand{Name: "flattone", Colour: "#1f4f99", TextColour: "#ffffff", Language: English},
		SignIn: SignIn{Pairing: true, Shift: 12 * time.Hour, Idle: time.Hour}, file: "/etc/flattone/desk.toml"}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
}

// TestDeskExample has every key changed, and each change is found.
func TestDeskExample(t *testing.T) {
	doc, err := os.ReadFile("../../configs/desk.toml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDesk("/x/desk.toml", doc)
	if err != nil {
		t.Fatal(err)
	}
	d.at, d.file = nil, ""
	want := &Desk{AdminSocket: "/run/flattone/admin.sock", Listen: ":8443", CertFile: "/x/desk.pem", KeyFile: "/x/desk.key", Origin: "https://desk.example.com:8443",
		FrameAncestors: []string{"https://crm.example.com"},
		Brand:          DeskBrand{Name: "Example Ltd", LogoFile: "/x/logo.svg", Colour: "#1f4f99", TextColour: "#ffffff", Language: English},
		SignIn: SignIn{Pairing: true, Shift: 12 * time.Hour, Idle: time.Hour, OIDC: &OIDC{Issuer: "https://login.example.com/realms/staff", ClientID: "flattone-desk", ClientSecretFile: "/x/oidc.secret",
			CAFile: "/x/oidc-ca.pem", NameClaim: "preferred_username", GroupsClaim: "groups", Groups: []string{"agents"}, Domains: []string{"example.com"}, Supervisors: "team-leads"}},
		Clients: []DeskClient{{Name: "crm", SecretFile: "/x/crm.secret", Lines: []string{"desk-1", "desk-2"}}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
	r := &reader{known: map[string][]string{}}
	empty := deskDefaults()
	(&table{r: r, used: map[string]bool{}, values: map[string]any{}}).desk(&empty)
	keys := 0
	for _, known := range r.known {
		for _, key := range known {
			if keys++; !bytes.Contains(doc, []byte(key)) {
				t.Errorf("configs/desk.toml doesn't explain %s", key)
			}
		}
	}
	if keys < 25 {
		t.Errorf("only %d keys looked for", keys)
	}
}

func TestEveryDeskKeyIsRead(t *testing.T) {
	for entry, got := range map[string]func(*Desk) bool{
		`admin_socket = "a.sock"`: func(d *Desk) bool { return d.AdminSocket == "/x/a.sock" },
		`listen = "10.0.0.1:443"`: func(d *Desk) bool { return d.Listen == "10.0.0.1:443" },
		`frame_ancestors = []`:    func(d *Desk) bool { return len(d.FrameAncestors) == 0 },
		`brand = { colour = "#FFCC00", text_colour = "#000000", language = "ja" }`: func(d *Desk) bool {
			return d.Brand == DeskBrand{Name: "flattone", Colour: "#ffcc00", TextColour: "#000000", Language: Japanese}
		},
		`signin = { shift_hours = 1, idle_minutes = 5 }`: func(d *Desk) bool { return d.SignIn == SignIn{Pairing: true, Shift: time.Hour, Idle: 5 * time.Minute} },
		`client = { b = { secret_file = "s", old_secret_file = "o" }, a = { secret_file = "t" } }`: func(d *Desk) bool {
			return reflect.DeepEqual(d.Clients, []DeskClient{{Name: "a", SecretFile: "/x/t"}, {Name: "b", SecretFile: "/x/s", OldSecretFile: "/x/o"}})
		},
		`signin = { pairing = false, oidc = { issuer = "http://127.0.0.1:9/r", client_id = "c", client_secret_file = "s", domains = ["d"], name_claim = "n", groups_claim = "g" } }`: func(d *Desk) bool {
			return !d.SignIn.Pairing && reflect.DeepEqual(d.SignIn.OIDC, &OIDC{Issuer: "http://127.0.0.1:9/r", ClientID: "c", ClientSecretFile: "/x/s", Domains: []string{"d"}, NameClaim: "n", GroupsClaim: "g"})
		},
	} {
		d, err := ParseDesk("/x/desk.toml", []byte(desk+entry))
		if err != nil || !got(d) {
			t.Errorf("%s: %+v, %v", entry, d, err)
		}
	}
}

func TestBadDesks(t *testing.T) {
	golden(t, "testdata/desk/*.toml", "desk.toml", func(name string, doc []byte) error {
		_, err := ParseDesk(name, doc)
		return err
	})
}

// The figures are those of WCAG's own examples, and of its definition.
func TestContrast(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.478}, {"#767676", "#ffffff", 4.542}, {"#0000ff", "#ffffff", 8.592}} {
		if got := contrast(test.a, test.b); math.Abs(got-test.want) > 0.001 || got != contrast(test.b, test.a) {
			t.Errorf("%s on %s: %f, want %f", test.a, test.b, got, test.want)
		}
	}
	worst := 21.0
	for grey := range 256 {
		colour := "#" + strings.Repeat(string("0123456789abcdef"[grey>>4])+string("0123456789abcdef"[grey&15]), 3)
		worst = min(worst, contrast(colour, better(colour)))
	}
	if worst < leastContrast {
		t.Errorf("neither black nor white can be read on some colour: %f", worst)
	}
}

func TestDeskFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "desk.toml")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	says := func(what string, words ...string) {
		t.Helper()
		_, err := CheckDesk(path, os.Geteuid())
		if len(words) == 0 && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q", what, err, w)
			}
		}
	}
	write("desk.toml", desk+"brand.logo_file = \"logo.gif\"\nsignin.oidc = { issuer = \"https://i\", client_id = \"c\", client_secret_file = \"secret\", ca_file = \"ca.pem\", groups = [\"g\"] }\n", 0o644)
	says("nothing there", "desk.toml:2: cert_file: ", "logo.gif is no picture", "secret does not exist; write the client secret", "signin.oidc.ca_file")
	chain, key := pair(t)
	other, _ := pair(t)
	write("desk.pem", chain, 0o644)
	write("desk.key", key, 0o644)
	write("secret", "s", 0o644)
	write("ca.pem", "none", 0o644)
	says("open to others", "desk.toml:3: key_file: ", "have your CA make a new one", "have the provider make a new secret", "ca.pem")
	if err := os.Chmod(filepath.Join(dir, "desk.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	write("desk.pem", other, 0o644)
	says("another's certificate", "don't belong together")
	write("desk.toml", desk+"brand.logo_file = \"logo.svg\"\n", 0o644)
	write("desk.pem", chain, 0o644)
	write("logo.svg", strings.Repeat("a", longestLogo+1), 0o644)
	says("a logo that is too large", "logo.svg has 32769 bytes; make it 32768 at the most")
	write("logo.svg", "<svg/>", 0o644)
	says("all of it")
	d, err := LoadDesk(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Certificate(); err != nil {
		t.Error(err)
	}
	if image, kind, err := d.Brand.Logo(); string(image) != "<svg/>" || kind != "image/svg+xml" || err != nil {
		t.Errorf("%q, %s, %v", image, kind, err)
	}
}
