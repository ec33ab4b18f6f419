# flattone. `make demo` shows the product at work; `make test` runs every test; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STATICCHECK_VERSION := v0.8.2
NFPM_VERSION := v2.45.2
STRIPE_MOCK_VERSION := v0.197.0
BIN := build/bin
LAB := build/lab
PEERS := build/peers
PROFILE := audio/path/path.pgo
# Only hw/sound is C, and of what is shipped only flattone-line reaches it. The demonstration goes without.
GO := CGO_ENABLED=0 go
CGO := CGO_ENABLED=1 go

.PHONY: help build deb deb-arm64 package package-arm64 lab codecs recordings sound rig demo check test race e2e browser screenshots e2e-qemu box guest hangup proof campaign bench bench-vault bench-peers profile hsm fips postgres contracts words clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

build: sound ## the binaries as they are shipped, into build/bin
	@$(GO) build -trimpath -o $(BIN)/ ./cmd/flattone ./cmd/flattoned ./cmd/flattone-desk
	@$(CGO) build -trimpath -pgo $(PROFILE) -o $(BIN)/ ./cmd/flattone-line

NFPM := build/tools/nfpm-$(NFPM_VERSION)
deb: sound $(NFPM) ## the Debian package for this machine, into build/deb
	@NFPM=$(NFPM) packaging/build "$$(dpkg --print-architecture)"

deb-arm64: build/sysroot-arm64 $(NFPM) ## the same for 64-bit ARM
	@NFPM=$(NFPM) packaging/build arm64

# What a program with C is built against, of another architecture's Debian, without a word to this machine's dpkg.
build/sysroot-arm64:
	@.ci/need aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdlib.h:libc6-dev-arm64-cross mmdebstrap:mmdebstrap
	@mmdebstrap --quiet --arch=arm64 --variant=extract --include=portaudio19-dev,libasound2-dev,libc6-dev bookworm $@.new
	@mv $@.new $@

package: deb ## the package as others judge it: by lintian, by its parts, and built again in another folder
	@.ci/need lintian:lintian
	@NFPM=$(CURDIR)/$(NFPM) $(GO) test -count=1 -timeout 20m ./packaging

package-arm64: deb-arm64 ## that for 64-bit ARM, which runs in an emulator
	@.ci/need qemu-aarch64-static:qemu-user-static
	@$(GO) test -count=1 -run ARM64 ./packaging -sysroot $(CURDIR)/build/sysroot-arm64

lab: ## the binaries with the lab verbs (mask, judge) and an injectable date, into build/lab
	@test -e $(LAB)/demo || echo 'Building flattone, which takes some minutes the first time.'
	@$(GO) build -trimpath -tags lab -o $(LAB)/ ./cmd/... ./demo

demo: lab ## play a recorded call through the whole box; DEMO_FAST=1 as fast as it can, DEMO_CALL=amex-corrected another call
	@exec $(LAB)/demo -bin $(LAB) -calls data/calls -out build/demo -call $(or $(DEMO_CALL),visa) $(if $(DEMO_FAST),-fast)

codecs: build/codecs ## the speech codecs that proof/channels sends keys through, into build/codecs

build/codecs: proof/codecs/codecs.c
	@.ci/need gcc:gcc /usr/include/gsm/gsm.h:libgsm1-dev /usr/include/opencore-amrnb/interf_enc.h:libopencore-amrnb-dev \
		/usr/include/opencore-amrwb/dec_if.h:libopencore-amrwb-dev /usr/include/vo-amrwbenc/enc_if.h:libvo-amrwbenc-dev \
		/usr/include/opus/opus.h:libopus-dev /usr/include/speex/speex_preprocess.h:libspeexdsp-dev \
		/usr/include/spandsp/g726.h:libspandsp-dev
	@mkdir -p build
	@gcc -O2 -Wall -Wextra -Werror -o $@ $< -lgsm -lopencore-amrnb -lopencore-amrwb -lvo-amrwbenc -lopus -lspandsp -lspeexdsp -lm

sound: # what hw/sound is built from
	@.ci/need gcc:gcc stdlib.h:libc6-dev pkg-config:pkg-config portaudio.h:portaudio19-dev alsa/asoundlib.h:libasound2-dev

rig: sound # the JACK server that it is tested on, beside the virtual cards, the bus that stands for the system's, a journal, TPMs, a database server, and what records a power cut
	@.ci/need jack/jack.h:libjack-jackd2-dev jackd:jackd2 dbus-daemon:dbus-daemon /lib/systemd/systemd-journald:systemd swtpm:swtpm strace:strace /usr/lib/postgresql/15/bin/postgres:postgresql-15

