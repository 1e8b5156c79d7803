// Judges proofs under policies with filippo.io/torchwood. It reads test/log/tree/torchwood.json on standard input, and
// writes it with its verdicts: for each policy, whether each proof verifies.
package main

import (
	"encoding/json"
	"log"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

type cases struct {
	Policies []string `json:"policies"`
	Proofs   []struct {
		Entry []byte `json:"entry"`
		Proof string `json:"proof"`
	} `json:"proofs"`
	Verdicts [][]bool `json:"verdicts"`
}

func main() {
	log.SetFlags(0)
	var all cases
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		log.Fatal(err)
	}
	all.Verdicts = nil
	for _, text := range all.Policies {
		var row []bool
		policy, err := torchwood.ParsePolicy([]byte(text))
		for _, p := range all.Proofs {
			isGood := err == nil && torchwood.VerifyProof(policy, tlog.RecordHash(p.Entry), []byte(p.Proof)) == nil
			row = append(row, isGood)
		}
		all.Verdicts = append(all.Verdicts, row)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(all); err != nil {
		log.Fatal(err)
	}
}
