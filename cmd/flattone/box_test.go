package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/audit/export"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// aBox is a flattoned that answers by rote, behind a real admin socket.
type aBox struct {
	*control.Feed
	control.Bonding // nil: the tool asks for no agent
	// watchers gets a word for each subscription.
	watchers chan struct{}
	// armed gets the name of each line that is armed.
	armed chan string
	// refuses is what arming is answered with, if it isn't nil.
	refuses error
	// tuning is how a tuning ends: "refused", "refused once", "vain", or well.
	tuning string
	// testing is how a test of a side ends: "howls", "cut", not but by being left, or well; left counts how often.
	testing string
	left    atomic.Int32
	report  acceptance.Report
	looks   atomic.Int32 // how often the vault was looked at
	// planted is in whatever is told of the log, devices and conditions.
	planted string
	// up, if set, says whether lines are.
	up func() bool
	// config is the box's configuration, of which it runs with settings.
	config, settings string
	// reload is what a reload comes to.
	reload func(force bool) (control.Reloaded, error)
	// plan is the enrolment under way.
	plan atomic.Pointer[control.CustodyPlan]
	// exporting is the recipient of an export that custodians are asked for.
	exporting atomic.Pointer[string]
	// afar is whether those who ask are not at the box.
	afar atomic.Bool
}

func (b *aBox) login(context.Context, int32) (control.Login, error) {
	return control.Login{ID: "1", User: "anna", Here: !b.afar.Load()}, nil
}

// CheckFactor takes one code.
func (b *aBox) CheckFactor(_ context.Context, by control.Actor, code string) error {
	switch code {
	case "123456":
		return nil
	case "":
		return &control.Error{Code: control.CodeFactor, Text: "from afar this takes a code of anna's second factor", Remedy: "send it"}
	}
	return &control.Error{Code: control.CodeFactor, Text: "that is not the code of this minute", Remedy: "is the telephone's clock right?"}
}

func (b *aBox) EnrollFactor(_ context.Context, by control.Actor) (string, error) {
	return "otpauth://totp/flattone:" + by.Person + "@box?secret=MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U&issuer=flattone", nil
}

func (b *aBox) Pair(_ context.Context, _ control.Actor, p control.Pairing) (control.PairingCode, error) {
	return control.PairingCode{Code: "7M9X-2CQD", Ends: then}, nil
}

func (b *aBox) RedeemPairing(context.Context, control.Actor, string) (control.Pairing, error) {
	return control.Pairing{}, &control.Error{Code: control.CodePairing, Text: "no", Remedy: "no"}
}

func (b *aBox) ForgetFactor(_ context.Context, _ control.Actor, person string) error {
	if person != "anna" {
		return &control.Error{Code: control.CodeWrongState, Text: person + " has no second factor", Remedy: "it is that of the name that somebody logs in by"}
	}
	return nil
}

const aShare = "7m9x 2cqd 000g 40r4\n0m30 e209 185g r38e\n1w81 24gk 2gah c5rr\n34d1 p70x 3rfj 12t8\n"

func (b *aBox) Custody(context.Context) (control.Custody, error) {
	s := control.Custody{Set: "7m9x2cqd", Need: 2, Locked: true, Custodians: []control.CustodianState{{Person: "carla"}, {Person: "karim", Wrong: 3}, {Person: "ole", LockedS: 90}}}
	if p := b.plan.Load(); p != nil {
		s.Ceremony = &control.Ceremony{ID: "c1", Purpose: "enrol custodians", About: fmt.Sprintf("%d of %s", p.Need, strings.Join(p.People, ", ")), Ends: then, Missing: len(p.People), Enrolment: true}
	} else if to := b.exporting.Load(); to != nil {
		s.Ceremony = &control.Ceremony{ID: "c2", Purpose: control.PurposeExport, About: "2 cards of all tenants for " + *to, Ends: then, Missing: 2}
	} else {
		s.Ceremony = &control.Ceremony{ID: "c2", Purpose: "replace the custodians", About: "2 of ada, bob\x1b", Ends: then, Done: []string{"carla"}, Missing: 1}
	}
	return s, nil
}

