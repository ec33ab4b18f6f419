package control

import (
	"context"
	"io"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/health"
)

// Backend is the daemon behind the socket. Its methods are called from many goroutines at once, with a
// context that ends when the client goes away. An [*Error] it returns reaches the client as it is; any other
// error is reported as the daemon's own fault ([CodeInternal]).
type Backend interface {
	// Status is the health of the box at a glance.
	Status(context.Context) (Status, error)
	// Lines are all configured lines, in the order of the config, whether their processes run or not.
	Lines(context.Context) ([]Line, error)
	// Profiles are what a card may be asked for by, in the order of their names.
	Profiles(context.Context) ([]Profile, error)
	// Devices are the sound devices of the box, adopted or not. To look at one that is free it is opened for a moment.
	Devices(context.Context) ([]Device, error)
	// ProbeModem asks the modem at a serial port, which no line has, what it is; [CodeNoModem] if nobody there answers.
	ProbeModem(ctx context.Context, port string) (Modem, error)

	// Arm readies the line for a card of the given profile; an empty profile is the line's own. It answers
	// with the id of the capture it began.
	Arm(ctx context.Context, by Actor, line, profile string) (capture string, err error)
	// Rehearse is Arm for a rehearsal: no number is taken but the public ones of tests, nothing is stored and nobody told upstream. All that is told of it bears Test.
	Rehearse(ctx context.Context, by Actor, line, profile string) (capture string, err error)
	// Disarm gives up the line's capture. What was keyed is forgotten; masking ends late, as always.
	Disarm(ctx context.Context, by Actor, line string) error
	// MoreTime starts the line's time-outs again.
	MoreTime(ctx context.Context, by Actor, line string) error
	// Again has a field of the card keyed anew: pan, expiry or cvv, as far as it has been keyed, or for "" the present one. What was keyed of it is forgotten, and told as
	// an event of [KindKey] without stars. [CodeWrongState] where no card is being taken, or it is complete.
	Again(ctx context.Context, by Actor, line, field string) error
	// Cover has the caller replaced by noise for the agent, at once, or no longer, whatever the line is doing: a caller may be about to say digits. It ends with the call, too, and
	// when the agent dials an emergency number. That it is on, or over, is told as an event of [KindCover].
	Cover(ctx context.Context, by Actor, line string, on bool) error
	// Acknowledge is somebody's word that a held line may be released; it goes once it has been quiet.
	Acknowledge(ctx context.Context, by Actor, line string) error
	// CallBegan and CallEnded tell a line of its calls, where it is set to be told by this.
	CallBegan(ctx context.Context, by Actor, line string) error
	CallEnded(ctx context.Context, by Actor, line string) error

	// Answer takes the call that rings on the line's modem, Dial begins one, HangUp ends it. They are done once the modem was told; how it
	// goes on is told as events of [KindCall] and [KindRing].
	Answer(ctx context.Context, by Actor, line string) error
	Dial(ctx context.Context, by Actor, line, number string) error
	HangUp(ctx context.Context, by Actor, line string) error

	// Tune begins to measure an idle line that is being installed, which Disarm ends. How it goes is told as events of [KindTune].
	Tune(ctx context.Context, by Actor, line string) error
	// Test begins a test of one leg of a line that is idle and in no call. How it goes is told as events of [KindLegTest]. It gives way to all else: a call, arming,
	// Disarm, whatever is wrong with the line.
	Test(ctx context.Context, by Actor, line string, t Test) error
	// EndTest ends a test, and nothing else; it fails with [CodeWrongState] where there is none.
	EndTest(ctx context.Context, by Actor, line string) error
	// Acceptance is the last report of a line's tuning; [CodeUntuned] if there is none.
	Acceptance(ctx context.Context, line string) (acceptance.Report, error)

	// Reload reads the configuration anew and has the lines go by it: those of it that are new begin, those that it no longer has end, and those
	// whose settings are others start again. All else is left alone. It changes nothing if it fails: with [CodeBadConfig]; with [CodeNeedsRestart], if
	// what only a start of flattoned changes is another; or, unless it is forced, with [CodeBusy] while one of those lines takes a card.
	Reload(ctx context.Context, by Actor, force bool) (Reloaded, error)
	// Restart has a line's process stopped and started; unless it is forced, not while it takes a card.
	Restart(ctx context.Context, by Actor, line string, force bool) error

	// Tokens are the newest entries of the vault, newest first, at most limit.
	Tokens(ctx context.Context, limit int) ([]Token, error)
	// Holds are those that are on hold, held last first, at most limit.
	Holds(ctx context.Context, limit int) ([]Token, error)
	// Card is what may be seen of one card; [CodeUnknownToken] if there never was one.
	Card(ctx context.Context, token string) (Token, error)
	// HoldCard keeps a card from being shredded, ReleaseCard ends that, ShredCard has it deleted for good.
	HoldCard(ctx context.Context, by Actor, token, reason string) error
	ReleaseCard(ctx context.Context, by Actor, token string) error
	ShredCard(ctx context.Context, by Actor, token string) error
	// Vault is how the vault, its keys and what it holds are. It counts, which with millions of cards takes a second.
	Vault(context.Context) (Vault, error)
	// RotateKey makes a new version of the vault's key, and answers with its number; [CodeVaultLocked] if nobody has opened it. What lies under older ones is
	// sealed anew after that, and [Backend.Vault] says how far that is.
	RotateKey(ctx context.Context, by Actor) (version int64, err error)
	// AddRoot has the root that the configuration names now open the vault, too; DropRoot has one no longer do so, by its id. Where there are custodians,
	// either begins the ceremony in which they agree first.
	AddRoot(ctx context.Context, by Actor) (RootChange, error)
	DropRoot(ctx context.Context, by Actor, id string) (RootChange, error)
	// Certificates are all that the vault has signed, newest first.
	Certificates(context.Context) ([]Certificate, error)

	// Audit is the end of the audit log, newest first, at most limit. That it was read is noted after.
	Audit(ctx context.Context, by Actor, limit int) ([]AuditEntry, error)

	// ExportAudit writes the whole audit log to to, which is noted before. AuditKey is its public key.
	ExportAudit(ctx context.Context, by Actor, to io.Writer) error
	AuditKey() string

	// BackUp writes a backup of the data to to, which is noted; BackUpKeys one of the keys, as the custodians have them; BackUpPurgeLog the cards that were shredded, for a
	// restore of an older backup.
	BackUp(ctx context.Context, by Actor, to io.Writer) error
	BackUpKeys(ctx context.Context, by Actor, to io.Writer) error
	BackUpPurgeLog(ctx context.Context, by Actor, to io.Writer) error

	// CheckFactor takes a code of the person's second factor, or says why it doesn't; an empty one, what it takes. It keeps its own account of wrong ones.
	CheckFactor(ctx context.Context, by Actor, code string) error
	// EnrollFactor makes the person a second factor, and answers with what an authenticator reads, once.
	EnrollFactor(ctx context.Context, by Actor) (uri string, err error)
	// ForgetFactor has somebody's second factor no longer be one.
	ForgetFactor(ctx context.Context, by Actor, person string) error

	Bonding
	Custodians
	Exporting
	Pairer
	Paying
	Telling

	// Refused has the audit log know that somebody was turned away, from which call and why. The server sees to it that this is not done too often.
	Refused(ctx context.Context, by Actor, call, result string) error

	// Subscribe answers with the events from now on, the present state of every line first. The channel is
	// closed when ctx ends, or after a [KindCut] event when its reader is too slow. See [Feed].
	Subscribe(context.Context) <-chan Event
}

