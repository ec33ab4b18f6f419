package daemon

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/flattone/flattone/daemon/clients"
	"github.com/flattone/flattone/daemon/clients/natsrpc"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/keys/tpm/tpmtest"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
	"github.com/flattone/flattone/daemon/upstream/signature"
)

// askedHouse is a house with two destinations on a bus, each with tokens of its own and a client: crm, which may do everything, and shop, which may only look.
func askedHouse(t *testing.T) (*house, *natstest.Server) {
	t.Helper()
	bus, h := natstest.New(t, nil), newHouse(t)
	bus.Stream("CARDS", "flattone.>")
	h.asked(bus)
	return h, bus
}

func (h *house) asked(bus *natstest.Server) {
	h.cfg.Upstream = nil
	for _, name := range []string{"crm", "shop"} {
		h.cfg.Upstream = append(h.cfg.Upstream, config.Destination{Name: name, Kind: config.KindJetStream, OwnTokens: true, Timeout: time.Second, FirstRetry: 10 * time.Millisecond,
			MaxRetry: time.Second, GiveUpAfter: time.Hour, JetStream: config.JetStream{URLs: []string{bus.URL()}, Stream: "CARDS", Subject: config.DefaultSubject}})
		h.write(name+".secret", "whsec_"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat(name, 8))), 0o600)
		h.cfg.Clients = append(h.cfg.Clients, config.Client{Name: name, Upstream: name, SecretFile: h.path(name + ".secret"), May: config.ClientVerbs(), Purposes: []string{"support"}, PerHour: 20})
	}
	h.cfg.Clients[1].May = []config.ClientVerb{config.ClientLookup}
}

// system is a client's side of the bus.
type system struct {
	t       *testing.T
	conn    *nats.Conn
	subject string
	secrets signature.Secrets
}

func (h *house) system(d *Daemon, bus *natstest.Server, name string) system {
	h.t.Helper()
	conn, err := nats.Connect(bus.URL())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(conn.Close)
	secrets, err := signature.New(strings.TrimSpace(h.read(name + ".secret")))
	if err != nil {
		h.t.Fatal(err)
	}
	box, err := boxName(d.cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return system{h.t, conn, natsrpc.Subject(box, name), secrets}
}

// signed is a request, as it is sent at a time.
func (a system) signed(id, body string, at time.Time) *nats.Msg {
	a.t.Helper()
	m := &nats.Msg{Subject: a.subject, Header: nats.Header{}, Data: []byte(body)}
	if err := a.secrets.Sign(m.Header, id, at, m.Data); err != nil {
		a.t.Fatal(err)
	}
	return m
}

// send sends a request, and is answered, with or without a signature. The box subscribes some time after it starts.
func (a system) send(m *nats.Msg) (answer clients.Answer, believed bool) {
	a.t.Helper()
	var reply *nats.Msg
	var err error
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		if reply, err = a.conn.RequestMsg(m, 10*time.Second); err == nil {
			break
		}
	}
	if err != nil {
		a.t.Fatal(err)
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		a.t.Fatal(err)
	}
	believed = a.secrets.Verify(reply.Header, reply.Data) == nil && reply.Header.Get(signature.HeaderID) == natsrpc.AnswerPrefix+m.Header.Get(signature.HeaderID)
	return answer, believed
}

// ask is answered with a signature.
func (a system) ask(id, body string) clients.Answer {
	a.t.Helper()
	answer, believed := a.send(a.signed(id, body, time.Now()))
	if !believed {
		a.t.Errorf("the answer to %s is not signed", id)
	}
	return answer
}

func (a system) refused(id, body string, code clients.Code) {
	a.t.Helper()
	if got := a.ask(id, body); got.Error == nil || got.Error.Code != code || got.Error.Text == "" || got.Error.Remedy == "" {
		a.t.Errorf("%s is answered %s, want %s", id, got.JSON(), code)
	}
}