SOUNDS := /usr/share/asterisk/sounds
recordings: # speech and music that proof measures with
	@.ci/need $(SOUNDS)/en_US_f_Allison:asterisk-core-sounds-en-wav $(SOUNDS)/es_MX_f_Allison:asterisk-core-sounds-es-wav \
		$(SOUNDS)/fr_CA_f_June:asterisk-core-sounds-fr-wav $(SOUNDS)/it_IT_m_Carlo:asterisk-core-sounds-it-wav \
		$(SOUNDS)/it_IT_f_Menardi:asterisk-prompt-it-menardi-wav $(SOUNDS)/ru_RU_f_IvrvoiceRU:asterisk-core-sounds-ru-wav \
		/usr/share/asterisk/moh/macroform-cold_day.wav:asterisk-moh-opsound-wav

words: ## the words that lines speak, recorded anew; they are in the repository
	@.ci/need espeak-ng:espeak-ng sox:sox
	@audio/words/recorded/record

build/tools/staticcheck-$(STATICCHECK_VERSION):
	@GOBIN=$(CURDIR)/build/tools $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv build/tools/staticcheck $@

$(NFPM):
	@GOBIN=$(CURDIR)/build/tools $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	@mv build/tools/nfpm $@

build/tools/stripe-mock-$(STRIPE_MOCK_VERSION):
	@GOBIN=$(CURDIR)/build/tools $(GO) install github.com/stripe/stripe-mock@$(STRIPE_MOCK_VERSION)
	@mv build/tools/stripe-mock $@

check: build/tools/staticcheck-$(STATICCHECK_VERSION) rig ## vet, staticcheck, house rules and unit tests; a minute when warm
	@$(CGO) vet ./...
	@$(CGO) vet -tags lab ./cmd/...
	@CGO_ENABLED=1 $< ./...
	@CGO_ENABLED=1 $< -tags lab ./cmd/...
	@$(CGO) test $$(go list ./... | grep -vE '/(e2e|e2e/box|e2e/browser|e2e/fleet|e2e/qemu|packaging|proof|proof/hangup)$$')
	@$(CGO) test -tags lab ./cmd/...

# Side by side: one mostly computes, the other mostly waits.
test: check ## every test: those of check, the race detector where there are goroutines, the whole end to end, the package in a machine with systemd, contacts in one with a kernel of its own, and the bounds of proof
	@$(MAKE) --no-print-directory package
	@$(MAKE) --no-print-directory package-arm64
	@$(MAKE) --no-print-directory -j2 --output-sync=target race e2e browser box guest hangup hsm fips postgres contracts
	@$(MAKE) --no-print-directory proof

# Packages without a goroutine or a lock have nothing to detect; -short repeats less of what check has computed in full.
# Without checkptr where PortAudio is: its binding makes a number of its own into a pointer. Modems run in virtual time, which gives way to the rest.
race: rig
	@$(CGO) test -race -short -timeout 10m ./hw/hwtest ./hw/wavline ./hw/contact ./audio/ring ./audio/path ./audio/resample \
		$$(go list ./daemon/... | grep -vE '/(audit|capture|config|host|line|private|secret)$$')
	@$(CGO) test -race -short -timeout 10m -gcflags=all=-d=checkptr=0 ./hw/sound ./daemon/line
	@CGO_ENABLED=1 nice -n 19 go test -race -short -timeout 10m ./hw/serial ./hw/hwtest/modem

# -count=1: e2e builds the binaries it tests, which the cache of test results knows nothing of.
e2e: rig codecs
	@$(GO) test -count=1 -timeout 20m ./e2e ./e2e/fleet

browser: rig ## the agents' panel in real Chromium: by keyboard, framed, by axe-core
	@.ci/need chromium:chromium
	@$(GO) test -count=1 -timeout 10m ./e2e/browser

screenshots: rig ## pictures of the panel, into docs/screenshots
	@.ci/need chromium:chromium
	@$(GO) test -count=1 -run Keyboard ./e2e/browser -screenshots $(CURDIR)/docs/screenshots

box: deb ## the package, installed in a container that boots a real systemd: calls, faults, power-off, upgrade, purge
	@.ci/box "$$(ls -t build/deb/flattone_*_"$$(dpkg --print-architecture)".deb | head -n 1)"

e2e-qemu: deb ## the package in an emulated machine: ALSA, serial ports, TPM, real-time limits, relay; not part of test: up to 45 min where the processor doesn't help
	@.ci/qemu "$$(ls -t build/deb/flattone_*_"$$(dpkg --print-architecture)".deb | head -n 1)" $(QEMU_TESTS)