// PendingUnknown is said of how much waits where that can't be read.
const PendingUnknown = -1

// Status is the box at a glance.
type Status struct {
	// Version is flattoned's.
	Version string `json:"version"`
	// PID is flattoned's, Started when it started.
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// ConfigFile is what flattoned reads its configuration from. Settings stand for what it read of it, lines apart, when it started.
	ConfigFile string `json:"config_file"`
	Settings   string `json:"settings"`
	// StateDir is where the vault, the outbox and the audit log lie.
	StateDir string `json:"state_dir"`
	// KeyKind says what keeps the vault's key.
	KeyKind string `json:"key_kind"`
	// Destinations are who is told upstream, in the order of their names.
	Destinations []Destination `json:"destinations"`
	// UpstreamPending counts the events that upstream has not yet taken, each for each destination, or is [PendingUnknown].
	UpstreamPending int `json:"upstream_pending"`
	// LinesUp and LinesTotal count the line processes that run and the lines in the config.
	LinesUp    int `json:"lines_up"`
	LinesTotal int `json:"lines_total"`
	// Conditions are all that is wrong with the box and its lines, the gravest first.
	Conditions []health.Condition `json:"conditions"`
}

// What may keep the vault's key.
const (
	KeyFile       = "file"
	KeyTPM        = "tpm"        // this machine's TPM, asked by systemd or by flattoned
	KeyHost       = "host"       // a credential of systemd's that the host's key opens, which lies on the same disk
	KeyCredential = "credential" // one that may be either
	KeyHSM        = "hsm"        // a token that is reached by PKCS#11
)

