// Package flattone holds no code: the program is in cmd, its parts in audio, hw and daemon. The tests
// here are the rules of the house (DESIGN law 7): who may import whom and why, which third-party module
// belongs behind which package, that every package introduces itself, and that every file is formatted.
package flattone

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/flattone/flattone"

// importRule says what the packages under a folder may or must not import directly from this module.
type importRule struct {
	in     string   // folder, with everything below it
	only   []string // if set, what it may import of this module (folders, with everything below them)
	never  []string // what it must not import: folders of this module, or packages of the standard library
	but    []string // what of that it may reach all the same
	reason string
}

var importRules = []importRule{
	{in: "audio", only: []string{"audio"}, never: []string{"net", "net/http", "log", "C", "database/sql", "os/exec"},
		reason: "the sample path does no I/O, so that it can be tested bit for bit and never waits"},
	{in: "proof", only: []string{"proof", "audio"}, never: []string{"net", "net/http"},
		reason: "what is measured is the sample path, and nothing around it"},
	{in: "hw", only: []string{"hw", "audio"}, reason: "an interface knows samples, not cards or daemons"},
	{in: "hw/wavline", never: []string{"hw/sound", "hw/serial"}, reason: "one interface never leans on another"},
	{in: "hw/sound", never: []string{"hw/wavline", "hw/serial"}, reason: "one interface never leans on another"},
	{in: "hw/serial", never: []string{"hw/wavline", "hw/sound", "hw/contact", "C"}, reason: "one interface never leans on another"},
	{in: "hw/serial/at", only: []string{}, never: []string{"io", "net", "os", "log", "log/slog", "time"}, reason: "what reads a modem's bytes is tested without one"},
	{in: "hw/serial/dle", only: []string{"audio/g711"}, never: []string{"io", "net", "os", "log", "log/slog", "time"}, reason: "what reads a modem's bytes is tested without one"},
	{in: "hw/contact", never: []string{"hw/wavline", "hw/sound", "hw/serial", "C"}, reason: "a contact tells of calls, whatever the line is made of"},
	{in: "hw/hwtest", never: []string{"hw/wavline", "hw/sound", "hw/serial", "C"}, reason: "a test of every interface knows none of them"},
	{in: "hw/hwtest/wires", only: []string{}, reason: "what modems send is no invention of ours"},
	{in: "daemon/session", only: []string{"hw", "audio", "daemon/capture", "daemon/secret"}, never: []string{"hw/wavline", "hw/sound", "hw/contact", "hw/serial", "net", "net/http"},
		reason: "a call is the same on every kind of line"},
	{in: "daemon/capture", only: []string{"audio", "daemon/secret"}, never: []string{"net", "net/http", "os", "log", "log/slog", "database/sql"},
		reason: "digits that are being put together have nowhere to go"},
	{in: "daemon/secret", only: []string{"audio/locked"}, never: []string{"os", "net", "log", "encoding/json"}, reason: "the digit types know no way out"},
	{in: "daemon/wire", only: []string{"daemon/secret", "audio/locked", "daemon/acceptance"}, reason: "the protocol is words, reports of tunings and one card, locked page to locked page"},
	{in: "daemon/lines", only: []string{"daemon/wire", "daemon/host"}, reason: "who keeps processes knows nothing of what they do"},
	{in: "daemon/acceptance", only: []string{"daemon/acceptance", "daemon/private"}, reason: "a report is figures, whoever measures, keeps or prints them"},
	{in: "daemon/tune", only: []string{"audio", "daemon/acceptance"}, never: []string{"net", "net/http", "os", "log", "log/slog"},
		reason: "what hears keys while a line is tuned has nowhere to tell them"},
	{in: "daemon/pause", only: []string{"daemon/control", "daemon/health", "daemon/id", "daemon/upstream"}, never: []string{"net", "net/http", "os", "daemon/secret"}, reason: "a recorder is told when, and of no card"},
	{in: "daemon/recording", only: []string{"audio"}, never: []string{"net", "net/http"}, reason: "what records calls knows two signals of the agent's side, and no key"},
	{in: "daemon/line", only: []string{"hw", "audio", "daemon/session", "daemon/capture", "daemon/wire", "daemon/config", "daemon/secret", "daemon/tune", "daemon/recording", "daemon/acceptance"},
		never: []string{"net/http", "database/sql"}, reason: "a line process reaches its devices and one unix socket"},
	{in: "daemon/upstream", never: []string{"daemon/secret", "daemon/capture"}, reason: "a card number can't be typed here"},
	{in: "daemon/upstream/jetstream/natstest", only: []string{}, reason: "a server in a test knows nothing of who is tested against it"},
	{in: "daemon/control", never: []string{"daemon/secret", "daemon/capture", "daemon/host", "daemon/factor"}, reason: "a card number can't be typed here"},
	{in: "daemon/health", only: []string{"daemon/health"}, reason: "whoever is unwell says so in the same words, and they lead nowhere"},
	{in: "daemon/private", only: []string{}, reason: "whoever keeps a file to himself uses it, knowing nothing of the others"},
	{in: "daemon/store", only: []string{"daemon/private"}, reason: "the store keeps rows and knows no meaning"},
	{in: "daemon/audit", only: []string{"daemon/store", "daemon/private", "daemon/audit"}, reason: "the log is written inside the store's transaction, by everyone"},
	{in: "daemon/audit/merkle", only: []string{}, never: []string{"os", "net", "net/http", "log", "log/slog", "database/sql"}, reason: "whether a log is whole is arithmetic"},
	{in: "daemon/audit/witness", only: []string{}, never: []string{"net", "net/http", "log", "log/slog", "database/sql"}, reason: "who takes checkpoints away knows no log and no box"},
	{in: "daemon/audit/export", only: []string{"daemon/audit/merkle"}, never: []string{"os", "net", "net/http", "log", "log/slog", "database/sql"},
		reason: "a log is checked where there is no box"},
	{in: "daemon/factor", only: []string{"daemon/store", "daemon/audit", "daemon/lockout", "audio/locked"}, never: []string{"net", "net/http", "log", "log/slog"},
		reason: "whose code is right is said by a secret and a clock, and what is asked has nowhere to go but the log of acts"},
	{in: "daemon/custody", only: []string{"daemon/keys", "daemon/store", "daemon/audit", "daemon/lockout", "audio/locked"}, never: []string{"net", "net/http", "log", "log/slog"},
		reason: "a share has nowhere to go but its custodian's page"},
	{in: "daemon/pairing", only: []string{"daemon/lockout"}, never: []string{"net", "net/http", "os", "log", "log/slog"}, reason: "a code has nowhere to go but to who asked for it"},
	{in: "daemon/lockout", only: []string{}, never: []string{"net", "os", "log", "log/slog"}, reason: "whoever locks accounts asks it, and it knows two clocks"},
	{in: "daemon/keys", only: []string{"daemon/keys", "daemon/private", "audio/locked"}, never: []string{"net", "net/http", "log", "log/slog", "database/sql"},
		reason: "a key has nowhere to go"},
	{in: "daemon/id", only: []string{}, never: []string{"os", "net", "log", "log/slog"}, reason: "a name is a clock and chance"},
	{in: "daemon/vault", only: []string{"daemon/id", "daemon/keys", "daemon/store", "daemon/audit", "daemon/lockout", "daemon/secret", "daemon/upstream", "daemon/private", "audio/locked"}, never: []string{"net/http"},
		reason: "a sealed card has one way in and one way out"},
	{in: "daemon/backup", only: []string{"daemon/id", "daemon/audit", "daemon/custody", "daemon/keys", "daemon/private", "daemon/store", "daemon/vault"}, never: []string{"net", "net/http", "log", "log/slog", "daemon/secret"},
		reason: "it moves rows that are sealed, and where to is its caller's business"},
	{in: "daemon/export", only: []string{"daemon/id", "daemon/audit", "daemon/custody", "daemon/export", "daemon/keys", "daemon/private", "daemon/secret", "daemon/store", "daemon/vault", "audio/locked"}, never: []string{"net", "net/http", "log", "database/sql"},
		reason: "cards go from locked pages into one sealed file, and nowhere else"},
	{in: "daemon/export/recipient", only: []string{"daemon/private"}, never: []string{"os", "net", "net/http", "log", "log/slog"}, reason: "a public key is read the same way by whoever looks, and knows no card"},
	{in: "daemon/bond", only: []string{"audio/words", "daemon/id"}, never: []string{"os", "net", "net/http", "log", "log/slog"}, reason: "who is on which line is known by words and time alone"},
	{in: "daemon/payment", only: []string{"daemon/audit", "daemon/gateway", "daemon/id", "daemon/keys", "daemon/secret", "daemon/store", "daemon/vault"}, never: []string{"net", "net/http", "os"},
		reason: "who keeps the books of payments speaks to nobody himself"},
	{in: "daemon/clients", only: []string{"daemon/audit", "daemon/clients", "daemon/gateway", "daemon/payment", "daemon/store", "daemon/upstream/signature", "daemon/vault"},
		never: []string{"net/http", "os", "database/sql"}, reason: "who answers for tokens reaches cards by what vault and payments let out"},
	{in: "daemon/gateway", only: []string{"daemon/gateway", "daemon/secret", "audio/locked"}, never: []string{"os", "log", "log/slog", "database/sql"},
		reason: "a card goes from a locked page into one connection, and who asked for it keeps the books"},
	{in: "daemon/gateway/template/dialect", only: []string{"daemon/gateway", "daemon/secret"}, never: []string{"os", "net", "net/http", "log", "log/slog"},
		reason: "how a provider is spoken to is read the same way by whoever looks, and no digit goes through it"},
	{in: "daemon/config", only: []string{"audio", "daemon/private", "daemon/export/recipient", "daemon/gateway", "configs", "hw/serial/at"}, reason: "the config is read by every process"},
	{in: "configs", only: []string{}, never: []string{"os", "net", "io"}, reason: "it is files, and daemon/config gives them a meaning"},
	{in: "daemon/bundle", only: []string{"daemon/private"}, reason: "what is sent away is text, whatever it is about"},
	{in: "daemon/swap", only: []string{}, never: []string{"net", "log", "log/slog"}, reason: "who reads the machine's files says what is so, and does nothing about it"},
	{in: "daemon/doctor", only: []string{"daemon/config", "daemon/control", "daemon/health", "daemon/private", "daemon/swap"}, reason: "it looks at the machine as anybody may, and at flattoned by what it says"},
	{in: "cmd/flattone", only: []string{"audio", "daemon/control", "daemon/config", "daemon/private", "daemon/keys/tpm", "daemon/acceptance", "daemon/health", "daemon/doctor", "daemon/bundle", "daemon/audit/export", "daemon/audit/merkle"}, reason: "the tool is a client; offline it works on test audio; a key is sealed by whoever has the TPM before him"},
	{in: "proof/speed", only: []string{"audio"}, reason: "what is measured is the sample path"},
	{in: "proof/hangup", only: []string{"audio"}, reason: "what is heard is the sample path's output"},
	{in: "cmd/flattoned", only: []string{"daemon", "daemon/config", "daemon/host"}, never: []string{"hw", "audio"}, reason: "main is a table of contents"},
	{in: "cmd/flattone-line", only: []string{"daemon/line", "daemon/config", "daemon/host"}, reason: "main is a table of contents"},
	{in: "cmd/flattone-desk", only: []string{"daemon/desk", "daemon/config", "daemon/host"}, reason: "main is a table of contents"},
	{in: "daemon/desk", never: []string{"daemon/secret", "daemon/capture", "daemon/vault", "daemon/store", "audio", "hw", "database/sql", "os/exec"},
		reason: "what agents' browsers reach has no digit, no key and no store to lose"},
	{in: "daemon/desk/board", only: []string{"daemon/control"}, never: []string{"net", "net/http", "os"}, reason: "what a line looks like is worked out of events, whoever shows it"},
	{in: "daemon/desk/api", only: []string{"daemon/config", "daemon/control", "daemon/desk/board", "daemon/id"}, never: []string{"os", "net"}, reason: "a program is answered by the board and gives an agent's commands"},
	{in: "daemon/desk/words", only: []string{"daemon/config"}, never: []string{"net", "net/http", "os", "log", "log/slog"}, reason: "words lead nowhere"},
	{in: "daemon/desk/panel", only: []string{"daemon/config", "daemon/control", "daemon/desk/board", "daemon/desk/signin", "daemon/desk/words"}, reason: "a page shows the board and gives an agent's commands"},
	{in: "daemon/desk/signin", only: []string{"daemon/config", "daemon/control", "daemon/desk/words"}, reason: "who somebody is has nothing to do with lines and payments"},
}

