package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
)

// One note, the keys that its reader knows, and Go's verdicts on the note and on its mutations. A verdict is one
// letter: a for accepted, m for malformed, i for an invalid signature by a known key, u for no signature by a known key.
// An upper-case letter says that a signature line is base64 with bits after its last byte, which Go's decoder ignores.
// r is accepted by Go, although a second line of a known key does not verify: Go looks only at the first.
type judged struct {
	Note  string   `json:"note"`
	Keys  []string `json:"keys"`
	Whole string   `json:"whole"`
	// Bit p % 8 of byte p is flipped.
	Flips string `json:"flips"`
	// The note ends before byte p.
	Cuts string `json:"cuts"`
	// Line k is missing, is there twice, or is exchanged with the next one.
	Drops   string `json:"drops"`
	Doubles string `json:"doubles"`
	Swaps   string `json:"swaps"`
}

var texts = []string{
	"One line.\n",
	"trefoil charter v1\nversion 4\ndomain eu-enclave\n",
	"Two\nlines, and an empty one:\n\nthen more.\n",
	"Grüße, καλημέρα, 你好, \U0001F600\n",
	"\n",
	"\n\n\n",
	"The next line only looks like a signature.\n\n— bela.example AAAAAA==\n",
	"Ends with a space \n and begins with one\n",
	"A byte order mark \ufeff and a DEL \x7f and an object replacement \ufffd\n",
	strings.Repeat("A long line of words. ", 20) + "\n",
}

const checkpoint = "log.example/%d\n%d\n%s\n"

func writeNotes() {
	var keys, cosigners []key
	for _, name := range []string{"anna.example", "bela.example/dpo", "Čen.example", "d"} {
		keys = append(keys, newKey(name, 1))
		cosigners = append(cosigners, newKey(name, 4))
	}
	var all []judged
	for i := range 100 {
		text := texts[i/2%len(texts)]
		signers := keys
		if i%5 == 4 {
			root := sha256.Sum256(fmt.Appendf(nil, "root %d", i))
			text = fmt.Sprintf(checkpoint, i, i*i*i, base64.StdEncoding.EncodeToString(root[:]))
			if i%2 == 0 {
				text += "an extension line\n"
			}
			signers = []key{keys[0], cosigners[1], cosigners[2], keys[3]}
		}
		var lines, known []string
		for j := range 1 + i%4 {
			signer := signers[(i/4+j)%len(signers)]
			lines = append(lines, signer.line(text, 1_700_000_000+uint64(i)))
			// Of several signers, every third one is unknown to the reader.
			if j == 0 || (i+j)%3 != 0 {
				known = append(known, signer.vkey())
			}
		}
		switch i % 7 {
		case 1: // A signature of a type that nobody here knows.
			sum := sha256.Sum256(fmt.Appendf(nil, "signature %d", i))
			lines = append([]string{line("other.example", append(sum[:], sum[:]...))}, lines...)
		case 3: // The first line a second time.
			lines = append(lines, lines[0])
		case 5: // The name of a known key under another key hash.
			lines = append(lines, line(signers[0].name, []byte{1, 2, 3, 4, 5}))
		}
		n := text + "\n" + strings.Join(lines, "")
		all = append(all, judge(n, known))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for _, one := range all {
		if err := encoder.Encode(one); err != nil {
			panic(err)
		}
	}
}

func judge(n string, vkeys []string) judged {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		encoded := strings.SplitN(vkey, "+", 3)[2]
		if must(base64.StdEncoding.DecodeString(encoded))[0] == 4 {
			verifiers = append(verifiers, must(torchwood.NewCosignatureVerifier(vkey)))
		} else {
			verifiers = append(verifiers, must(note.NewVerifier(vkey)))
		}
	}
	j := judged{Note: n, Keys: vkeys, Whole: verdict(n, verifiers)}
	for p := range len(n) {
		flipped := []byte(n)
		flipped[p] ^= 1 << (p % 8)
		j.Flips += verdict(string(flipped), verifiers)
		j.Cuts += verdict(n[:p], verifiers)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(n, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	for k := range lines {
		before, after := strings.Join(lines[:k], ""), strings.Join(lines[k+1:], "")
		j.Drops += verdict(before+after, verifiers)
		j.Doubles += verdict(before+lines[k]+lines[k]+after, verifiers)
		if k+1 < len(lines) {
			j.Swaps += verdict(before+lines[k+1]+lines[k]+strings.Join(lines[k+2:], ""), verifiers)
		}
	}
	return j
}

func verdict(n string, verifiers []note.Verifier) string {
	_, err := note.Open([]byte(n), note.VerifierList(verifiers...))
	letter := "a"
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &invalid) {
		letter = "i"
	} else if errors.As(err, &unverified) {
		letter = "u"
	} else if err != nil {
		return "m"
	}
	// Go verifies while it reads, and stops at the first fault. Without keys it reads the whole note.
	if _, err := note.Open([]byte(n), nil); !errors.As(err, &unverified) {
		return "m"
	}
	text, lines := n[:strings.LastIndex(n, "\n\n")+1], n[strings.LastIndex(n, "\n\n")+2:]
	for one := range strings.Lines(lines) {
		_, encoded, _ := strings.Cut(strings.TrimPrefix(one, "— "), " ")
		if _, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(encoded, "\n")); err != nil {
			return strings.ToUpper(letter)
		}
		if _, err := note.Open([]byte(text+"\n"+one), note.VerifierList(verifiers...)); letter == "a" && errors.As(err, &invalid) {
			letter = "r"
		}
	}
	return letter
}