func (b *aBox) EnrolCustodians(_ context.Context, _ control.Actor, p control.CustodyPlan) error {
	b.plan.Store(&p)
	return nil
}

func (b *aBox) AbortCeremony(context.Context, control.Actor) error {
	b.plan.Store(nil)
	return nil
}

func (b *aBox) TakeShare(_ context.Context, _ control.Actor, page []byte) (int, error) {
	return copy(page, aShare), nil
}

// theShare takes one share, however it is laid out.
func theShare(text []byte) error {
	if strings.Join(strings.Fields(string(text)), "") != strings.Join(strings.Fields(aShare), "") {
		return &control.Error{Code: control.CodeShare, Text: "that is not the share", Remedy: "is it the newest of your papers?"}
	}
	return nil
}

func (b *aBox) ConfirmShare(_ context.Context, _ control.Actor, text []byte) (int, error) {
	return 2, theShare(text)
}

func (b *aBox) UnlockVault(context.Context, control.Actor) (string, error) { return "c3", nil }

func (b *aBox) GiveShare(_ context.Context, _ control.Actor, ceremony string, text []byte) (int, error) {
	return map[string]int{"c2": 0, "c3": 1}[ceremony], theShare(text)
}

func (b *aBox) Refused(context.Context, control.Actor, string, string) error { return nil }

func newBox() *aBox {
	return &aBox{Feed: control.NewFeed(), watchers: make(chan struct{}, 16), armed: make(chan string, 16)}
}

// serve listens at socket until the context ends, and then says so.
func (b *aBox) serve(ctx context.Context, socket string) (ended <-chan error, err error) {
	me := []string{config.Self}
	s, err := control.New(control.Config{Socket: socket, Roles: config.Roles{Technician: me, Custodian: me, Auditor: me, Installer: me}}, control.Deps{Backend: b, Log: slog.New(slog.DiscardHandler), Login: b.login})
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return done, nil
}

// then is the time of all things told.
var then = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func boxLines() []control.Line {
	return []control.Line{
		{Name: "demo", Place: "trunk-side", Scope: "trunk-side: phones, PBX and recorder are behind this line.", Idle: "mask", Shield: "run",
			LookAheadMS: 30, NeedsLookAheadMS: 40, Up: true, PID: 4711, UpSince: then, State: control.StateIdle, InCall: true, CallerDBm0: -18.4, AgentDBm0: -33,
			GainToAgentDB: 6, GainToCallerDB: -1.5, AgentInput: "input_clips",
			Legs: control.Legs{CallerFloorDBm0: -61, AgentFloorDBm0: -55, CallerClipped: 1, AgentClipped: 2301, ToAgentClipped: 7, ToCallerClipped: 8}},
		{Name: "desk-3", Place: "desk-side", Scope: "desk-side: only the agent's ear is behind this line.",
			Consequences: []string{"line[1].idle = \"pass\": keys before arming reach the agent."}, Idle: "pass", Shield: "run",
			LookAheadMS: 40, Calls: "gpio", Restarts: 2, State: control.StateHeld, Reason: "process_down"},
	}
}

func (b *aBox) Status(context.Context) (control.Status, error) {
	stands := health.NewBoard()
	stands.Set(health.StoreFailed, "", "the disk is full"+b.planted)
	stands.Set(health.KeyFile, "", "")
	stands.Set(health.UpstreamFailing, "", "connection refused\x1b[31m")
	stands.Set("input_clips", "demo", "agent")
	stands.Set(health.CodecPoor, "demo", health.LookAheadNeeded(40))
	stands.Set(health.ProcessDown, "desk-3", "")
	return control.Status{Version: "0.1.0", PID: 4711, ConfigFile: b.config, Settings: b.settings, Started: then, StateDir: "/var/lib/flattone", KeyKind: "file",
		Destinations:    []control.Destination{{Name: "crm", Kind: "webhook", To: "http://127.0.0.1:9000", State: control.DestinationFailing, Waiting: 1}},
		UpstreamPending: 1, LinesUp: 1, LinesTotal: 2, Conditions: stands.Snapshot()}, nil
}

