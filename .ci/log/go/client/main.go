// A client of C2SP tlog-witness that shares no code with trefoil: it asks a witness to cosign checkpoints of a log of
// its own, and demands the answers of the specification. Arguments: the URL of the witness, its verifier key, and the
// private key of a log that the witness knows.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tree is a log in memory: the stored hashes of golang.org/x/mod/sumdb/tlog.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = t.hashes[index]
	}
	return out, nil
}

func (t *tree) grow(size int64, branch string) {
	for ; t.size < size; t.size++ {
		stored, err := tlog.StoredHashes(t.size, fmt.Appendf(nil, "entry %d%s", t.size, branch), t)
		check(err)
		t.hashes = append(t.hashes, stored...)
	}
}

func (t *tree) checkpoint(size int64, signer note.Signer) []byte {
	hash, err := tlog.TreeHash(size, t)
	check(err)
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, base64.StdEncoding.EncodeToString(hash[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err)
	return signed
}

func (t *tree) request(old, size int64, signer note.Signer) string {
	var body strings.Builder
	fmt.Fprintf(&body, "old %d\n", old)
	if old > 0 && old < size {
		proof, err := tlog.ProveTree(size, old, t)
		check(err)
		for _, hash := range proof {
			fmt.Fprintf(&body, "%s\n", base64.StdEncoding.EncodeToString(hash[:]))
		}
	}
	return body.String() + "\n" + string(t.checkpoint(size, signer))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func main() {
	url, vkey, skey := os.Args[1], os.Args[2], os.Args[3]
	witness, err := torchwood.NewCosignatureVerifier(vkey)
	check(err)
	signer, err := note.NewSigner(skey)
	check(err)

	post := func(what, body string, want int) string {
		response, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(body))
		check(err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		check(err)
		if response.StatusCode != want {
			check(fmt.Errorf("%s: got %d (%q), want %d", what, response.StatusCode, text, want))
		}
		if want == 409 && response.Header.Get("Content-Type") != "text/x.tlog.size" {
			check(fmt.Errorf("%s: 409 without the media type of a size", what))
		}
		fmt.Printf("  %s: %d\n", what, want)
		return string(text)
	}
	cosigned := func(what string, t *tree, old, size int64) {
		lines := post(what, t.request(old, size, signer), 200)
		opened, err := note.Open(append(t.checkpoint(size, signer), lines...), note.VerifierList(witness))
		check(err)
		time, err := torchwood.CosignatureTimestamp(opened.Sigs[0])
		check(err)
		if time == 0 {
			check(fmt.Errorf("%s: the cosignature has no time", what))
		}
	}

	honest, fork := &tree{}, &tree{}
	honest.grow(700, "")
	fork.grow(100, "")
	fork.grow(700, " of the fork")
	cosigned("first checkpoint", honest, 0, 100)
	cosigned("growth over two tiles", honest, 100, 600)
	cosigned("the same checkpoint again", honest, 600, 600)
	if size := post("an old size that is not the last", honest.request(100, 700, signer), 409); size != "600\n" {
		check(fmt.Errorf("409 names %q", size))
	}
	post("a rollback", honest.request(300, 300, signer), 409)
	post("a fork of the same size", fork.request(600, 600, signer), 422)
	post("a fork that is larger", fork.request(600, 700, signer), 422)
	post("no proof", "old 600\n\n"+string(honest.checkpoint(700, signer)), 422)
	post("an old size beyond the checkpoint", honest.request(600, 500, signer), 400)
	post("no checkpoint", "old 600\n\nhello\n", 400)
	other, _, err := note.GenerateKey(rand.Reader, signer.Name())
	check(err)
	stranger, err := note.NewSigner(other)
	check(err)
	post("another key of the log", honest.request(600, 700, stranger), 403)
	other, _, err = note.GenerateKey(rand.Reader, "unknown.example")
	check(err)
	unknown, err := note.NewSigner(other)
	check(err)
	post("an unknown log", honest.request(600, 700, unknown), 404)
	cosigned("growth after all that", honest, 600, 700)

	// The checkpoint that the witness serves, signed by both.
	response, err := http.Get(fmt.Sprintf("%s/%x/checkpoint", url, sha256.Sum256([]byte(signer.Name()))))
	check(err)
	served, err := io.ReadAll(response.Body)
	check(err)
	log, err := torchwood.NewVerifierFromSigner(skey)
	check(err)
	opened, err := note.Open(served, note.VerifierList(log, witness))
	check(err)
	if len(opened.Sigs) != 2 || !bytes.HasPrefix(served, []byte(signer.Name()+"\n700\n")) {
		check(fmt.Errorf("the witness serves another checkpoint than the last one"))
	}
	fmt.Println("  the checkpoint that the witness serves: signed by both")
}
