package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a Backend that answers by rote and remembers what it was asked.
type scripted struct {
	*Feed
	asked chan string
	fail  error
	// breaks ends what has begun to be answered.
	breaks error
	// until, if set, keeps commands waiting.
	until chan struct{}
	// events, if set, stand in for the Feed's.
	events <-chan Event
	// code, if set, is the only one that is taken.
	code string
	// desk is the user that the payment p1 was asked by.
	desk string

	mu      sync.Mutex
	refused []string
}

// CheckFactor is asked silently: it is part of other questions.
func (b *scripted) CheckFactor(_ context.Context, by Actor, code string) error {
	if code != b.code || code == "" {
		return &Error{CodeFactor, "no code of " + by.Person, "send one"}
	}
	return nil
}
func (b *scripted) EnrollFactor(_ context.Context, by Actor) (string, error) {
	return "otpauth://x", b.told("enroll %s", by.Person)
}
func (b *scripted) Card(_ context.Context, token string) (Token, error) {
	return aToken, b.told("card %s", token)
}
func (b *scripted) HoldCard(_ context.Context, by Actor, token, reason string) error {
	return b.told("hold %s %s %s", token, reason, by)
}
func (b *scripted) ReleaseCard(_ context.Context, by Actor, token string) error {
	return b.told("release %s %s", token, by)
}
func (b *scripted) ShredCard(_ context.Context, by Actor, token string) error {
	return b.told("shred %s %s", token, by)
}
func (b *scripted) Vault(context.Context) (Vault, error) { return aVault, b.told("vault") }
func (b *scripted) RotateKey(_ context.Context, by Actor) (int64, error) {
	return 2, b.told("rotate %s", by)
}
func (b *scripted) AddRoot(_ context.Context, by Actor) (RootChange, error) {
	return RootChange{Ceremony: "abc"}, b.told("add-root %s", by)
}
func (b *scripted) DropRoot(_ context.Context, by Actor, id string) (RootChange, error) {
	return RootChange{Root: id}, b.told("drop-root %s %s", id, by)
}
func (b *scripted) Certificates(context.Context) ([]Certificate, error) {
	return []Certificate{aCertificate}, b.told("certificates")
}
func (b *scripted) AskExport(_ context.Context, by Actor, to, tenant string) (string, error) {
	return "ceremony", b.told("export to %s of %s %s", to, tenant, by)
}
func (b *scripted) Pair(_ context.Context, by Actor, p Pairing) (PairingCode, error) {
	return PairingCode{"ABCD-EFGH", time.Unix(9, 0).UTC()}, b.told("pair %v %s", p, by)
}
func (b *scripted) RedeemPairing(_ context.Context, by Actor, code string) (Pairing, error) {
	return Pairing{"anna", true}, b.told("redeem %s %s", code, by)
}
func (b *scripted) Exports(context.Context) ([]Export, error) {
	return []Export{anExport}, b.told("exports")
}
func (b *scripted) Undelivered(_ context.Context, p Pick, dead bool, n int) ([]Undelivered, error) {
	return []Undelivered{anUndelivered}, b.told("undelivered %v %t %d", p, dead, n)
}
func (b *scripted) Replay(_ context.Context, by Actor, p Pick) (int64, error) {
	return 3, b.told("replay %v %s", p, by)
}
func (b *scripted) Drop(_ context.Context, by Actor, p Pick, reason string) (int64, error) {
	return 1, b.told("drop %v %s %s", p, reason, by)
}
func (b *scripted) Resume(_ context.Context, by Actor, destination string) error {
	return b.told("resume %s %s", destination, by)
}
func (b *scripted) ForgetFactor(_ context.Context, by Actor, person string) error {
	return b.told("forget %s %s", person, by.Person)
}

// aPayment is one with every field.
var aPayment = Payment{ID: "p1", Capture: "c1", Line: "desk-1", Gateway: "till", Amount: "12.34", Currency: "EUR", Reference: "order-7", Token: "tok_1", State: PaymentApproved, Taken: "12.34", Refunded: "0.34", Voided: true,
	Reason: "r", Code: "00", Auth: "A1", Created: time.Unix(1, 0).UTC(), Changed: time.Unix(2, 0).UTC(), Acts: []Act{aChange}}

// aChange is an act with every field.
var aChange = Act{ID: "a1", Payment: "p1", Kind: "refund", Amount: "0.34", Currency: "EUR", By: "ann", State: ActDone, Reason: "r", Code: "00", Created: time.Unix(3, 0).UTC(), Changed: time.Unix(4, 0).UTC()}

