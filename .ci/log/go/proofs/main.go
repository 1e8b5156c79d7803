// Judges proofs of log entries with torchwood: the lines of standard input are a policy, a proof, the file of the
// entry, and whether the proof must be accepted (yes or no).
package main

import (
	"bufio"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "proofs:", err)
		os.Exit(1)
	}
	return bytes
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var policyFile, proof, entry, wanted string
		if _, err := fmt.Sscan(lines.Text(), &policyFile, &proof, &entry, &wanted); err != nil {
			fmt.Fprintln(os.Stderr, "proofs: a line is not four words:", err)
			os.Exit(1)
		}
		policy, err := torchwood.ParsePolicy(read(policyFile))
		if err == nil {
			err = torchwood.VerifyProof(policy, tlog.RecordHash(read(entry)), read(proof))
		}
		if (err == nil) != (wanted == "yes") {
			fmt.Fprintf(os.Stderr, "proofs: %s under %s: wanted %s, got %v\n", proof, policyFile, wanted, err)
			os.Exit(1)
		}
		fmt.Printf("  %s under %s: accepted: %s\n", proof, policyFile, wanted)
	}
}