// namesOf are what the destinations were told a card is, by their names.
func namesOf(t *testing.T, d *Daemon, token string) (names map[string]string) {
	t.Helper()
	err := d.store.Read(t.Context(), func(tx *store.Tx) (err error) {
		names, err = d.vault.Names(tx, token)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// taken is a card in the vault.
func (h *house) taken(d *Daemon) (token string) {
	h.t.Helper()
	events, line, client := h.serves(d)
	told := takesCard(h.t, line)
	if _, err := client.Arm(h.t.Context(), "desk-1", "card"); err != nil {
		h.t.Fatal(err)
	}
	token = wait(h.t, events, func(e control.Event) bool { return e.Kind == control.KindToken }).Token
	<-told
	return token
}

const about = `{"verb":%q,"purpose":"support","token":%q}`

// TestAClientAsks: what card a token stands for, and has it deleted, once; and what it is refused, of which the audit log has everything and the log nothing.
func TestAClientAsks(t *testing.T) {
	h, bus := askedHouse(t)
	d, _, _ := h.run()
	token := h.taken(d)
	names := namesOf(t, d, token)
	crm, shop := h.system(d, bus, "crm"), h.system(d, bus, "shop")

	for to, a := range map[string]system{"crm": crm, "shop": shop} {
		got := a.ask("look-1", fmt.Sprintf(about, "lookup", names[to])).Card
		if got == nil || got.Token != names[to] || got.Brand != "visa" || got.Last4 != "4242" || got.ExpiryMonth != 11 || got.ExpiryYear != 2031 || got.Expired || got.KeptUntil.Before(time.Now()) {
			t.Errorf("%s is told %+v", to, got)
		}
	}
	// Nobody learns anything of what others have.
	crm.refused("theirs", fmt.Sprintf(about, "lookup", names["shop"]), clients.UnknownToken)
	crm.refused("inside", fmt.Sprintf(about, "lookup", token), clients.UnknownToken)
	crm.refused("none", fmt.Sprintf(about, "lookup", "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"), clients.UnknownToken)
	shop.refused("may-not", fmt.Sprintf(about, "delete", names["shop"]), clients.NotAllowed)
	crm.refused("what-for", fmt.Sprintf(`{"verb":"lookup","purpose":"marketing","token":%q}`, names["crm"]), clients.NotAllowed)
	crm.refused("a-card", fmt.Sprintf(about, "lookup", visa), clients.BadRequest)
	crm.refused(visa, fmt.Sprintf(about, "lookup", names["crm"]), clients.BadRequest)
	crm.refused("garbled", `{"verb":`, clients.BadRequest)
	crm.refused("oversized", `{"verb":"`+strings.Repeat("x", clients.LongestBody)+`"}`, clients.BadRequest)

	// What isn't believed is answered without a signature.
	body := fmt.Sprintf(about, "lookup", names["crm"])
	byShop := shop
	byShop.subject = crm.subject
	forged := crm.signed("forged", body, time.Now())
	forged.Data = []byte(fmt.Sprintf(about, "delete", names["crm"]))
	reflected := crm.signed(natsrpc.AnswerPrefix+"look-1", body, time.Now())
	for name, m := range map[string]*nats.Msg{
		"another's secret": byShop.signed("other", body, time.Now()),
		"another body":     forged,
		"stale":            crm.signed("stale", body, time.Now().Add(-6*time.Minute)),
		"ahead":            crm.signed("ahead", body, time.Now().Add(6*time.Minute)),
		"no signature":     {Subject: crm.subject, Data: []byte(body)},
		"an answer":        reflected,
	} {
		if answer, believed := crm.send(m); believed || answer.Error == nil || answer.Error.Code != clients.NotBelieved {
			t.Errorf("%s is answered %s", name, answer.JSON())
		}
	}

	// A replayed request does what it did, which is nothing more.
	m := crm.signed("delete-1", fmt.Sprintf(about, "delete", names["crm"]), time.Now())
	for range 3 {
		if answer, believed := crm.send(m); !believed || !answer.Deleted {
			t.Errorf("a card is deleted: %s", answer.JSON())
		}
	}
	crm.refused("delete-1", body, clients.IDReused)
	crm.refused("delete-2", fmt.Sprintf(about, "delete", names["crm"]), clients.UnknownToken)
	if e, err := d.vault.Find(t.Context(), token); err != nil || e.Why != "asked" {
		t.Errorf("the card is %+v, %v", e, err)
	}
	for i := range 20 {
		if shop.ask(fmt.Sprintf("often-%d", i), fmt.Sprintf(about, "lookup", names["shop"])).Error.Code == clients.Quota {
			break
		}
	}
	shop.refused("too-often", fmt.Sprintf(about, "lookup", names["shop"]), clients.Quota)

	entries, err := d.audit.Recent(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range entries {
		if strings.HasPrefix(e.Action, "client.") {
			result, _, _ := strings.Cut(e.Result, ":")
			seen[e.Action+" "+result]++
		}
		if e.Action == "card.shredded" && (e.Actor != "client crm" || e.Object != token) {
			t.Errorf("the card was shredded: %+v", e)
		}
		if strings.Contains(fmt.Sprint(e), visa) {
			t.Errorf("the audit log has a card: %s", e.Action)
		}
	}
	for entry, least := range map[string]int{"client.answered ok": 3, "client.answered unknown_token": 4, "client.refused not_allowed": 2, "client.refused bad_request": 4,
		"client.refused not_believed": 6, "client.refused id_reused": 1, "client.refused quota": 1} {
		if seen[entry] < least {
			t.Errorf("the audit log has %q %d times, want %d: %v", entry, seen[entry], least, seen)
		}
	}
	for _, secret := range []string{visa, "marketing", names["crm"], names["shop"]} {
		if strings.Contains(h.log.String(), secret) {
			t.Error("the log has something of a request")
		}
	}
}

// TestAClientIsUnheard while the bus is away, and while the box may not hear it; and that is over by itself.
func TestAClientIsUnheard(t *testing.T) {
	h, bus := askedHouse(t)
	d, _, _ := h.run()
	crm := h.system(d, bus, "crm")
	lookup := fmt.Sprintf(about, "lookup", "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	crm.refused("before", lookup, clients.UnknownToken)
	crm.conn.Close()
	bus.Stop()
	until(t, "nobody is heard", func() bool {
		why, is := stands(d, health.ClientsUnheard)
		return is && strings.Contains(why, "crm: there is no connection to NATS")
	})
	bus.Start()
	h.system(d, bus, "crm").refused("after", lookup, clients.UnknownToken)
	until(t, "it is over", func() bool {
		_, is := stands(d, health.ClientsUnheard)
		return !is
	})
}

// TestAClientPaysBack a part of what a caller's card was charged, once, and sees how the payment stands; and charges no card whose holder hasn't agreed to it.
func TestAClientPaysBack(t *testing.T) {
	h, sim := chargingHouse(t)
	bus := natstest.New(t, nil)
	bus.Stream("CARDS", "flattone.>")
	h.asked(bus)
	h.cfg.Clients[0].Gateway, h.cfg.Clients[0].MostMinor = "till", 1000
	h.cfg.Profiles["stored"] = config.Profile{}
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	begun := charges(t, line, client, "", control.Charge{Amount: "12.34"})
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved })

	crm := h.system(d, bus, "crm")
	const refund = `{"verb":"refund","purpose":"support","payment":%q,"minor":%d}`
	crm.refused("much", fmt.Sprintf(refund, begun.Payment, 1001), clients.NotAllowed)
	for range 3 {
		if a := crm.ask("refund-1", fmt.Sprintf(refund, begun.Payment, 1000)); a.Act == nil || a.Act.Minor != 1000 || a.Act.Payment != begun.Payment {
			t.Fatalf("answered %s", a.JSON())
		}
	}
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindAct && e.State == "done" })
	crm.refused("refund-2", fmt.Sprintf(refund, begun.Payment, 1000), clients.Impossible) // as no more than 2.34 is left
	p := crm.ask("look", fmt.Sprintf(`{"verb":"payment","purpose":"support","payment":%q}`, begun.Payment)).Payment
	if p == nil || p.State != "approved" || p.Minor != 1234 || p.Taken != 1234 || p.Refunded != 1000 || p.Currency != "EUR" {
		t.Errorf("it stands %+v", p)
	}
	if b := sim.Books(gateway.Order{Key: begun.Payment}); b.Taken != 1234 || b.Returned != 1000 {
		t.Errorf("the provider's books have %+v", b)
	}

	told := takesCard(t, line)
	if _, err := client.Arm(t.Context(), "desk-1", "stored"); err != nil {
		t.Fatal(err)
	}
	token := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindToken }).Token
	<-told
	crm.refused("charge", fmt.Sprintf(`{"verb":"charge","purpose":"support","token":%q,"minor":1000,"currency":"EUR"}`, namesOf(t, d, token)["crm"]), clients.NoConsent)
}