// What is kept of a share is a copy: the page is wiped.
func (b *scripted) Custody(context.Context) (Custody, error) { return aCustody, b.told("custody") }
func (b *scripted) EnrolCustodians(_ context.Context, by Actor, p CustodyPlan) error {
	return b.told("enrol %d of %v %s", p.Need, p.People, by)
}
func (b *scripted) TakeShare(_ context.Context, by Actor, page []byte) (int, error) {
	return copy(page, "a share"), b.told("take %s", by)
}
func (b *scripted) ConfirmShare(_ context.Context, by Actor, text []byte) (int, error) {
	return 1, b.told("confirm %q %s", text, by)
}
func (b *scripted) UnlockVault(_ context.Context, by Actor) (string, error) {
	return "ceremony", b.told("unlock %s", by)
}
func (b *scripted) GiveShare(_ context.Context, by Actor, ceremony string, text []byte) (int, error) {
	return 2, b.told("give %s %q %s", ceremony, text, by)
}
func (b *scripted) AbortCeremony(_ context.Context, by Actor) error { return b.told("abort %s", by) }
func (b *scripted) Refused(_ context.Context, by Actor, call, result string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = append(b.refused, by.String()+": "+call+": "+result)
	return nil
}

func (b *scripted) refusals() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.refused)
}

// everything is for whoever runs the tests.
var everything = config.Roles{Technician: []string{config.Self}, Custodian: []string{config.Self}, Auditor: []string{config.Self}, Installer: []string{config.Self}, Desk: []string{config.Self}}

func (b *scripted) Subscribe(ctx context.Context) <-chan Event {
	if b.events != nil {
		return b.events
	}
	return b.Feed.Subscribe(ctx)
}

func (b *scripted) told(format string, args ...any) error {
	b.asked <- fmt.Sprintf(format, args...)
	if b.until != nil {
		<-b.until
	}
	return b.fail
}

var (
	aStatus = Status{Version: "1", Started: time.Unix(1, 0).UTC(), StateDir: "/s", KeyKind: "file",
		Destinations: []Destination{{Name: "u", Kind: "webhook", To: "http://u", State: DestinationReady, Waiting: 2}}, UpstreamPending: 2, LinesUp: 1, LinesTotal: 3,
		Conditions: []health.Condition{{Code: health.ProcessDown, Severity: health.Fault, Line: "one", Words: "w", Detail: "d", Remedy: "r", Since: time.Unix(2, 0).UTC()}}}
	anUndelivered = Undelivered{ID: "evt_a", Destination: "crm", Type: "card.captured", Capture: "c", Queued: time.Unix(4, 0).UTC(), Dead: true, Tries: 3, Status: 422, Reason: "r"}

	aProfile = Profile{Name: "card", Fields: []string{"pan", "expiry"}, Gateway: "shop", Keep: "none"}
	aLine    = Line{Name: "one", Place: "trunk-side", Scope: "s", Consequences: []string{"c"}, Idle: "mask", Shield: "run",
		LookAheadMS: 30, Up: true, PID: 7, UpSince: time.Unix(2, 0).UTC(), Restarts: 1, State: StateHeld, Capture: "c", Reason: "r",
		InCall: true, Ringing: true, Number: "+15550100", Calls: "hid", SourceLost: true, Covered: true, MaskedPermille: 1000, CallerDBm0: -10.5, AgentDBm0: -90}
	aToken = Token{Token: "tok_x", Capture: "c", Line: "one", Brand: "visa", Last4: "4242", ExpiryMonth: 9, ExpiryYear: 2031, Created: time.Unix(3, 0).UTC(),
		Kind: KindOnce, Expires: time.Unix(4, 0).UTC(), Hold: &Hold{By: "k", Reason: "h", Since: time.Unix(10, 0).UTC()}, Shredded: time.Unix(5, 0).UTC(), Why: "asked"}
	aVault = Vault{Locked: true, Roots: []Root{{ID: "root_x", Kind: "tpm", Opened: true, Created: time.Unix(6, 0).UTC()}}, Key: 2, KeySince: time.Unix(7, 0).UTC(), Records: 3,
		Remaining: 4, RetentionS: 5, Cards: map[string]int64{KindOnce: 6}, Held: 7, NextPurge: time.Unix(8, 0).UTC()}
	aCertificate = Certificate{Kind: "key-1", Note: "n", Created: time.Unix(9, 0).UTC()}
	anExport     = Export{ID: "exp_x", By: "ada", To: "newpsp", Key: "0f", Tenant: "shop", Began: time.Unix(10, 0).UTC(), Ended: time.Unix(11, 0).UTC(), Of: 12, Cards: 13,
		File: "/x.age", SHA256: "00", Failed: "f"}
	aDevice = Device{Name: "trunk", Card: "CODEC", Place: "pci-usb-1", IDs: "08bb:2912", Serial: "s", PCM: 1, Plugging: "b/1", Free: true, In: 1, Out: 2,
		Rates: []int{8000}, Trouble: "device_moved", Uses: []Use{{Line: "one", Side: "agent", Plays: true}}}
	aModem = Modem{Answers: []ModemAnswer{{Ask: "ATI", Lines: []string{"l"}, OK: true}}, Draft: "d",
		Fits: []ModemFit{{Profile: "p", Make: "m", Port: "/d/1", SoundPort: "/d/2", NeedsSoundPort: true}}}
	anAcceptance = acceptance.Report{Line: "one", Time: time.Unix(5, 0).UTC(), Version: "1", Fingerprint: "f", Devices: "d", Settings: "s", Accepted: true,
		Figures: []acceptance.Figure{{Name: acceptance.Leak, What: "w", Value: -90, Unit: "dBm0", Good: true}}}
	aCustody = Custody{Set: "s", Need: 2, Custodians: []CustodianState{{Person: "ada", Wrong: 1, LockedS: 60}}, Locked: true,
		Ceremony: &Ceremony{ID: "c", Purpose: "p", About: "a", Ends: time.Unix(6, 0).UTC(), Done: []string{"ada"}, Missing: 1, Enrolment: true}}
	aReload = Reloaded{Restarted: []string{"one"}, Begun: []string{"two"}, Ended: []string{}, Untouched: []string{"three"}}
	anAct   = AuditEntry{Seq: 4, Time: time.Unix(4, 0).UTC(), Actor: "root", Action: "arm", Object: "one", Result: "ok", Origin: "admin socket", Clock: "synchronised"}
)