// Line is one line as it is now.
type Line struct {
	Name string `json:"name"`
	// Place is trunk-side or desk-side.
	Place string `json:"place"`
	// Scope says in one sentence what lies behind the box on this line.
	Scope string `json:"scope"`
	// Consequences are what the line's settings cost the owner in scope; empty for the safe settings.
	Consequences []string `json:"consequences,omitempty"`
	// Idle is mask or pass: what happens to keys while the line is not armed.
	Idle string `json:"idle"`
	// Shield is keys, run or field: how much of the rhythm is hidden.
	Shield string `json:"shield"`
	// Calls is what tells a live line when its calls begin and end: audio, api, gpio, serial, hid or modem.
	Calls string `json:"calls,omitempty"`
	// LookAheadMS is the fixed delay from caller to agent.
	LookAheadMS int `json:"look_ahead_ms"`
	// GainToAgentDB and GainToCallerDB amplify what the two sides are given.
	GainToAgentDB  float64 `json:"gain_to_agent_db,omitempty"`
	GainToCallerDB float64 `json:"gain_to_caller_db,omitempty"`
	// NeedsLookAheadMS is what that should be, on a line that is codec_poor: keys are suspected so late there that their heads may be
	// heard. 0 on any other.
	NeedsLookAheadMS int `json:"needs_look_ahead_ms,omitempty"`
	// Barred are the codes of what stands in the way of arming the line, as long as it does.
	Barred []string `json:"barred,omitempty"`

	// Up says whether the line's process runs and has said hello; PID, UpSince and what follows State are
	// only known then.
	Up      bool      `json:"up"`
	PID     int       `json:"pid,omitempty"`
	UpSince time.Time `json:"up_since,omitzero"`
	// NoRealTime says that the process should have real-time priority, and was refused it.
	NoRealTime bool `json:"no_real_time,omitempty"`
	// Restarts counts how often the process had to be started again since flattoned started.
	Restarts int `json:"restarts"`

	// Settings stand for what the line's process read of the configuration, or will read.
	Settings string `json:"settings,omitempty"`

	// State is one of the States.
	State string `json:"state"`
	// Capture is the id of the capture under way or just over.
	Capture string `json:"capture,omitempty"`
	// Test says that this capture is a rehearsal.
	Test bool `json:"test,omitempty"`
	// Reason is why the line is in that state, as a reason code, or why its process is down.
	Reason string `json:"reason,omitempty"`
	InCall bool   `json:"in_call"`
	// Bound is the agent who has proven that his call is on the line; empty where nobody has, and once that call is over.
	Bound string `json:"bound,omitempty"`
	// Ringing says that a call comes in, Number who calls, as far as the network says it by now.
	Ringing bool   `json:"ringing,omitempty"`
	Number  string `json:"number,omitempty"`
	// SourceLost says that what tells the line of its calls is away, so that they are only presumed.
	SourceLost bool `json:"source_lost,omitempty"`

	// Covered says that the caller is replaced by noise on purpose: somebody asked for it, or his phone speaks the keys.
	Covered bool `json:"covered,omitempty"`
	// MaskedPermille is the share of the last meter period in which the agent heard a synthesised sound.
	MaskedPermille int `json:"masked_permille"`
	// CallerDBm0 and AgentDBm0 are the levels of the two legs: the agent's as it enters the box, the caller's once it is masked.
	CallerDBm0 float64 `json:"caller_dbm0"`
	AgentDBm0  float64 `json:"agent_dbm0"`
	Legs
	// CallerInput and AgentInput are the codes of what is wrong with how sound comes in on the two legs: input_dead, input_clips,
	// gain_clips or clocks_apart; empty where nothing is.
	CallerInput string `json:"caller_input,omitempty"`
	AgentInput  string `json:"agent_input,omitempty"`
	// Recorder is the code of what is wrong with the line's own recordings: recorder_full, recorder_failed or recorder_behind; empty where nothing is, and
	// where there are none.
	Recorder string `json:"recorder,omitempty"`
}

