package jetstream

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

// write makes a private file.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// asOwner is who runs the servers.
var asOwner = nats.UserInfo("owner", "owner")

// only has a server that lets the user box do no more than this.
func only(publish, subscribe []string) func(*server.Options) {
	may := func(list []string) *server.SubjectPermission {
		if list == nil {
			return &server.SubjectPermission{Deny: []string{">"}}
		}
		return &server.SubjectPermission{Allow: list}
	}
	return func(o *server.Options) {
		o.Users = []*server.User{{Username: "owner", Password: "owner"},
			{Username: "box", Password: "secret", Permissions: &server.Permissions{Publish: may(publish), Subscribe: may(subscribe)}}}
	}
}

// A certificate, or a password, that lies in the old one's place is what the next connection is made with.
func TestFilesAreReadAnew(t *testing.T) {
	n := natstest.New(t, only([]string{"flattone.>"}, []string{"_INBOX.>"}))
	password := write(t, "password", "wrong")
	s := newSender(t, n, func(c *Config) { c.User, c.PasswordFile = "box", password })
	until(t, s, event("evt_1", "k"), upstream.Later, "the server doesn't take the box's credentials")
	if err := os.WriteFile(password, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, s, event("evt_1", "k"), upstream.Later, "no stream takes")
}

func TestNkey(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	n := natstest.New(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} })
	s := newSender(t, n, func(c *Config) { c.NkeyFile = write(t, "seed", string(seed)+"\n") })
	until(t, s, event("evt_1", "k"), upstream.Later, "no stream takes")
}

// With an operator, accounts and a credentials file, as nsc makes them; and one that its account has since revoked.
func TestCredentials(t *testing.T) {
	create := func(make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		pair, err := make()
		if err != nil {
			t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		return pair, public
	}
	operator, operatorID := create(nkeys.CreateOperator)
	account, accountID := create(nkeys.CreateAccount)
	user, userID := create(nkeys.CreateUser)
	encoded := func(claims jwt.Claims, by nkeys.KeyPair) string {
		text, err := claims.Encode(by)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ofUser := encoded(jwt.NewUserClaims(userID), account)
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(ofUser, seed)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "box.creds", string(creds))
	for name, reason := range map[string]string{"valid": "no stream takes", "revoked": "the server doesn't take the box's credentials"} {
		t.Run(name, func(t *testing.T) {
			claims := jwt.NewAccountClaims(accountID)
			if name == "revoked" {
				claims.Revoke(userID)
			}
			n := natstest.New(t, func(o *server.Options) {
				o.TrustedKeys = []string{operatorID}
				resolver := &server.MemAccResolver{}
				if err := resolver.Store(accountID, encoded(claims, operator)); err != nil {
					t.Fatal(err)
				}
				o.AccountResolver, o.JetStream = resolver, false
			})
			until(t, newSender(t, n, func(c *Config) { c.CredsFile = file }), event("evt_1", "k"), upstream.Later, reason)
		})
	}
}