func (b *scripted) Status(context.Context) (Status, error) { return aStatus, b.told("status") }
func (b *scripted) Profiles(context.Context) ([]Profile, error) {
	return []Profile{aProfile}, b.told("profiles")
}
func (b *scripted) Lines(context.Context) ([]Line, error) { return []Line{aLine}, b.told("lines") }
func (b *scripted) Devices(context.Context) ([]Device, error) {
	return []Device{aDevice}, b.told("devices")
}
func (b *scripted) ProbeModem(_ context.Context, port string) (Modem, error) {
	return aModem, b.told("probe %s", port)
}
func (b *scripted) Arm(_ context.Context, by Actor, line, profile string) (string, error) {
	return "c1", b.told("arm %s %q uid %d pid %d", line, profile, by.UID, by.PID)
}
func (b *scripted) Charge(_ context.Context, by Actor, line, profile string, c Charge) (Charging, error) {
	return Charging{Capture: "c1", Payment: "p1"}, b.told("charge %s %q %s %s %s %s %s %s", line, profile, c.Amount, c.Currency, c.Reference, c.Address, c.Postcode, by)
}
func (b *scripted) Confirm(_ context.Context, by Actor, id string) (Payment, error) {
	return aPayment, b.told("confirm %s %s", id, by)
}
func (b *scripted) Cancel(_ context.Context, by Actor, id string) (Payment, error) {
	return aPayment, b.told("cancel %s %s", id, by)
}
func (b *scripted) Payments(_ context.Context, limit int) ([]Payment, error) {
	return []Payment{aPayment}, b.told("payments %d", limit)
}
func (b *scripted) Payment(_ context.Context, id string) (Payment, error) {
	return aPayment, b.told("payment %s", id)
}
func (b *scripted) Act(_ context.Context, by Actor, id, kind, amount string) (Act, error) {
	return aChange, b.told("%s %s %q %s", kind, id, amount, by)
}
func (b *scripted) Rehearse(_ context.Context, by Actor, line, profile string) (string, error) {
	return "t1", b.told("rehearse %s %q %s", line, profile, by)
}
func (b *scripted) Disarm(_ context.Context, by Actor, line string) error {
	return b.told("disarm %s %s", line, by)
}
func (b *scripted) MoreTime(_ context.Context, _ Actor, line string) error {
	return b.told("more-time %s", line)
}
func (b *scripted) Again(_ context.Context, by Actor, line, field string) error {
	return b.told("again %s %q %s", line, field, by)
}
func (b *scripted) Cover(_ context.Context, by Actor, line string, on bool) error {
	return b.told("cover %s %t %s", line, on, by)
}
func (b *scripted) Acknowledge(_ context.Context, _ Actor, line string) error {
	return b.told("acknowledge %s", line)
}
func (b *scripted) CallBegan(_ context.Context, _ Actor, line string) error {
	return b.told("call-began %s", line)
}
func (b *scripted) CallEnded(_ context.Context, _ Actor, line string) error {
	return b.told("call-ended %s", line)
}
func (b *scripted) Answer(_ context.Context, by Actor, line string) error {
	return b.told("answer %s %s", line, by)
}
func (b *scripted) Dial(_ context.Context, by Actor, line, number string) error {
	return b.told("dial %s %s %s", line, number, by)
}
func (b *scripted) HangUp(_ context.Context, by Actor, line string) error {
	return b.told("hang-up %s %s", line, by)
}
func (b *scripted) Tune(_ context.Context, _ Actor, line string) error {
	return b.told("tune %s", line)
}
func (b *scripted) Test(_ context.Context, by Actor, line string, t Test) error {
	return b.told("test %s %+v %s", line, t, by)
}
func (b *scripted) EndTest(_ context.Context, by Actor, line string) error {
	return b.told("end-test %s %s", line, by)
}
func (b *scripted) Acceptance(_ context.Context, line string) (acceptance.Report, error) {
	return anAcceptance, b.told("acceptance %s", line)
}
func (b *scripted) Reload(_ context.Context, by Actor, force bool) (Reloaded, error) {
	return aReload, b.told("reload %t %s", force, by)
}
func (b *scripted) Restart(_ context.Context, by Actor, line string, force bool) error {
	return b.told("restart %s %t %s", line, force, by)
}
func (b *scripted) Tokens(_ context.Context, n int) ([]Token, error) {
	return []Token{aToken}, b.told("tokens %d", n)
}