func (b *aBox) Profiles(context.Context) ([]control.Profile, error) { return nil, nil }

func (b *aBox) Lines(context.Context) ([]control.Line, error) {
	if b.config == "" {
		return boxLines(), nil
	}
	cfg, err := config.Load(b.config) // whatever stands there is what the lines run with
	if err != nil {
		return nil, err
	}
	adopted, err := cfg.Devices()
	if err != nil {
		return nil, err
	}
	var lines []control.Line
	for _, l := range cfg.Lines {
		now := control.Line{Name: l.Name, Up: b.up == nil || b.up(), State: control.StateIdle, InCall: true, Ringing: b.planted != "", Number: b.planted, Settings: cfg.Settings(l.Name)}
		if s := l.Sound; s != nil && l.CallerModem == nil && adopted[s.Caller].Place == "" {
			now.State, now.Reason = control.StateHeld, control.DeviceAbsent
		}
		lines = append(lines, now)
	}
	return lines, nil
}

func (b *aBox) Devices(context.Context) ([]control.Device, error) {
	list := boxDevices()
	list[0].Card += b.planted
	return list, nil
}

func boxDevices() []control.Device {
	return []control.Device{
		{Card: "PCH", Place: "pci-0000:00:1f.3", IDs: "8086:a348", Free: true, In: 2, Out: 2, Rates: []int{44100, 48000}},
		{Card: "PCH", Place: "pci-0000:00:1f.3", IDs: "8086:a348", PCM: 3, Free: true, Out: 8},
		{Name: "trunk", Card: "USB Audio CODEC", Place: "pci-0000:00:14.0-usb-1.4", IDs: "08bb:2912", Plugging: "b/5",
			Uses: []control.Use{{Line: "demo", Side: "caller", Plays: true}}},
		{Name: "headset", Card: "USB Audio CODEC", Place: "pci-0000:00:14.0-usb-1.3", IDs: "08bb:2912", Plugging: "b/9", Free: true, In: 2, Out: 2,
			Rates: []int{8000, 16000, 44100, 48000}, Trouble: control.DeviceSwapped, Uses: []control.Use{{Line: "demo", Side: "agent"}}},
		{Card: "Scarlett Solo USB", Place: "pci-0000:00:14.0-usb-2", IDs: "1235:8211", Serial: "Y7X\x1b", Plugging: "b/7"},
		{Name: "desk", Card: "Desk phone", Place: "pci-0000:00:14.0-usb-2", IDs: "0d8c:0014", Trouble: control.DeviceReplaced},
		{Name: "default", Free: true, In: 128, Out: 128, Rates: []int{8000}},
		{Name: "spare", Trouble: control.DeviceAbsent, Uses: []control.Use{{Line: "desk-3", Side: "agent"}}},
	}
}

// ProbeModem finds a module, a dongle of which the port for sound isn't known, and one that nobody knows.
func (b *aBox) ProbeModem(_ context.Context, port string) (control.Modem, error) {
	m := control.Modem{Answers: []control.ModemAnswer{
		{Ask: "ATI", Lines: []string{"Quectel", "EC25", "Revision: EC25EFAR06A01M4G\x1b[31m"}, OK: true},
		{Ask: "AT+FCLASS=?"}, {Ask: "AT+QPCMV=?", Lines: []string{"+QPCMV: (0,1),(0-2)"}, OK: true}}}
	switch port {
	case "/dev/ttyUSB2":
		m.Fits = []control.ModemFit{{Profile: "quectel-ec25", Make: "Quectel EC2x, EG9x, EG25", Port: port, SoundPort: "/dev/ttyUSB1", NeedsSoundPort: true}}
	case "/dev/ttyS0":
		m.Fits = []control.ModemFit{{Profile: "mine", Make: "one of mine", Port: port, NeedsSoundPort: true}, {Profile: "v253", Make: "V.253 voice modem", Port: port}}
	case "/dev/ttyUSB9":
		m.Draft = "version = 1\nmake = \"ACME\"   # a long line stays one, so that it can be copied: .........................................\n"
	default:
		return m, &control.Error{Code: control.CodeNoModem, Text: "the modem can't be asked: nobody answers there", Remedy: "try another port"}
	}
	return m, nil
}

