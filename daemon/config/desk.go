package config

import "time"

// Desk is the configuration of flattone-desk, /etc/flattone/desk.toml: a file of its own, because its process may not read the box's. A Desk is not
// changed once it is in use.
type Desk struct {
	// AdminSocket is where flattoned is asked, Listen where agents' browsers come: a host, which may be empty, and a port.
	AdminSocket, Listen string
	// CertFile and KeyFile are the certificate and its key, in PEM.
	CertFile, KeyFile string
	// Origin is what browsers reach the desk under, as they write it: https, host, and a port that isn't 443.
	Origin string
	// FrameAncestors are origins whose pages may show the panel within them; none: nobody's.
	FrameAncestors []string
	Brand          DeskBrand
	SignIn         SignIn
	// Clients are the programs that may use the API, in the order of their names.
	Clients []DeskClient

	file string
	at   positions
}

// DeskBrand is how the panel looks.
type DeskBrand struct {
	// Name stands where flattone's would, LogoFile beside it: see [DeskBrand.Logo]; empty: none.
	Name, LogoFile string
	// Colour is that of what is pressed, TextColour of what is written on it: "#" and six hexadecimal digits each.
	Colour, TextColour string
	// Language is the panel's where the agent's browser asks for none that there is.
	Language Language
}

// Language is one that the panel speaks.
type Language string

// The languages.
const (
	English  Language = "en"
	Spanish  Language = "es"
	German   Language = "de"
	French   Language = "fr"
	Japanese Language = "ja"
)

// Languages are all there are.
func Languages() []Language { return []Language{English, Spanish, German, French, Japanese} }

// SignIn is how an agent proves who he is, and for how long that holds.
type SignIn struct {
	// Pairing lets technicians pair agents. It, or OIDC, or both.
	Pairing bool
	// OIDC is the identity provider; nil: there is none.
	OIDC *OIDC
	// Shift is the longest that somebody stays signed in, Idle how long without doing anything.
	Shift, Idle time.Duration
}

// OIDC is an identity provider of OpenID Connect.
type OIDC struct {
	// Issuer is the provider's address, exactly as it writes it in its tokens.
	Issuer string
	// ClientID is the name that the provider knows the desk by, ClientSecretFile holds the secret: see [OIDC.ClientSecret].
	ClientID, ClientSecretFile string
	// CAFile has the certificates of who vouches for the provider; empty: the system's.
	CAFile string
	// NameClaim is the claim that has an agent's name, GroupsClaim the one that lists his groups.
	NameClaim, GroupsClaim string
	// Groups and Domains say who may sign in: who is in one of the groups, or whose e-mail address is in one of the domains. One of the two isn't empty.
	Groups, Domains []string
	// Supervisors is the group of those who see counts and outcomes; empty: nobody is.
	Supervisors string
}

func deskDefaults() Desk {
	return Desk{AdminSocket: "/run/flattone/admin.sock", Listen: ":8443",
		Brand:  DeskBrand{Name: "flattone", Colour: "#1f4f99", TextColour: "#ffffff", Language: English},
		SignIn: SignIn{Pairing: true, Shift: 12 * time.Hour, Idle: time.Hour}}
}

// LoadDesk is [Load] for the file of flattone-desk.
func LoadDesk(path string) (*Desk, error) {
	abs, doc, err := read(path)
	if err != nil {
		return nil, err
	}
	return ParseDesk(abs, doc)
}

// ParseDesk is [Parse] for it.
func ParseDesk(name string, doc []byte) (*Desk, error) {
	d, r, err := parseDesk(name, doc)
	if err == nil {
		err = r.faults.err()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// CheckDesk is [Check] for it: the user is whom flattone-desk runs as.
func CheckDesk(path string, user int) (*Desk, error) {
	abs, doc, err := read(path)
	if err != nil {
		return nil, err
	}
	d, r, err := parseDesk(abs, doc)
	if err != nil {
		return nil, err
	}
	d.look(r, user)
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return d, nil
}

func parseDesk(name string, doc []byte) (*Desk, *reader, error) {
	root, err := document(name, doc)
	if err != nil {
		return nil, nil, err
	}
	d := deskDefaults()
	d.file, d.at = name, root.r.at
	root.desk(&d)
	root.r.unknown()
	return &d, root.r, nil
}

// desk reads the root of the file into d.
func (t *table) desk(d *Desk) {
	t.file("admin_socket", &d.AdminSocket)
	t.address("listen", &d.Listen)
	t.need("cert_file", "name the file with the certificate of the desk's name, and of those who vouch for it, in PEM")
	t.file("cert_file", &d.CertFile)
	t.need("key_file", "name the file with its key, in PEM")
	t.file("key_file", &d.KeyFile)
	t.need("origin", `write what agents type to reach the desk, such as "https://desk.example.com:8443"`)
	t.origin("origin", &d.Origin)
	t.origins("frame_ancestors", &d.FrameAncestors)
	t.sub("brand").deskBrand(&d.Brand)
	t.sub("signin").signIn(&d.SignIn)
	t.deskClients(&d.Clients)
}

func (t *table) deskBrand(b *DeskBrand) {
	t.short("name", &b.Name)
	t.file("logo_file", &b.LogoFile)
	colour, text := t.colour("colour", &b.Colour), t.colour("text_colour", &b.TextColour)
	if colour && text {
		t.readable(*b)
	}
	choice(t, "language", &b.Language, Languages()...)
}

func (t *table) signIn(s *SignIn) {
	t.truth("pairing", &s.Pairing)
	t.period("shift_hours", &s.Shift, time.Hour, 1, 24)
	t.period("idle_minutes", &s.Idle, time.Minute, 5, 720)
	there := t.has("oidc")
	ot, o := t.sub("oidc"), &OIDC{NameClaim: "preferred_username", GroupsClaim: "groups"}
	ot.broken = ot.broken || !there // an absent table lacks nothing
	if ot.oidc(o); there {
		s.OIDC = o
	}
	if !s.Pairing && !there {
		t.fault("pairing", "leaves nobody a way to sign in", "write a table [signin.oidc], or leave pairing out")
	}
}

func (t *table) oidc(o *OIDC) {
	t.need("issuer", "write the provider's address, as its .well-known/openid-configuration has it under issuer")
	t.issuer("issuer", &o.Issuer)
	t.need("client_id", "write the name that the provider gave the desk")
	t.short("client_id", &o.ClientID)
	t.need("client_secret_file", "write the secret that the provider gave into a file of mode 0600, and name it here")
	t.secretFile("client_secret_file", &o.ClientSecretFile)
	t.file("ca_file", &o.CAFile)
	t.short("name_claim", &o.NameClaim)
	t.short("groups_claim", &o.GroupsClaim)
	if list, ok := texts(t, "groups"); ok {
		o.Groups = list
	}
	if list, ok := texts(t, "domains"); ok {
		o.Domains = list
	}
	t.short("supervisors", &o.Supervisors)
	if !t.broken && !t.has("groups") && !t.has("domains") {
		t.fault("groups", "is missing, and so is domains: whoever has an account there could sign in", `write groups = ["..."], or domains = ["example.com"], or both`)
	}
}
