package tpm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// lastPCR is the highest register that every PC has (TCG PC Client Platform TPM Profile, 4.6.2).
const lastPCR = 23

// judge says what is wrong with a list of registers. Eight is how many a TPM reads at a time.
func judge(pcrs []uint) error {
	if len(pcrs) == 0 || len(pcrs) > 8 {
		return fmt.Errorf("it is bound to %d registers; 1 to 8 are right", len(pcrs))
	}
	for _, pcr := range pcrs {
		if pcr > lastPCR {
			return fmt.Errorf("there is no PCR %d: they are 0 to %d", pcr, lastPCR)
		}
	}
	return nil
}

func selection(pcrs []uint) tpm2.TPMLPCRSelection {
	return tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(pcrs...)}}}
}

// registers reads what was measured. A register that nothing was measured into is refused: whatever anybody boots, it would be the same.
func registers(t transport.TPM, pcrs []uint) (map[uint][]byte, error) {
	if err := judge(pcrs); err != nil {
		return nil, err
	}
	now, err := tpm2.PCRRead{PCRSelectionIn: selection(pcrs)}.Execute(t)
	if err != nil {
		return nil, say(err)
	}
	if len(now.PCRValues.Digests) != len(pcrs) {
		return nil, errors.New("the TPM keeps no SHA-256 registers: switch that bank on in the firmware's set-up")
	}
	values := map[uint][]byte{}
	for i, pcr := range pcrs {
		values[pcr] = now.PCRValues.Digests[i].Buffer
		if bytes.Count(values[pcr], []byte{0}) == len(values[pcr]) {
			return nil, fmt.Errorf("nothing was measured into PCR %d, so it says nothing of what was booted: switch on measured boot (UEFI) in the firmware's set-up, or bind to another one", pcr)
		}
	}
	return values, nil
}

// changed names the registers that no longer are what they were, if that is why the TPM refuses.
func (f *file) changed(t transport.TPM, why error) error {
	if !errors.Is(why, ErrChanged) {
		return why
	}
	now, err := tpm2.PCRRead{PCRSelectionIn: selection(f.pcrs())}.Execute(t)
	if err != nil || len(now.PCRValues.Digests) != len(f.PCRs) {
		return why
	}
	var others []uint
	for i, pcr := range f.pcrs() {
		if !bytes.Equal(f.PCRs[pcr], now.PCRValues.Digests[i].Buffer) {
			others = append(others, pcr)
		}
	}
	return fmt.Errorf("PCR %d changed: %w", others, why)
}