// known refuses what a daemon would.
func known(line string) error {
	switch line {
	case "demo":
		return nil
	case "desk-3":
		return &control.Error{Code: control.CodeLineDown, Text: "its process does not run", Remedy: "see why in its log"}
	case "forbidden":
		return &control.Error{Code: control.CodeDenied, Text: "user mallory may not command this box", Remedy: "have root add you to the group flattone-admin and log in again, or ask as root"}
	case "broken":
		return fmt.Errorf("the disk is full")
	}
	return &control.Error{Code: control.CodeUnknownLine, Text: "there is no such line", Remedy: "the lines are: demo, desk-3"}
}

func (b *aBox) Arm(_ context.Context, _ control.Actor, line, profile string) (string, error) {
	if profile != "" && profile != "card" {
		return "", &control.Error{Code: control.CodeUnknownProfile, Text: "there is no profile " + profile, Remedy: "the profiles are: card"}
	}
	if b.refuses != nil {
		return "", b.refuses
	}
	b.armed <- line
	return "cap_1", known(line)
}

func (b *aBox) Charge(ctx context.Context, by control.Actor, line, profile string, c control.Charge) (control.Charging, error) {
	if c.Amount != "12.34" {
		return control.Charging{}, &control.Error{Code: control.CodeNotCharged, Text: "line " + line + " was not armed: an amount is digits and a point", Remedy: "flattone charge --help says what goes"}
	}
	if c.Reference == "nobody" {
		return control.Charging{}, &control.Error{Code: control.CodeGatewayAway, Text: "line " + line + " was not armed: the provider can't be reached", Remedy: "don't ask for the card"}
	}
	id, err := b.Arm(ctx, by, line, profile)
	return control.Charging{Capture: id, Payment: aPayment.ID, Later: c.Reference == "away"}, err
}

// aPayment is the one that the box has.
var aPayment = control.Payment{ID: "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", Capture: "cap_1", Line: "demo", Gateway: "till", Amount: "12.34", Currency: "EUR", Reference: "order-7",
	State: control.PaymentDeclined, Reason: "funds", Code: "51", Checks: control.Checks{CVV: "match", Postcode: "mismatch", Address: "unknown"},
	Bill: "pay_bbbbbbbbbbbbbbbbbbbbbbbbbb", Total: "20.00", Paid: "5.00", Left: "15.00", Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Changed: time.Date(2026, 3, 4, 5, 6, 9, 0, time.UTC)}

func (b *aBox) Payments(context.Context, int) ([]control.Payment, error) {
	return []control.Payment{aPayment}, nil
}

func (b *aBox) Payment(_ context.Context, id string) (control.Payment, error) {
	if id != aPayment.ID {
		return control.Payment{}, &control.Error{Code: control.CodeUnknownPayment, Text: "there is no such payment", Remedy: "flattone payment list has the newest"}
	}
	return aPayment, nil
}

func (b *aBox) Confirm(ctx context.Context, _ control.Actor, id string) (control.Payment, error) {
	if _, err := b.Payment(ctx, id); err != nil {
		return control.Payment{}, err
	}
	return control.Payment{}, &control.Error{Code: control.CodeWrongState, Text: "the payment isn't held", Remedy: "flattone payment show says how it stands"}
}

func (b *aBox) Cancel(ctx context.Context, _ control.Actor, id string) (control.Payment, error) {
	return b.Payment(ctx, id)
}

func (b *aBox) Act(_ context.Context, by control.Actor, id, kind, amount string) (control.Act, error) {
	if id != aPayment.ID || kind != "refund" {
		return control.Act{}, &control.Error{Code: control.CodeNotCharged, Text: "nothing was done: it is not approved", Remedy: "flattone payment show says how the payment stands"}
	}
	return control.Act{ID: "act_aaaaaaaaaaaaaaaaaaaaaaaaaa", Payment: id, Kind: kind, Amount: cmp.Or(amount, "12.34"), Currency: "EUR", By: by.String(), State: control.ActOpen, Created: aPayment.Created, Changed: aPayment.Changed}, nil
}