// exactRules hold for one package, not for what lies below it.
var exactRules = []importRule{
	{in: "daemon", never: []string{"hw", "daemon/line", "daemon/session", "daemon/capture", "audio"},
		reason: "flattoned opens no device and sees no digit but the ones it seals"},
	{in: "daemon/upstream/jetstream", only: []string{"daemon/upstream", "daemon/config", "daemon/private"}, never: []string{"net/http", "database/sql"},
		reason: "it carries what the outbox gives it, and knows no store"},
	{in: "daemon/clients", only: []string{"daemon/audit", "daemon/gateway", "daemon/payment", "daemon/store", "daemon/vault"}, never: []string{"net", "net/http"},
		reason: "what a request means is the same, whatever way it came"},
	{in: "daemon/clients/natsrpc", only: []string{"daemon/clients", "daemon/upstream/signature"}, reason: "who carries requests looks into none"},
	{in: "daemon/health", only: []string{}, never: []string{"os", "net", "net/http", "log", "log/slog", "database/sql"},
		reason: "what is declared and what stands leads nowhere; who tells of it is in packages below"},
}

// natsServer is the module of NATS's server.
const natsServer = "github.com/nats-io/nats-server/v2"

// reachRules are transitive: from a main package, nothing below may lead there.
var reachRules = []importRule{
	{in: "cmd/flattoned", never: []string{"hw", "daemon/session", "daemon/capture", "proof"}, but: []string{"hw/serial/at"}, reason: "flattoned is pure Go without devices"},
	{in: "cmd/flattoned", never: []string{"daemon/gateway/gatewaytest", "daemon/gateway/iso8583/acquirer", "daemon/gateway/stripe/stripesim", "daemon/gateway/template/acmesim"}, reason: "no simulator says yes to a real card"},
	{in: "cmd/flattone", never: []string{"hw", "daemon/vault", "daemon/store", "daemon/session", "proof"}, but: []string{"hw/serial/at"}, reason: "the tool reaches the vault by the admin socket only"},
	{in: "cmd/flattone-line", never: []string{"daemon/vault", "daemon/store", "daemon/upstream", "daemon/control", "net/http", "proof"},
		reason: "a line process has no store and speaks to nobody but flattoned"},
	{in: "cmd/flattoned", never: []string{natsServer}, reason: "the server is for tests"},
	{in: "cmd/flattone", never: []string{natsServer}, reason: "the server is for tests"},
	{in: "cmd/flattone-line", never: []string{natsServer}, reason: "the server is for tests"},
	{in: "cmd/flattone-desk", never: []string{"hw", "daemon/vault", "daemon/store", "daemon/keys", "daemon/session", "daemon/capture", "daemon/payment", "daemon/upstream", "proof", natsServer}, but: []string{"hw/serial/at"},
		reason: "whoever takes the desk over finds no key, no card and no store in it"},
	{in: "cmd/flattone-desk", never: []string{"daemon/desk/desktest"}, reason: "what makes certificates for tests is for tests"},
}