// TestAClientCharges a card that is kept, by the consent that its holder gave on the phone: once, by an id.
func TestAClientCharges(t *testing.T) {
	h, sim := chargingHouse(t)
	bus := natstest.New(t, nil)
	bus.Stream("CARDS", "flattone.>")
	h.asked(bus)
	h.sealed(tpmtest.Start(t), "root.tpm") // cards are kept under a root that isn't on the disk
	h.cfg.Vault.DeskSide, h.cfg.Vault.Retention = true, 24*time.Hour
	h.cfg.Clients[0].Gateway, h.cfg.Clients[0].MostMinor = "till", 1000
	h.cfg.Profiles["card"] = config.Profile{Gateway: "till", Charge: config.Take, Offline: config.Refuse, Keep: config.KeepVault}
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	begun := charges(t, line, client, "", control.Charge{Amount: "12.34", Consent: true})
	approved := func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved }
	token := wait(t, events, approved).Token

	crm := h.system(d, bus, "crm")
	charge := fmt.Sprintf(`{"verb":"charge","purpose":"support","token":%q,"minor":1000,"currency":"EUR","reference":"june"}`, namesOf(t, d, token)["crm"])
	first := crm.ask("june", charge).Payment
	again := crm.ask("june", charge).Payment
	if first == nil || again == nil || *first != *again || first.ID == begun.Payment || first.Minor != 1000 || first.Reference != "june" {
		t.Fatalf("answered %+v, then %+v", first, again)
	}
	if e := wait(t, events, approved); e.Payment != first.ID || e.Token != token {
		t.Errorf("told %+v", e)
	}
	if b := sim.Books(gateway.Order{Key: first.ID}); b.Taken != 1000 || b.Charges != 1 {
		t.Errorf("the provider's books have %+v", b)
	}
}