func (b *aBox) Rehearse(ctx context.Context, by control.Actor, line, profile string) (string, error) {
	id, err := b.Arm(ctx, by, line, profile)
	return "test_" + id, err
}

func (b *aBox) Disarm(_ context.Context, _ control.Actor, line string) error { return known(line) }

func (b *aBox) MoreTime(_ context.Context, _ control.Actor, line string) error { return known(line) }

func (b *aBox) Again(_ context.Context, _ control.Actor, line, field string) error {
	if field == "name" {
		return &control.Error{Code: control.CodeBadRequest, Text: `a card has no field "name"`, Remedy: "the fields are pan, expiry and cvv"}
	}
	return known(line)
}

func (b *aBox) Cover(_ context.Context, _ control.Actor, line string, _ bool) error {
	return known(line)
}

func (b *aBox) Acknowledge(_ context.Context, _ control.Actor, line string) error {
	if line == "demo" {
		return &control.Error{Code: control.CodeWrongState, Text: "the line is not held", Remedy: "there is nothing to acknowledge"}
	}
	return known(line)
}

func (b *aBox) Answer(_ context.Context, _ control.Actor, line string) error { return known(line) }

func (b *aBox) Dial(_ context.Context, _ control.Actor, line, number string) error {
	if line == "demo" && number != "+15550100" {
		return &control.Error{Code: control.CodeWrongState, Text: "that is no telephone number", Remedy: "flattone watch demo shows how it is"}
	}
	return known(line)
}

func (b *aBox) HangUp(_ context.Context, _ control.Actor, line string) error { return known(line) }

func (b *aBox) CallBegan(_ context.Context, _ control.Actor, line string) error { return known(line) }

func (b *aBox) CallEnded(_ context.Context, _ control.Actor, line string) error {
	if line == "demo" {
		return &control.Error{Code: control.CodeWrongState, Text: "calls are told only to others", Remedy: "flattone watch demo shows how it is"}
	}
	return known(line)
}

// Tune tells of a tuning as a line would: of one that is accepted, or of what the line's name says. The report is that of the last.
func (b *aBox) Tune(_ context.Context, _ control.Actor, line string) error {
	if err := known(line); err != nil {
		return err
	}
	tell := func(e control.Event) { e.Line, e.Kind, e.Time = line, control.KindTune, then; b.Feed.Publish(e) }
	tell(control.Event{Step: "quiet", Done: 0, Of: 3})
	tell(control.Event{Step: "caller_keys", Done: 0, Of: 8})
	tell(control.Event{Step: "caller_keys", Done: 8, Of: 8})
	b.report = acceptancetest.Good(line, "0123456789abcdef0123456789abcdef")
	b.report.Devices, b.report.Settings = "trunk and headset", "{}"
	switch b.tuning {
	case "refused", "refused once":
		b.tuning = strings.TrimSuffix(b.tuning, "refused once")
		b.report.Figures[slices.IndexFunc(b.report.Figures, func(f acceptance.Figure) bool { return f.Name == acceptance.Leak })].Value = -80
		tell(control.Event{Code: control.TuneRefused})
	case "vain":
		tell(control.Event{Code: "tune_timeout", Step: "loop"})
	default:
		tell(control.Event{Code: control.CodeOK})
	}
	return nil
}