func (b *scripted) Holds(_ context.Context, n int) ([]Token, error) {
	return []Token{aToken}, b.told("holds %d", n)
}
func (b *scripted) ExportAudit(_ context.Context, by Actor, to io.Writer) error {
	if err := b.told("export %s", by); err != nil {
		return err
	}
	_, err := io.WriteString(to, "the log\n")
	return errors.Join(err, b.breaks)
}
func (b *scripted) AuditKey() string { return "the key" }
func (b *scripted) BackUp(_ context.Context, _ Actor, to io.Writer) error {
	return b.file("backup", to)
}
func (b *scripted) BackUpKeys(_ context.Context, _ Actor, to io.Writer) error {
	return b.file("backup of keys", to)
}
func (b *scripted) BackUpPurgeLog(_ context.Context, _ Actor, to io.Writer) error {
	return b.file("purge log", to)
}
func (b *scripted) file(what string, to io.Writer) error {
	if err := b.told("%s", what); err != nil {
		return err
	}
	_, err := io.WriteString(to, "the "+what+"\n")
	return err
}
func (b *scripted) Audit(_ context.Context, _ Actor, n int) ([]AuditEntry, error) {
	if n == 1 {
		return nil, b.told("audit %d", n)
	}
	return []AuditEntry{anAct}, b.told("audit %d", n)
}

