// Prints the vectors of docs/spec/log-v1.md as tables. It shares no code with trefoil: entries are written by
// encoding/json and by hand, sealed subjects by crypto/aes, and the small log by golang.org/x/mod/sumdb.
//
//	cd test/reference/generators/log-v1 && go run .
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const at = 1796126400

// seeded returns bytes that a reader can compute again: SHA-256 of a text, cut.
func seeded(text string, length int) []byte {
	sum := sha256.Sum256([]byte("log-v1 vectors " + text))
	return sum[:length]
}

// base32 is Crockford's alphabet in lower case, most significant bit first.
func base32(b []byte) string {
	const symbols = "0123456789abcdefghjkmnpqrstvwxyz"
	var out strings.Builder
	var buffer, held uint
	for _, x := range b {
		buffer, held = buffer<<8|uint(x), held+8
		for held >= 5 {
			held -= 5
			out.WriteByte(symbols[buffer>>held&31])
		}
	}
	if held > 0 {
		out.WriteByte(symbols[buffer<<(5-held)&31])
	}
	return out.String()
}

// field is one member of an entry. A list of them keeps the order, which a map of Go would not.
type field struct {
	name  string
	value any
}

// entry writes an object with its members in the given order.
func entry(kind string, fields ...field) []byte {
	all := append([]field{{"trefoil", "log-v1"}, {"kind", kind}, {"at", at}}, fields...)
	var out bytes.Buffer
	for i, f := range all {
		out.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		fmt.Fprintf(&out, "%q:", f.name)
		out.Write(value(f.value))
	}
	out.WriteString("}")
	return out.Bytes()
}

// value writes JSON as JSON.stringify does: encoding/json, without its escapes for HTML. Maps are sorted by name.
func value(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		log.Fatal(err)
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}

func seal(key, pseudonym, random []byte) string {
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	out := make([]byte, 16)
	block.Encrypt(out, append(append([]byte{}, pseudonym...), random...))
	return base32(out)
}

// hashes is a tree in memory for tlog.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = h[index]
	}
	return out, nil
}