// Test tells of a test as a line would: of one that goes on to its end, but where howls, cut or left is asked for.
func (b *aBox) Test(_ context.Context, by control.Actor, line string, test control.Test) error {
	if err := known(line); err != nil {
		return err
	}
	if test.Hz == 1004 {
		return &control.Error{Code: control.CodeBadRequest, Text: "1004 Hz is within 60 Hz of a tone", Remedy: "use 1020 Hz"}
	}
	tell := func(e control.Event) {
		e.Line, e.Kind, e.Time, e.Leg, e.Of = line, control.KindLegTest, then, test.Leg, test.Seconds
		b.Feed.Publish(e)
	}
	last := control.Event{Step: test.What, CallerDBm0: -63.1, AgentDBm0: -28.4}
	if test.What == control.TestLoopback {
		tell(control.Event{Step: control.TestReturn})
		last.Return = control.Return{ReturnDB: -18.2, ReturnMS: 40.5}
	}
	switch b.testing {
	case "howls":
		last.Step, last.Code, last.ReturnDB = control.TestReturn, control.CodeOK, -2
		tell(last)
		return nil
	case "cut":
		tell(control.Event{Step: test.What, Return: last.Return})
		last.Code = control.TestCut
		tell(last)
		return nil
	}
	tell(control.Event{Step: test.What, Return: last.Return})
	last.Done = 1
	tell(last)
	if b.testing != "left" {
		last.Done, last.Code = test.Seconds, control.CodeOK
		tell(last)
	}
	return nil
}

func (b *aBox) EndTest(_ context.Context, _ control.Actor, line string) error {
	b.left.Add(1)
	return known(line)
}

func (b *aBox) Acceptance(_ context.Context, line string) (acceptance.Report, error) {
	if b.report.Line != line {
		return acceptance.Report{}, &control.Error{Code: control.CodeUntuned, Text: "it was never tuned", Remedy: "flattone tune " + line}
	}
	return b.report, nil
}

// Reload does what it is told, and says so.
func (b *aBox) Reload(_ context.Context, _ control.Actor, force bool) (control.Reloaded, error) {
	if b.reload == nil {
		return control.Reloaded{}, &control.Error{Code: control.CodeNeedsRestart, Text: "not by a box of a test"}
	}
	return b.reload(force)
}

func (b *aBox) Restart(_ context.Context, _ control.Actor, line string, force bool) error {
	if line == "demo" && !force {
		return &control.Error{Code: control.CodeBusy, Text: "nothing was changed: a card is being taken on demo", Remedy: "wait until that is over"}
	}
	return known(line)
}

func (b *aBox) Tokens(_ context.Context, limit int) ([]control.Token, error) {
	all := []control.Token{
		{Token: "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb", Capture: "cap_1", Line: "demo", Brand: "visa", Last4: "4242", ExpiryMonth: 9, ExpiryYear: 2031, Created: then, Kind: control.KindVault, Expires: then.AddDate(1, 0, 0)},
		{Token: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa", Capture: "cap_0", Line: "demo", Brand: "amex", Last4: "0005", Created: then, Kind: control.KindFlight, Expires: then.AddDate(0, 0, 1),
			Hold: &control.Hold{By: "kurt", Reason: "a dispute", Since: then}},
	}
	return all[:min(limit, len(all))], nil
}

func (b *aBox) Holds(ctx context.Context, limit int) ([]control.Token, error) {
	all, err := b.Tokens(ctx, 2)
	return all[2-min(limit, 1):], err
}

func (b *aBox) ExportAudit(_ context.Context, _ control.Actor, to io.Writer) error {
	w, err := export.NewWriter(to, export.Header{Origin: "flattone-audit/box", Key: theKey, Exported: then})
	if err != nil {
		return err
	}
	return w.Close(nil)
}

func (b *aBox) BackUp(_ context.Context, _ control.Actor, to io.Writer) error {
	_, err := io.WriteString(to, "data\n")
	return err
}

func (b *aBox) BackUpKeys(_ context.Context, _ control.Actor, to io.Writer) error {
	_, err := io.WriteString(to, "keys\n")
	return err
}

func (b *aBox) BackUpPurgeLog(_ context.Context, _ control.Actor, to io.Writer) error {
	_, err := io.WriteString(to, "purged\n")
	return err
}

// theKey is of a log that is empty.
const theKey = "flattone-audit/box+3354ef00+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"

func (b *aBox) AuditKey() string { return theKey }