// serve runs a server on a fresh socket until the test ends.
func serve(t *testing.T, change func(*Server)) (*scripted, string) {
	t.Helper()
	b := &scripted{Feed: NewFeed(), asked: make(chan string, 4096)}
	socket := filepath.Join(t.TempDir(), "admin.sock")
	s, err := New(Config{Socket: socket, Roles: everything}, Deps{Backend: b, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return b, socket
}

func dial(t *testing.T, socket string) *Client {
	t.Helper()
	c, err := Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestEveryCallReachesTheBackendAndBack(t *testing.T) {
	b, socket := serve(t, nil)
	c := dial(t, socket)
	ctx := t.Context()
	for _, tc := range []struct {
		asked string
		call  func() (any, error)
		want  any
	}{
		{"status", func() (any, error) { return c.Status(ctx) }, aStatus},
		{"lines", func() (any, error) { return c.Lines(ctx) }, []Line{aLine}},
		{"profiles", func() (any, error) { return c.Profiles(ctx) }, []Profile{aProfile}},
		{"devices", func() (any, error) { return c.Devices(ctx) }, []Device{aDevice}},
		{"probe /dev/a port&b", func() (any, error) { return c.ProbeModem(ctx, "/dev/a port&b") }, aModem},
		{fmt.Sprintf(`arm a line/ä "card" uid %d pid %d`, os.Getuid(), os.Getpid()),
			func() (any, error) { return c.Arm(ctx, "a line/ä", "card") }, "c1"},
		{fmt.Sprintf(`arm one "" uid %d pid %d`, os.Getuid(), os.Getpid()), func() (any, error) { return c.Arm(ctx, "one", "") }, "c1"},
		{`rehearse one "card" ` + self(t).Name, func() (any, error) { return c.Rehearse(ctx, "one", "card") }, "t1"},
		{"disarm one " + self(t).Name, func() (any, error) { return nil, c.Disarm(ctx, "one") }, nil},
		{"more-time one", func() (any, error) { return nil, c.MoreTime(ctx, "one") }, nil},
		{`again one "pan" ` + self(t).Name, func() (any, error) { return nil, c.Again(ctx, "one", "pan") }, nil},
		{"cover one true " + self(t).Name, func() (any, error) { return nil, c.Cover(ctx, "one", true) }, nil},
		{"cover one false " + self(t).Name, func() (any, error) { return nil, c.Cover(ctx, "one", false) }, nil},
		{"acknowledge one", func() (any, error) { return nil, c.Acknowledge(ctx, "one") }, nil},
		{"call-began one", func() (any, error) { return nil, c.CallBegan(ctx, "one") }, nil},
		{"call-ended one", func() (any, error) { return nil, c.CallEnded(ctx, "one") }, nil},
		{"answer one " + self(t).Name, func() (any, error) { return nil, c.Answer(ctx, "one") }, nil},
		{"dial one +15550100 " + self(t).Name, func() (any, error) { return nil, c.Dial(ctx, "one", "+15550100") }, nil},
		{"hang-up one " + self(t).Name, func() (any, error) { return nil, c.HangUp(ctx, "one") }, nil},
		{"tune one", func() (any, error) { return nil, c.Tune(ctx, "one") }, nil},
		{"test one {What:tone Leg:agent Hz:1020 DBm0:-10.5 Seconds:5} " + self(t).Name, func() (any, error) {
			return nil, c.Test(ctx, "one", Test{What: TestTone, Leg: LegAgent, Hz: 1020, DBm0: -10.5, Seconds: 5})
		}, nil},
		{"end-test one " + self(t).Name, func() (any, error) { return nil, c.EndTest(ctx, "one") }, nil},
		{"reload true " + self(t).Name, func() (any, error) { return c.Reload(ctx, true) }, aReload},
		{"restart one true " + self(t).Name, func() (any, error) { return nil, c.Restart(ctx, "one", true) }, nil},
		{"acceptance one", func() (any, error) { return c.Acceptance(ctx, "one") }, anAcceptance},
		{"tokens 3", func() (any, error) { return c.Tokens(ctx, 3) }, []Token{aToken}},
		{"holds 3", func() (any, error) { return c.Holds(ctx, 3) }, []Token{aToken}},
		{"card tok_x/y", func() (any, error) { return c.Card(ctx, "tok_x/y") }, aToken},
		{"hold tok_x a dispute " + self(t).Name, func() (any, error) { return nil, c.HoldCard(ctx, "tok_x", "a dispute") }, nil},
		{"release tok_x " + self(t).Name, func() (any, error) { return nil, c.ReleaseCard(ctx, "tok_x") }, nil},
		{"shred tok_x " + self(t).Name, func() (any, error) { return nil, c.ShredCard(ctx, "tok_x") }, nil},
		{"vault", func() (any, error) { return c.Vault(ctx) }, aVault},
		{"rotate " + self(t).Name, func() (any, error) { return c.RotateKey(ctx) }, int64(2)},
		{"add-root " + self(t).Name, func() (any, error) { return c.AddRoot(ctx) }, RootChange{Ceremony: "abc"}},
		{"drop-root root_a/b " + self(t).Name, func() (any, error) { return c.DropRoot(ctx, "root_a/b") }, RootChange{Root: "root_a/b"}},
		{"certificates", func() (any, error) { return c.Certificates(ctx) }, []Certificate{aCertificate}},
		{"export to newpsp of shop " + self(t).Name, func() (any, error) { return c.AskExport(ctx, "newpsp", "shop") }, "ceremony"},
		{"exports", func() (any, error) { return c.Exports(ctx) }, []Export{anExport}},
		{"pair {anna true} " + self(t).Name, func() (any, error) { return c.Pair(ctx, Pairing{"anna", true}) }, PairingCode{"ABCD-EFGH", time.Unix(9, 0).UTC()}},
		{"redeem ABCD-EFGH " + self(t).Name, func() (any, error) { return c.RedeemPairing(ctx, "ABCD-EFGH") }, Pairing{"anna", true}},
		{"undelivered { a&b} true 7", func() (any, error) { return c.Undelivered(ctx, Pick{Destination: "a&b"}, true, 7) }, []Undelivered{anUndelivered}},
		{"replay {evt_a crm} " + self(t).Name, func() (any, error) { return c.Replay(ctx, Pick{"evt_a", "crm"}) }, int64(3)},
		{"drop {evt_a } as told " + self(t).Name, func() (any, error) { return c.Drop(ctx, Pick{ID: "evt_a"}, "as told") }, int64(1)},
		{"resume a/b " + self(t).Name, func() (any, error) { return nil, c.Resume(ctx, "a/b") }, nil},
		{"audit 1000", func() (any, error) { return c.Audit(ctx, 1000) }, []AuditEntry{anAct}},
		{"enroll " + self(t).Name, func() (any, error) { return c.EnrollFactor(ctx) }, "otpauth://x"},
		{"forget a/b " + self(t).Name, func() (any, error) { return nil, c.ForgetFactor(ctx, "a/b") }, nil},
		{"custody", func() (any, error) { return c.Custody(ctx) }, aCustody},
		{"enrol 2 of [ada bob] " + self(t).Name, func() (any, error) { return nil, c.EnrolCustodians(ctx, CustodyPlan{2, []string{"ada", "bob"}}) }, nil},
		{"take " + self(t).Name, func() (any, error) {
			page := make([]byte, 100)
			n, err := c.TakeShare(ctx, page)
			return string(page[:n]), err
		}, "a share"},
		{`confirm "words" ` + self(t).Name, func() (any, error) { return c.ConfirmShare(ctx, []byte("words")) }, 1},
		{"unlock " + self(t).Name, func() (any, error) { return c.UnlockVault(ctx) }, "ceremony"},
		{`give a/b "words" ` + self(t).Name, func() (any, error) { return c.GiveShare(ctx, "a/b", []byte("words")) }, 2},
		{"abort " + self(t).Name, func() (any, error) { return nil, c.AbortCeremony(ctx) }, nil},
		{"audit 1", func() (any, error) { return c.Audit(ctx, 1) }, []AuditEntry{}},
	} {
		got, err := tc.call()
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.asked, got, err, tc.want)
		}
		if asked := <-b.asked; asked != tc.asked {
			t.Errorf("the backend was asked %q, want %q", asked, tc.asked)
		}
	}
}

func TestTheAuditLogIsExported(t *testing.T) {
	b, socket := serve(t, nil)
	c := dial(t, socket)
	var file bytes.Buffer
	if err := c.ExportAudit(t.Context(), &file); err != nil || file.String() != "the log\n" {
		t.Errorf("%q, %v", file.String(), err)
	}
	if asked := <-b.asked; asked != "export "+self(t).Name {
		t.Errorf("the backend was asked %q", asked)
	}
	if key, err := c.AuditKey(t.Context()); key != "the key" || err != nil {
		t.Errorf("key %q, %v", key, err)
	}
	b, socket = serve(t, nil) // another: the first may still be looking at what it was told to do
	b.breaks = errors.New("in the middle")
	if err := dial(t, socket).ExportAudit(t.Context(), &file); err == nil {
		t.Error("a part was taken for the whole")
	}
	b, socket = serve(t, nil)
	b.fail = &Error{CodeBusy, "not now", "wait"}
	c = dial(t, socket)
	var e *Error
	if err := c.ExportAudit(t.Context(), &file); !errors.As(err, &e) || e.Code != CodeBusy {
		t.Errorf("got %v", err)
	}
}

func TestErrorsKeepTheirCodeAndRemedy(t *testing.T) {
	b, socket := serve(t, nil)
	c := dial(t, socket)
	b.fail = fmt.Errorf("on the way: %w", &Error{CodeUnknownLine, "there is no line x", "the lines are: one"})
	err := c.Disarm(t.Context(), "x")
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeUnknownLine || e.Remedy != "the lines are: one" {
		t.Errorf("got %#v", err)
	}
	if want := "disarming line x: there is no line x"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	b.fail = errors.New("disk full")
	if _, err = c.Status(t.Context()); !errors.As(err, &e) || e.Code != CodeInternal || e.Text != "disk full" || e.Remedy == "" {
		t.Errorf("got %#v", err)
	}
}

// raw sends text as it is and answers with the first line and the whole of what comes back.
func raw(t *testing.T, socket, text string) (first, all string) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, text)
	back, _ := io.ReadAll(c)
	first, _, _ = strings.Cut(string(back), "\r\n")
	return first, string(back)
}