# The only part of flattoned that is C: what an HSM is reached by.
hsm: build/tools/staticcheck-$(STATICCHECK_VERSION) ## flattoned with HSMs (tag pkcs11), into build/hsm, and what holds it to a token of SoftHSM2
	@.ci/need gcc:gcc stdlib.h:libc6-dev softhsm2-util:softhsm2 swtpm:swtpm
	@$(CGO) vet -tags pkcs11 ./daemon ./daemon/keys/hsm
	@CGO_ENABLED=1 $< -tags pkcs11 ./daemon/keys/hsm
	@$(CGO) build -tags pkcs11 -trimpath -o build/hsm/ ./cmd/flattoned
	@$(CGO) test -tags pkcs11 ./daemon/keys/hsm
	@$(CGO) test -tags pkcs11 -run CopiedDisk ./daemon

# With Go's frozen module, and nothing else allowed. The certified one, of Go 1.24, knows no HPKE, which daemon/vault has. Left out: daemon/keys/tpm, whose sessions
# are AES-CFB; and daemon/factor, whose codes are HMAC-SHA-1, as telephones have them.
fips: ## what seals, signs and keeps keys, with a FIPS 140-3 module and no other cryptography
	@GOFIPS140=v1.26.0 GODEBUG=fips140=only $(GO) test -short ./daemon/keys ./daemon/audit ./daemon/store ./daemon/vault ./daemon/custody
	@GOFIPS140=certified GODEBUG=fips140=only $(GO) test -short ./daemon/keys

# What check has tested on SQLite, whole but for what the tests give reasons for.
postgres: rig ## what keeps its rows in the store, with them in PostgreSQL
	@$(GO) test -timeout 20m ./daemon/audit ./daemon/backup ./daemon/clients ./daemon/custody ./daemon/export ./daemon/factor ./daemon/upstream ./daemon/vault -store postgres
	@$(GO) test -run EitherStore ./daemon/payment -store postgres

STRIPE_MOCK := build/tools/stripe-mock-$(STRIPE_MOCK_VERSION)
contracts: $(STRIPE_MOCK) build/tools/staticcheck-$(STATICCHECK_VERSION) ## connectors against what their providers publish of themselves
	@$(CGO) vet -tags stripemock ./daemon/gateway/stripe
	@CGO_ENABLED=1 build/tools/staticcheck-$(STATICCHECK_VERSION) -tags stripemock ./daemon/gateway/stripe
	@$(GO) test -count=1 -tags stripemock -run StripesOwn ./daemon/gateway/stripe -mock $(CURDIR)/$(STRIPE_MOCK)

guest: ## what needs kernel interfaces that a container lacks: contacts at GPIO lines, serial ports and headsets, in an emulated machine
	@.ci/guest ./hw/contact ./daemon/line:Contact

$(PEERS)/%: proof/peers/%.c
	@.ci/need gcc:gcc stdlib.h:libc6-dev spandsp.h:libspandsp-dev
	@mkdir -p $(PEERS)
	@gcc -O2 -Wall -Wextra -Werror -o $@ $< -lspandsp -lm

hangup: $(PEERS)/spandsp_hear
	@$(GO) test ./proof/hangup

proof: codecs recordings ## bounds on what is recognised, leaked and lost of speech; go run ./proof prints the tables
	@$(GO) test -timeout 20m ./proof

campaign: codecs recordings ## the long runs: fuzzing, kill -9, power cuts, the judge, the proof, the vault's bench, a fleet
	@.ci/campaign

bench: ## benchmarks of the sample path and the vault
	@$(GO) test -run '^$$' -bench . -benchmem ./audio/... ./daemon/...

bench-vault: ## the vault, empty and with RECORDS cards (default ten million: a quarter of an hour, 5 GB), on the disk of TMPDIR
	@$(GO) test -run TestScale -v -timeout 3h ./daemon/vault -records $(or $(RECORDS),10000000)

bench-peers: $(PEERS)/spandsp_bench ## what the whole sample path costs beside spandsp's detector: time and instructions a sample
	@.ci/need valgrind:valgrind
	@$(GO) build -pgo $(PROFILE) -o $(PEERS)/speed ./proof/speed
	@$(PEERS)/speed -peer $<

profile: ## where the sample path spends its time: what build optimises for
	@mkdir -p build
	@$(GO) test -run '^$$' -bench Path/^8000 -benchtime 20s -cpuprofile $(PROFILE) -o build/path.test ./audio/path

clean: ## remove what was built
	@rm -rf build