// Card knows the cards of Tokens, and one that was shredded.
func (b *aBox) Card(ctx context.Context, token string) (control.Token, error) {
	all, err := b.Tokens(ctx, 2)
	all = append(all, control.Token{Token: "tok_cccccccccccccccccccccccccc", Capture: "cap_2", Kind: control.KindFlight, Shredded: then, Why: "unresolved"})
	for _, k := range all {
		if k.Token == token {
			return k, err
		}
	}
	return control.Token{}, &control.Error{Code: control.CodeUnknownToken, Text: "no card has this token", Remedy: "flattone tokens lists them"}
}

func (b *aBox) HoldCard(ctx context.Context, _ control.Actor, token, _ string) error {
	_, err := b.Card(ctx, token)
	return err
}

func (b *aBox) ReleaseCard(ctx context.Context, by control.Actor, token string) error {
	return b.HoldCard(ctx, by, token, "")
}

func (b *aBox) ShredCard(ctx context.Context, by control.Actor, token string) error {
	k, err := b.Card(ctx, token)
	if k.Hold != nil {
		err = &control.Error{Code: control.CodeWrongState, Text: "the card is on hold", Remedy: "release it first"}
	}
	return err
}

// Vault is in the middle of a rotation when it is first looked at.
func (b *aBox) Vault(context.Context) (control.Vault, error) {
	left := 512 - 512*min(1, int64(b.looks.Add(1)-1))
	return control.Vault{Roots: []control.Root{{ID: "root_a", Kind: "tpm", Opened: true, Created: then}, {ID: "root_b", Kind: "custodians", Created: then}},
		Key: 2, KeySince: then, Records: 1024 - left, Remaining: left, RetentionS: 395 * 24 * 3600, Held: 1, NextPurge: then.AddDate(0, 0, 1), Counted: then,
		Cards: map[string]int64{control.KindVault: 1000, control.KindFlight: 24}}, nil
}

func (b *aBox) RotateKey(context.Context, control.Actor) (int64, error) { return 2, nil }

// AddRoot asks custodians the first time, and has none the second.
func (b *aBox) AddRoot(context.Context, control.Actor) (control.RootChange, error) {
	if b.looks.Add(1) > 1 {
		return control.RootChange{Root: "root_c"}, nil
	}
	return control.RootChange{Ceremony: "abc"}, nil
}

func (b *aBox) DropRoot(_ context.Context, _ control.Actor, id string) (control.RootChange, error) {
	if id == "root_a" {
		return control.RootChange{}, &control.Error{Code: control.CodeWrongState, Text: "this vault was opened by that root", Remedy: "open it by another one first"}
	}
	return control.RootChange{Root: id}, nil
}

func (b *aBox) AskExport(_ context.Context, _ control.Actor, to, tenant string) (string, error) {
	if to != "newpsp" {
		return "", &control.Error{Code: control.CodeBadRequest, Text: "there is no such recipient", Remedy: "there are: newpsp"}
	}
	to += tenant
	b.exporting.Store(&to)
	return "c2", nil
}

// Exports has one of each sort once there was one.
func (b *aBox) Exports(context.Context) ([]control.Export, error) {
	if b.exporting.Load() == nil {
		return nil, nil
	}
	one := control.Export{ID: "exp_c", By: "carla", To: "newpsp", Key: "0123456789abcdef0123", Began: then, Of: 1024, Cards: 512}
	failed, done := one, one
	failed.ID, failed.Ended, failed.Failed = "exp_b", then, "the disk is full\x1b[31m"
	done.ID, done.Ended, done.Tenant, done.Cards, done.File, done.SHA256 = "exp_a", then, "shop", 1023, "/var/lib/flattone/exports/newpsp-exp_a.age", "00ff"
	return []control.Export{one, failed, done}, nil
}

func (b *aBox) Undelivered(_ context.Context, p control.Pick, dead bool, _ int) ([]control.Undelivered, error) {
	all := []control.Undelivered{
		{ID: "evt_a", Destination: "crm", Type: "card.captured", Capture: "cap_a", Queued: then, Dead: true, Tries: 3, Status: 422, Reason: "the receiver answered 422\x1b[31m"},
		{ID: "evt_b", Destination: "crm", Type: "card.shredded", Capture: "cap_a", Queued: then, Behind: true},
		{ID: "evt_c", Destination: "erp", Type: "card.captured", Capture: "cap_b", Queued: then, Due: then, Tries: 1, Reason: "connection refused"},
		{ID: "evt_d", Destination: "erp", Type: "card.captured", Capture: "cap_c", Queued: then, Due: then},
	}
	return slices.DeleteFunc(all, func(u control.Undelivered) bool {
		return dead && !u.Dead || p.Destination != "" && p.Destination != u.Destination
	}), nil
}