// Legs is what is told of a line's two legs besides their levels. The caller's is heard well away from anything masked, and so tells no key.
type Legs struct {
	// CallerFloorDBm0 and AgentFloorDBm0 are the noise floors as they come in: the softest tenth of a second in half a minute. 0 is not known yet.
	CallerFloorDBm0 float64 `json:"caller_floor_dbm0,omitempty"`
	AgentFloorDBm0  float64 `json:"agent_floor_dbm0,omitempty"`
	// CallerClipped and AgentClipped count the frames that came in clipped since the line's process began, ToAgentClipped and
	// ToCallerClipped those that the gain toward that side clipped.
	CallerClipped   int64 `json:"caller_clipped,omitempty"`
	AgentClipped    int64 `json:"agent_clipped,omitempty"`
	ToAgentClipped  int64 `json:"to_agent_clipped,omitempty"`
	ToCallerClipped int64 `json:"to_caller_clipped,omitempty"`
}

// The legs of a line, as in Event.Leg.
const (
	LegCaller = "caller"
	LegAgent  = "agent"
)

// States of a line.
const (
	StateIdle   = "idle"   // no capture
	StateArmed  = "armed"  // waiting for the first key
	StateKeying = "keying" // the caller is keying
	StateDone   = "done"   // the card is in the vault
	StateVoid   = "void"   // the capture ended without a card
	StateHeld   = "held"   // closed until somebody says it may open
	StateTuning = "tuning" // closed while it is measured
	// StateTesting: closed while a technician tests a leg.
	StateTesting = "testing"
)

