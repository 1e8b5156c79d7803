// Judges signed notes and signatures of Ed25519, ECDSA and SSH with Go's implementations, and writes their verdicts for
// the tests:
//
//	GOTOOLCHAIN=go1.27.3 go run . notes > ../../../note/go-verdicts.jsonl
//	GOTOOLCHAIN=go1.27.3 go run . ed25519 > ../../../kernel/curves/edges.jsonl
//	GOTOOLCHAIN=go1.27.3 go run . p256 > ../../../kernel/curves/p256-edges.jsonl
//	GOTOOLCHAIN=go1.27.3 go run . ssh > ../../../govern/officers/go-verdicts.jsonl
//
// Every run writes the same bytes. The keys are hashes of their names.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "notes" {
		writeNotes()
	} else if len(os.Args) == 2 && os.Args[1] == "ed25519" {
		writeEdges()
	} else if len(os.Args) == 2 && os.Args[1] == "p256" {
		writeP256()
	} else if len(os.Args) == 2 && os.Args[1] == "ssh" {
		writeSSH()
	} else {
		fmt.Fprintln(os.Stderr, "usage: go run . notes|ed25519|p256|ssh")
		os.Exit(2)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A key of signed notes of one type: 1 for notes, 4 for cosignatures of checkpoints.
type key struct {
	name    string
	kind    byte
	private ed25519.PrivateKey
}

func newKey(name string, kind byte) key {
	seed := sha256.Sum256(fmt.Appendf(nil, "a key for tests: %s %d", name, kind))
	return key{name, kind, ed25519.NewKeyFromSeed(seed[:])}
}

func (k key) typed() []byte {
	return append([]byte{k.kind}, k.private.Public().(ed25519.PublicKey)...)
}

func (k key) hash() []byte {
	sum := sha256.Sum256(append([]byte(k.name+"\n"), k.typed()...))
	return sum[:4]
}

func (k key) vkey() string {
	return fmt.Sprintf("%s+%x+%s", k.name, k.hash(), base64.StdEncoding.EncodeToString(k.typed()))
}

// The signature line of a text. The time is for cosignatures alone.
func (k key) line(text string, time uint64) string {
	var signature []byte
	if k.kind == 4 {
		signature = binary.BigEndian.AppendUint64(nil, time)
		signature = append(signature, ed25519.Sign(k.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", time, text))...)
	} else {
		signature = ed25519.Sign(k.private, []byte(text))
	}
	return line(k.name, append(k.hash(), signature...))
}

func line(name string, signature []byte) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
}