func TestBadRequestsAreRefusedWithAReason(t *testing.T) {
	b, socket := serve(t, nil)
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
	for name, tc := range map[string]struct{ text, status, says string }{
		"not http":        {"hello\r\n\r\n", "400", "400 Bad Request"},
		"binary":          {"\x16\x03\x01\x00\xff\r\n\r\n", "400", "400 Bad Request"},
		"header too long": {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431", ""},
		"no such path":    {get("/v2/status"), "404", `"the calls are: GET /v1/status, GET /v1/events`},
		"wrong method":    {post("/v1/status", ""), "404", "there is no such call as POST /v1/status"},
		"no json":         {post("/v1/lines/one/arm", "profile=card"), "400", "the body can't be read"},
		"unknown name":    {post("/v1/lines/one/arm", `{"profil":"card"}`), "400", `unknown field`},
		"two values":      {post("/v1/lines/one/arm", `{} {}`), "400", "more after the JSON value"},
		"wrong type":      {post("/v1/lines/one/arm", `{"profile":4}`), "400", "the body can't be read"},
		"body too long":   {post("/v1/lines/one/arm", `{"profile":"`+strings.Repeat("x", maxBody)+`"}`), "400", "too large"},
		"body not asked":  {post("/v1/lines/one/disarm", `{"line":"two"}`), "400", "unknown field"},
		"limit of words":  {get("/v1/tokens?limit=all"), "400", `limit \"all\" is not a number from 1 to 1000`},
		"limit of none":   {get("/v1/tokens?limit=0"), "400", "not a number from 1 to 1000"},
		"limit too high":  {get("/v1/audit?limit=1001"), "400", "not a number from 1 to 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			first, all := raw(t, socket, tc.text)
			if !strings.HasPrefix(first, "HTTP/1.1 "+tc.status) || !strings.Contains(all, tc.says) {
				t.Errorf("answered %q, want %s and %q", all, tc.status, tc.says)
			}
		})
	}
	if len(b.asked) != 0 {
		t.Errorf("a bad request reached the backend: %s", <-b.asked)
	}
	if first, _ := raw(t, socket, get("/v1/status")); !strings.HasPrefix(first, "HTTP/1.1 200") {
		t.Errorf("a good request after the bad ones: %q", first)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	b, socket := serve(t, func(s *Server) {
		s.policy = grants(t, config.Roles{Technician: []string{"@root"}})
		clear(s.policy.groups)
	})
	c := dial(t, socket)
	for _, err := range []error{
		c.Disarm(t.Context(), "one"),
		c.Watch(t.Context(), func(Event) { t.Error("told an event") }),
	} {
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeDenied || !strings.Contains(e.Text, self(t).Name) || !strings.Contains(e.Text, "no role") {
			t.Errorf("got %v", err)
		}
	}
	if len(b.asked) != 0 {
		t.Error("a stranger's request reached the backend")
	}
}

// What a person typed for a line's name may be a card number. The log says which call it was, and not the name.
func TestLogKeepsNoPath(t *testing.T) {
	const typed = "4242424242424242"
	var log bytes.Buffer
	logged := func(s *Server) { s.log = slog.New(slog.NewTextHandler(&log, nil)) }
	t.Run("of one who failed", func(t *testing.T) {
		b, socket := serve(t, logged)
		b.fail = errors.New("disk full")
		if err := dial(t, socket).Disarm(t.Context(), typed); err == nil {
			t.Error("it succeeded")
		}
	})
	t.Run("of a stranger", func(t *testing.T) {
		_, socket := serve(t, func(s *Server) { logged(s); s.policy = policy{} })
		if err := dial(t, socket).Disarm(t.Context(), typed); err == nil {
			t.Error("it succeeded")
		}
	})
	if text := log.String(); strings.Contains(text, typed) || strings.Count(text, "POST /v1/lines/{line}/disarm") != 2 {
		t.Errorf("the log is %s", text)
	}
}

func TestWatchIsToldThePresentAndThenEvents(t *testing.T) {
	b, socket := serve(t, nil)
	c := dial(t, socket)
	b.Publish(Event{Kind: KindState, Line: "one", State: StateArmed, Capture: "c"})
	ctx, cancel := context.WithCancel(t.Context())
	var got []Event
	err := c.Watch(ctx, func(e Event) {
		got = append(got, e)
		switch len(got) {
		case 1:
			b.Publish(Event{Kind: KindMeters, Line: "one", CallerDBm0: -12.5, AgentDBm0: 0, MaskedPermille: 1000})
		case 2:
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !got[0].Replay || got[0].State != StateArmed || got[1].Replay || got[1].CallerDBm0 != -12.5 || got[1].AgentDBm0 != 0 {
		t.Errorf("heard %+v", got)
	}
}

func TestWatchSaysThatItWasCutOff(t *testing.T) {
	b, socket := serve(t, nil)
	events := make(chan Event, 1)
	events <- Event{Kind: KindCut, Reason: "too_slow"}
	close(events)
	b.events = events
	var e *Error
	err := dial(t, socket).Watch(t.Context(), func(Event) {})
	if !errors.As(err, &e) || e.Code != CodeCut || e.Remedy == "" {
		t.Errorf("got %v", err)
	}
}

func TestStreamsLeaveRoomForCommands(t *testing.T) {
	b, socket := serve(t, nil)
	c := dial(t, socket)
	b.Publish(Event{Kind: KindLineUp, Line: "one"})
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan struct{})
	ended := make(chan error)
	for range maxStreams {
		go func() { ended <- c.Watch(ctx, func(Event) { watching <- struct{}{} }) }()
		<-watching
	}
	var e *Error
	if err := c.Watch(ctx, func(Event) {}); !errors.As(err, &e) || e.Code != CodeBusy {
		t.Errorf("one watcher too many: %v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("status beside %d watchers: %v", maxStreams, err)
	}
	cancel()
	for range maxStreams {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestAThousandConnections: they wait or are served, but nobody is lost and the server is there afterwards.
func TestAThousandConnections(t *testing.T) {
	_, socket := serve(t, nil)
	answers := make(chan string, 1000)
	for range 1000 {
		go func() {
			c, err := net.Dial("unix", socket)
			if err != nil {
				answers <- err.Error()
				return
			}
			defer c.Close()
			io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- resp.Status
		}()
	}
	for range 1000 {
		if a := <-answers; a != "200 OK" {
			t.Fatalf("one of a thousand got %q", a)
		}
	}
}

func TestStopLetsACommandFinishAndEndsStreams(t *testing.T) {
	b := &scripted{Feed: NewFeed(), asked: make(chan string, 8), until: make(chan struct{})}
	b.Publish(Event{Kind: KindLineUp, Line: "one"})
	socket := filepath.Join(t.TempDir(), "admin.sock")
	s, err := New(Config{Socket: socket, Roles: everything}, Deps{Backend: b, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	c := dial(t, socket)
	commanded, watched, watching := make(chan error, 1), make(chan error, 1), make(chan struct{})
	go func() { commanded <- c.Disarm(t.Context(), "one") }()
	go func() { watched <- c.Watch(t.Context(), func(Event) { close(watching) }) }()
	<-b.asked
	<-watching
	stop()
	var e *Error
	if err := <-watched; !errors.As(err, &e) || e.Code != CodeLost {
		t.Errorf("the watch ended with %v", err)
	}
	close(b.until)
	if err := <-commanded; err != nil {
		t.Errorf("the command under way failed: %v", err)
	}
	if err := errors.Join(<-ended, s.Close()); err != nil {
		t.Errorf("Run, or closing after it: %v", err)
	}
	if _, err = Dial(socket); !errors.As(err, &e) || e.Code != CodeUnreachable || !strings.Contains(e.Remedy, "is flattoned running?") {
		t.Errorf("after the stop: %v", err)
	}
}