func (b *aBox) Replay(_ context.Context, _ control.Actor, p control.Pick) (int64, error) {
	if p.ID == "evt_x" {
		return 0, &control.Error{Code: control.CodeWrongState, Text: "there is no such dead letter", Remedy: "flattone upstream list --dead says which there are"}
	}
	return 2, nil
}

func (b *aBox) Drop(_ context.Context, _ control.Actor, p control.Pick, reason string) (int64, error) {
	if reason == "" {
		return 0, &control.Error{Code: control.CodeBadRequest, Text: "nothing was dropped: it needs a reason", Remedy: "say why"}
	}
	return 1, nil
}

func (b *aBox) Resume(context.Context, control.Actor, string) error { return nil }

func (b *aBox) Certificates(context.Context) ([]control.Certificate, error) {
	return []control.Certificate{{Kind: "purge-2026Q1", Note: "a purge\n\n\u2014 box x\n", Created: then}, {Kind: "key-1", Note: "a key\x1b[31m\n\n\u2014 box y\n", Created: then}}, nil
}

func (b *aBox) Audit(context.Context, control.Actor, int) ([]control.AuditEntry, error) {
	return []control.AuditEntry{
		{Seq: 1234, Time: then, Actor: "line trunk-1", Action: "card.sealed", Object: "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb", Result: "ok" + b.planted, Origin: "capture cap_aaaaaaaaaaaaaaaaaaaaaaaaaa", Clock: "synchronised"},
		{Seq: 1233, Time: then, Actor: "root", Action: "line.armed", Object: "line trunk-1", Origin: "admin socket",
			Result: "the line is busy with a card: wait until it is idle, or end that with flattone disarm", Clock: "synchronised"},
		{Seq: 1232, Time: then, Actor: "flattoned", Action: "daemon.started", Object: "audit log", Result: "ok", Origin: "daemon", Clock: "not synchronised"},
		{Seq: 12, Time: then, Actor: "root", Action: "line.arm", Object: "line trunk-1", Result: "asked", Origin: "admin socket", Clock: "synchronised"},
	}, nil
}

func (b *aBox) Subscribe(ctx context.Context) <-chan control.Event {
	events := b.Feed.Subscribe(ctx)
	b.watchers <- struct{}{}
	return events
}

// aCapture is what a line tells of one good capture, meters left out.
func aCapture(line, capture string) []control.Event {
	e := func(e control.Event) control.Event { e.Line, e.Capture, e.Time = line, capture, then; return e }
	all := []control.Event{e(control.Event{Kind: control.KindState, State: control.StateArmed})}
	for i, f := range []string{"pan", "expiry", "cvv"} {
		for n := range []int{16, 4, 3}[i] {
			all = append(all, e(control.Event{Kind: control.KindKey, Field: f, Stars: n + 1}))
			if i+n == 0 {
				all = append(all, e(control.Event{Kind: control.KindState, State: control.StateKeying}))
			}
		}
		v := control.Event{Kind: control.KindVerdict, Field: f, Code: control.CodeOK}
		if f == "pan" {
			v.Brand, v.Last4 = "visa", "4242"
		}
		all = append(all, e(v))
	}
	const token = "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb"
	return append(all,
		e(control.Event{Kind: control.KindToken, Token: token, Brand: "visa", Last4: "4242"}),
		e(control.Event{Kind: control.KindState, State: control.StateDone}),
		e(control.Event{Kind: control.KindDelivery, Token: token, Delivery: control.DeliveryPending}),
		e(control.Event{Kind: control.KindDelivery, Token: token, Delivery: control.DeliveryDelivered}))
}