// Token is what may be known of a stored card.
type Token struct {
	Token string `json:"token"`
	// Capture is the capture it came from.
	Capture string `json:"capture"`
	Line    string `json:"line"`
	Brand   string `json:"brand"`
	Last4   string `json:"last4"`
	// ExpiryMonth is 1 to 12, ExpiryYear has four digits; both 0 where the profile asks for no expiry.
	ExpiryMonth int       `json:"expiry_month,omitempty"`
	ExpiryYear  int       `json:"expiry_year,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	// Kind is one of the Kinds. Expires is when the card is shredded, unless there is a Hold.
	Kind    string    `json:"kind"`
	Expires time.Time `json:"expires,omitzero"`
	Hold    *Hold     `json:"hold,omitempty"`
	// Shredded is when it was, Why one word for the reason. Only Token, Capture and Kind are known of it besides.
	Shredded time.Time `json:"shredded,omitzero"`
	Why      string    `json:"why,omitempty"`
}

// Hold is who keeps a card from being shredded, why, and since when.
type Hold struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Kinds of cards.
const (
	KindVault  = "vault"  // kept, and used again and again
	KindOnce   = "once"   // kept for one use
	KindOneWay = "oneway" // its number was never kept
	KindFlight = "flight" // not retained: it goes once what it is for has come out, and in a day at the latest
)

// Vault is the vault at a glance.
type Vault struct {
	Locked bool `json:"locked"`
	// Roots are what opens it, each by itself.
	Roots []Root `json:"roots"`
	// Key is the version of the key that seals, since KeySince; Records is how many cards lie under it, Remaining how many still lie under older ones.
	Key       int64     `json:"key"`
	KeySince  time.Time `json:"key_since,omitzero"`
	Records   int64     `json:"records"`
	Remaining int64     `json:"remaining"`
	// RetentionS is for how many seconds cards of kind vault are kept.
	RetentionS int64 `json:"retention_s"`
	// Cards are how many there are of each kind, Held how many of all are on hold. NextPurge is when the next is shredded. All three are of Counted, which is some
	// minutes ago where there are many.
	Cards     map[string]int64 `json:"cards"`
	Held      int64            `json:"held"`
	NextPurge time.Time        `json:"next_purge,omitzero"`
	Counted   time.Time        `json:"counted"`
}

// Root is what opens the vault.
type Root struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Opened: it is the one that did.
	Opened  bool      `json:"opened"`
	Created time.Time `json:"created"`
}

// RootChange is what came of asking for a root to be added or dropped.
type RootChange struct {
	// Root is its id, once it is done.
	Root string `json:"root,omitempty"`
	// Ceremony is the one in which custodians have to agree first; empty where there are none.
	Ceremony string `json:"ceremony,omitempty"`
}

// Certificate is a statement that the vault has signed with the audit log's key: of a key that was destroyed, or what was shredded in a quarter.
type Certificate struct {
	// Kind is key-VERSION or purge-QUARTER.
	Kind    string    `json:"kind"`
	Note    string    `json:"note"`
	Created time.Time `json:"created"`
}

// AuditEntry is one row of the audit log.
type AuditEntry struct {
	// Seq is the row's place in the log, from 0.
	Seq    int64     `json:"seq"`
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Object string    `json:"object"`
	Result string    `json:"result"`
	// Origin says which way the act came in: the admin socket, a line, the daemon itself.
	Origin string `json:"origin"`
	// Clock says how the box's clock was: synchronised, not synchronised, unknown.
	Clock string `json:"clock"`
}

// Reloaded is what a reload came to: the lines, by name, each once.
type Reloaded struct {
	Restarted []string `json:"restarted"`
	Begun     []string `json:"begun"`
	Ended     []string `json:"ended"`
	Untouched []string `json:"untouched"`
}

// TakingCard reports whether a line in that state is not to be stopped: a card is being taken on it, or it is being measured.
func TakingCard(state string) bool {
	return state == StateArmed || state == StateKeying || state == StateTuning
}

// holdRequest, rotateAnswer, armRequest, armAnswer, enrollAnswer, dialRequest and forceRequest are the bodies of the calls that have any.
type holdRequest struct {
	Reason string `json:"reason"`
}

type rotateAnswer struct {
	Version int64 `json:"version"`
}

type armRequest struct {
	Profile string `json:"profile,omitempty"`
}

type armAnswer struct {
	Capture string `json:"capture"`
}

type enrollAnswer struct {
	URI string `json:"uri"`
}

type againRequest struct {
	Field string `json:"field,omitempty"`
}

type coverRequest struct {
	On bool `json:"on"`
}

type dialRequest struct {
	Number string `json:"number"`
}

type forceRequest struct {
	Force bool `json:"force,omitempty"`
}