func encode(items ...[]byte) []byte {
	var out []byte
	for _, item := range items {
		out = binary.BigEndian.AppendUint32(out, uint32(len(item)))
		out = append(out, item...)
	}
	return out
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func main() {
	key := seeded("shard key", 32)
	pseudonym := seeded("pseudonym", 10)
	sealed := []string{}

	fmt.Printf("The shard key is SHA-256(`log-v1 vectors shard key`), the pseudonym the first 10 bytes of\nSHA-256(`log-v1 vectors pseudonym`), and *R* the first 6 bytes of SHA-256(`log-v1 vectors random` *i*).\n\n")
	fmt.Println("| sealed subject | value |\n|---|---|")
	fmt.Printf("| shard key | `%x` |\n| pseudonym | `%s` |\n", key, base32(pseudonym))
	for i := 0; i < 3; i++ {
		random := seeded(fmt.Sprintf("random %d", i), 6)
		sealed = append(sealed, seal(key, pseudonym, random))
		fmt.Printf("| *R* %d | `%x` |\n| sealed %d | `%s` |\n", i, random, i, sealed[i])
	}

	details := value(struct {
		Holder string   `json:"holder"`
		Rows   []int    `json:"rows"`
		Tokens []string `json:"tokens"`
	}{"desk <1> & “2”", []int{17, 18}, []string{"cust_0"}})
	nonce := seeded("nonce", 32)
	commit := sha256.Sum256(append(append([]byte{}, nonce...), details...))
	fmt.Printf("\nThe nonce is SHA-256(`log-v1 vectors nonce`).\n\n| commitment | value |\n|---|---|\n")
	fmt.Printf("| details | `%s` |\n| nonce | `%x` |\n| commit | `%x` |\n", cell(string(details)), nonce, commit)
	fmt.Printf("| opening | `{\"trefoil\":\"log-v1 opening\",\"nonce\":\"%x\",\"details\":%s}` |\n", nonce, cell(string(details)))

	warrant := hex.EncodeToString(seeded("warrant", 32))
	request := hex.EncodeToString(seeded("request", 32))
	committed := hex.EncodeToString(commit[:])
	signed := "trefoil warrant v1\ncase \"T\\1\"\n\n\u2014 chris.example AAAAAQ==\n"
	scopes := map[string]int{"vault:people/person.phone": 1, "seal:person.name": 3}
	used := []field{{"warrant", warrant}, {"n", 1}, {"scopes", scopes}, {"subjects", sealed}, {"bound", true},
		{"request", request}, {"commit", committed}}
	entries := [][]byte{
		entry("start", field{"host", "gateway-1"}, field{"boot", hex.EncodeToString(seeded("boot", 16))}),
		entry("charter", field{"note", signed}),
		entry("warrant", field{"note", signed}),
		entry("refusal", field{"note", signed}),
		entry("use", used...),
		entry("done", field{"entry", 4}, field{"opened", 4}, field{"failed", 0}, field{"refused", 0}),
		entry("forward", field{"client", "etl-1"}, field{"scope", "token:person.email"}, field{"verb", "protect"},
			field{"count", 10000}, field{"from", at}, field{"to", at + 60}),
		entry("deny", field{"code", "budget_spent"}, field{"count", 3}, field{"warrant", warrant}),
		entry("deny", field{"code", "warrant_unsigned"}, field{"count", 1}),
		entry("glass", used...),
		entry("ratified", field{"note", signed}),
		entry("key", field{"event", "made"}, field{"key", "epoch-2"}),
		entry("key", field{"event", "shared"}, field{"key", "epoch-2"}, field{"hash", warrant}),
		entry("erase", field{"commit", committed}),
		entry("beat"),
		entry("clock", field{"note", signed}),
		entry("carry", field{"of", "glass"}, field{"name", "chris"}, field{"count", 2}, field{"from", at - 60},
			field{"to", at}),
		entry("carry", field{"of", "rate"}, field{"name", "etl-1"}, field{"verb", "protect"},
			field{"scope", "token:person.email"}, field{"count", 7}, field{"from", at - 60}, field{"to", at}),
		entry("end", field{"verifierKey", "log.example/2028+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
			field{"checkpoint", signed}),
	}
	fmt.Printf("\nOne entry of each form, at %d. `boot`, `warrant` and `request` are SHA-256(`log-v1 vectors boot`) and so on,\ncut to their lengths. In the table a vertical bar would be written as `\\|`.\n\n", at)
	fmt.Println("| index | entry | leaf hash |\n|---|---|---|")
	tree := hashes{}
	for i, e := range entries {
		added, err := tlog.StoredHashes(int64(i), e, tree)
		if err != nil {
			log.Fatal(err)
		}
		tree = append(tree, added...)
		leaf := tlog.RecordHash(e)
		// A Hash has a String method, which %x would print; its bytes are wanted.
		fmt.Printf("| %d | `%s` | `%x` |\n", i, cell(string(e)), leaf[:])
	}

	private := ed25519.NewKeyFromSeed(seeded("log seed", 32))
	public := private.Public().(ed25519.PublicKey)
	const name = "log.example/2027"
	vkey, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		log.Fatal(err)
	}
	id := strings.Split(vkey, "+")[1]
	skey := "PRIVATE+KEY+" + name + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seeded("log seed", 32)...))
	signer, err := note.NewSigner(skey)
	if err != nil {
		log.Fatal(err)
	}
	root := func(n int) tlog.Hash {
		hash, err := tlog.TreeHash(int64(n), tree)
		if err != nil {
			log.Fatal(err)
		}
		return hash
	}
	size := len(entries)
	text := fmt.Sprintf("%s\n%d\n%s\n", name, size, root(size))
	checkpoint, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		log.Fatal(err)
	}
	proof, err := tlog.ProveRecord(int64(size), 4, tree)
	if err != nil {
		log.Fatal(err)
	}
	path := []string{}
	for _, hash := range proof {
		path = append(path, hash.String())
	}

	const from = 16
	var records []byte
	for _, e := range entries[from:] {
		records = binary.BigEndian.AppendUint16(records, uint16(len(e)))
		records = append(records, e...)
	}
	digest := sha256.Sum256(records)
	before := root(from)
	mac := hmac.New(sha256.New, seeded("journal key", 32))
	mac.Write(encode([]byte("log-v1 journal"), []byte(name), []byte("16"), before[:], []byte("3"), digest[:]))
	journal := []byte("trefoil log-v1 journal\n")
	journal = binary.BigEndian.AppendUint64(journal, from)
	journal = binary.BigEndian.AppendUint32(journal, 3)
	journal = binary.BigEndian.AppendUint32(journal, uint32(len(records)))
	journal = append(append(journal, records...), mac.Sum(nil)...)

	fmt.Printf("\nThe log of these entries. The seed of its Ed25519 key is SHA-256(`log-v1 vectors log seed`). The journal is that of\nthe last three entries after the first 16, under SHA-256(`log-v1 vectors journal key`). Lines of the checkpoint are\nseparated by `/` between spaces.\n\n")
	fmt.Println("| log | value |\n|---|---|")
	fmt.Printf("| private key | `%s` |\n| verifier key | `%s` |\n", skey, vkey)
	fmt.Printf("| checkpoint | `%s` |\n", strings.ReplaceAll(strings.TrimSuffix(string(checkpoint), "\n"), "\n", " / "))
	fmt.Printf("| inclusion proof of entry 4 | `%s` |\n", strings.Join(path, " "))
	fmt.Printf("| root at 16 | `%x` |\n| SHA-256 of the journal | `%x` |\n| tag of the journal | `%x` |\n", before[:], sha256.Sum256(journal), mac.Sum(nil))
}
