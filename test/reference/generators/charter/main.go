// Judges a charter by the tools of others: prints how many signatures of a note golang.org/x/mod/sumdb/note verifies
// with the keys of its lines `officer … keeper note VKEY`, how many lines are by keys that it does not know, and the
// SHA-256 of the text.
//
//	go run . ../../../../docs/examples/charter.note
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	signed, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var verifiers []note.Verifier
	for _, line := range strings.Split(string(signed), "\n") {
		words := strings.Fields(line)
		if len(words) != 5 || words[0] != "officer" || words[2] != "keeper" || words[3] != "note" {
			continue
		}
		verifier, err := note.NewVerifier(words[4])
		if err != nil {
			panic(err)
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		panic(err)
	}
	fmt.Printf("verified %d unknown %d sha256 %x\n", len(opened.Sigs), len(opened.UnverifiedSigs), sha256.Sum256([]byte(opened.Text)))
}