// fences: a third-party module belongs behind the packages named, and nowhere else.
var fences = map[string]struct {
	behind []string
	reason string
}{
	"golang.org/x/sys": {[]string{"audio/detect", "audio/locked", "hw/wavline", "hw/sound", "hw/owner", "hw/contact", "hw/hwtest", "daemon/control", "daemon/host", "daemon/lockout", "daemon/recording", "daemon/store", "daemon/wire"},
		"the kernel's own words, where memory, devices, sockets and files are the business; and what the processor can do"},
	"go.uber.org/goleak":                                       {[]string{"hw/hwtest"}, "the contract suite finds goroutines left behind"},
	"github.com/gordonklaus/portaudio":                         {[]string{"hw/sound"}, "sound devices, and the only cgo of the house"},
	"github.com/tarm/serial":                                   {[]string{"hw/serial"}, "serial ports, of which port.go knows the traps"},
	"golang.org/x/image":                                       {[]string{"audio/spectrogram"}, "labels on the picture"},
	"modernc.org/sqlite":                                       {[]string{"daemon/store"}, "the store"},
	"github.com/jackc/pgx/v5":                                  {[]string{"daemon/store"}, "the store, where boxes share it"},
	"github.com/pressly/goose/v3":                              {[]string{"daemon/store"}, "the store's schema"},
	"github.com/pelletier/go-toml/v2":                          {[]string{"daemon/config"}, "the config file"},
	"golang.org/x/mod":                                         {[]string{"daemon/audit"}, "the tamper-evident log"},
	"filippo.io/age":                                           {[]string{"daemon/backup", "daemon/export"}, "the format of what leaves the box in a file, authenticated to its end"},
	"golang.org/x/crypto":                                      {[]string{"daemon/export"}, "age's cipher, which age itself would feed from the ordinary heap"},
	"github.com/ThalesGroup/crypto11":                          {[]string{"daemon/keys/hsm"}, "HSMs, and, where they are built in, the only cgo of flattoned"},
	"github.com/miekg/pkcs11":                                  {[]string{"daemon/keys/hsm"}, "what an HSM answers, by name"},
	"github.com/google/go-tpm":                                 {[]string{"daemon/keys/tpm"}, "the TPM, asked directly"},
	"github.com/standard-webhooks/standard-webhooks/libraries": {[]string{"daemon/upstream/signature", "demo/receiver"}, "signatures of Standard Webhooks"},
	"github.com/nats-io/nats.go":                               {[]string{"daemon/upstream/jetstream", "daemon/clients/natsrpc"}, "the client of NATS: what is told a stream, and what is asked over the same connection"},
	"github.com/nats-io/nkeys":                                 {[]string{"daemon/upstream/jetstream"}, "how the box proves itself to it"},
	natsServer:                                                 {[]string{"daemon/upstream/jetstream/natstest"}, "a real server for tests, which no program that is shipped reaches"},
	"github.com/spf13/cobra":                                   {[]string{"cmd/flattone"}, "the tool's verbs"},
	"github.com/spf13/pflag":                                   {[]string{"cmd/flattone"}, "the tool's flags"},
	"charm.land/bubbletea/v2":                                  {[]string{"cmd/flattone"}, "the live screen"},
	"charm.land/lipgloss/v2":                                   {[]string{"cmd/flattone"}, "the live screen"},
	"github.com/coreos/go-systemd/v22":                         {[]string{"daemon/host"}, "systemd: notify, watchdog, sockets, units"},
	"github.com/godbus/dbus/v5":                                {[]string{"daemon/host"}, "the system bus"},
	"github.com/prometheus/client_golang":                      {[]string{"daemon/health/metrics"}, "what is measured"},
	"pgregory.net/rapid":                                       {[]string{"daemon/gateway/gatewaytest"}, "the suite that connectors share has a property"},
	"golang.org/x/text":                                        {[]string{"daemon/payment"}, "how many digits a currency's minor unit has"},
	"github.com/getkin/kin-openapi":                            {[]string{"daemon/desk/api"}, "tests: every answer is held against the specification that is served"},
	"github.com/coreos/go-oidc/v3":                             {[]string{"daemon/desk/signin"}, "identity providers, and what their tokens are worth"},
	"golang.org/x/oauth2":                                      {[]string{"daemon/desk/signin"}, "the authorization code flow"},
	"golang.org/x/term":                                        {[]string{"cmd/flattone"}, "the live screen"},
}

// pkg is one package as its files say it, build tags ignored.
type pkg struct {
	dir     string
	doc     string
	imports map[string]string // import path -> file
}

func tree(t *testing.T) map[string]*pkg {
	t.Helper()
	pkgs := map[string]*pkg{}
	walk(t, func(file string, src []byte) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(file)
		p := pkgs[dir]
		if p == nil {
			p = &pkg{dir: dir, imports: map[string]string{}}
			pkgs[dir] = p
		}
		if f.Doc != nil {
			p.doc += f.Doc.Text()
		}
		for _, i := range f.Imports {
			to, _ := strconv.Unquote(i.Path.Value)
			p.imports[to] = file
		}
	})
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages found: the rules would be checked against nothing", len(pkgs))
	}
	return pkgs
}

func walk(t *testing.T, visit func(file string, src []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "build"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		src, err := os.ReadFile(file)
		if err == nil {
			visit(filepath.ToSlash(file), src)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// under reports whether folder is one of the trees, or lies below one.
func under(folder string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return folder == tree || strings.HasPrefix(folder, tree+"/") })
}

// own cuts the module's path off an import; anything else stays as it is.
func own(importPath string) (folder string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func TestImportRules(t *testing.T) {
	pkgs := tree(t)
	check := func(p *pkg, r importRule) {
		for imp, file := range p.imports {
			folder, inModule := own(imp)
			if inModule && r.only != nil && !under(folder, r.only) {
				t.Errorf("%s imports %s: %s may import only %v, because %s", file, folder, r.in, r.only, r.reason)
			}
			if slices.Contains(r.never, imp) || inModule && under(folder, r.never) {
				t.Errorf("%s imports %s: %s must not, because %s", file, imp, r.in, r.reason)
			}
		}
	}
	for _, p := range pkgs {
		for _, r := range importRules {
			if under(p.dir, []string{r.in}) {
				check(p, r)
			}
		}
		for _, r := range exactRules {
			if p.dir == r.in {
				check(p, r)
			}
		}
	}
}

func TestReachRules(t *testing.T) {
	pkgs := tree(t)
	for _, r := range reachRules {
		if pkgs[r.in] == nil {
			t.Errorf("%s is gone, and its rule guards nothing", r.in)
		}
		seen := map[string]bool{}
		var visit func(dir string, trail []string)
		visit = func(dir string, trail []string) {
			for imp := range pkgs[dir].imports {
				folder, inModule := own(imp)
				if !inModule {
					folder = imp
				}
				if seen[folder] {
					continue
				}
				seen[folder] = true
				if under(folder, r.never) && !under(folder, r.but) {
					t.Errorf("%s reaches %s by %v, because of which %s no longer holds", r.in, folder, trail, r.reason)
				}
				if inModule && pkgs[folder] != nil {
					visit(folder, append(slices.Clone(trail), folder))
				}
			}
		}
		if pkgs[r.in] != nil {
			visit(r.in, []string{r.in})
		}
	}
}

func TestThirdPartyFences(t *testing.T) {
	for _, p := range tree(t) {
		for imp, file := range p.imports {
			first, _, _ := strings.Cut(imp, "/")
			if _, inModule := own(imp); inModule || !strings.Contains(first, ".") {
				continue
			}
			fenced := false
			for mod, f := range fences {
				if imp == mod || strings.HasPrefix(imp, mod+"/") {
					fenced = true
					if !under(p.dir, f.behind) {
						t.Errorf("%s imports %s, which belongs behind %v (%s)", file, imp, f.behind, f.reason)
					}
				}
			}
			if !fenced {
				t.Errorf("%s imports %s, which has no fence: decide where it belongs, and why", file, imp)
			}
		}
	}
}

func TestEveryPackageIntroducesItself(t *testing.T) {
	for _, p := range tree(t) {
		name := path.Base(p.dir)
		want := "Package " + name
		if strings.HasPrefix(p.dir, "cmd/") || p.dir == "demo" || p.dir == "proof" || p.dir == "proof/speed" || p.dir == "packaging/sbom" || p.dir == "e2e/qemu/receiver" {
			want = "Command " + name
		}
		if !strings.HasPrefix(p.doc, want+" ") && !strings.HasPrefix(p.doc, want+"\n") {
			t.Errorf("%s: the package comment should open with %q", p.dir, want)
		}
		if len(p.doc) < 120 {
			t.Errorf("%s: the package comment should say what it does, why it exists, what it promises", p.dir)
		}
	}
}

func TestFilesAreFormatted(t *testing.T) {
	walk(t, func(file string, src []byte) {
		if want, err := format.Source(src); err != nil || !bytes.Equal(src, want) {
			t.Errorf("%s is not formatted (gofmt -w %s) %v", file, file, err)
		}
	})
}

func TestNothingRunsBeforeMain(t *testing.T) {
	walk(t, func(file string, src []byte) {
		f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: build things in New, where they can fail and be tested", file)
			}
		}
	})
}
