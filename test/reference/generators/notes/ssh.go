package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/mod/sumdb/note"
)

// A note that a note key and a key of OpenSSH have signed, and what Go says about it. The signature of the second is
// written here from PROTOCOL.sshsig and PROTOCOL.u2f, and verified by golang.org/x/crypto/ssh.
type sshJudged struct {
	Name string `json:"name"`
	Note string `json:"note"`
	// The key of the first line, and of the second one: type and base64.
	Vkey string `json:"vkey"`
	Key  string `json:"key"`
	// How many lines golang.org/x/mod/sumdb/note has verified, and how many are by keys that it does not know.
	Verified int `json:"verified"`
	Unknown  int `json:"unknown"`
	// Whether this signature is one, by x/crypto. It demands a touch of every key on hardware.
	Valid bool `json:"valid"`
	// Of the bytes of the SSHSIG, bit p % 8 of byte p is flipped: a for accepted, r for refused.
	Flips string `json:"flips"`
}

const sshHandle = "bela"
const sshText = "trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n"

// The private half of a key of OpenSSH.
type sshPrivate struct {
	kind     string
	ed       ed25519.PrivateKey
	ec       *ecdsa.PrivateKey
	hardware string
}

func newSSH(kind, application string) sshPrivate {
	seed := sha256.Sum256([]byte("a key for tests: " + kind))
	if strings.Contains(kind, "ed25519") {
		return sshPrivate{kind, ed25519.NewKeyFromSeed(seed[:]), nil, application}
	}
	return sshPrivate{kind, nil, must(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])), application}
}

func (k sshPrivate) isHardware() bool {
	return strings.HasPrefix(k.kind, "sk-")
}

func (k sshPrivate) blob() []byte {
	parts := [][]byte{[]byte(k.kind)}
	if k.ed != nil {
		parts = append(parts, k.ed.Public().(ed25519.PublicKey))
	} else {
		parts = append(parts, []byte("nistp256"), must(k.ec.PublicKey.Bytes()))
	}
	if k.isHardware() {
		parts = append(parts, []byte(k.hardware))
	}
	return wireStrings(parts...)
}

// The signature field of an SSHSIG.
func (k sshPrivate) sign(message []byte, flags byte, counter uint32) []byte {
	tail := []byte{}
	if k.isHardware() {
		application, digest := sha256.Sum256([]byte(k.hardware)), sha256.Sum256(message)
		tail = append([]byte{flags}, wireUint32(counter)...)
		message = bytes.Join([][]byte{application[:], tail, digest[:]}, nil)
	}
	var signature []byte
	if k.ed != nil {
		signature = ed25519.Sign(k.ed, message)
	} else {
		digest := sha256.Sum256(message)
		// Without randomness the signature is that of RFC 6979.
		der := must(k.ec.Sign(nil, digest[:], crypto.SHA256))
		r, s := readDER(der)
		signature = wireStrings(mpint(r), mpint(s))
	}
	return append(wireStrings([]byte(k.kind), signature), tail...)
}

func readDER(der []byte) (r, s *big.Int) {
	// SEQUENCE { INTEGER r, INTEGER s }, whose lengths are all below 128.
	r = new(big.Int).SetBytes(der[4 : 4+der[3]])
	return r, new(big.Int).SetBytes(der[4+int(der[3])+2:])
}

func mpint(n *big.Int) []byte {
	bytes := n.Bytes()
	if len(bytes) > 0 && bytes[0] >= 0x80 {
		bytes = append([]byte{0}, bytes...)
	}
	return bytes
}

func wireUint32(n uint32) []byte {
	return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

func wireStrings(parts ...[]byte) []byte {
	var out []byte
	for _, part := range parts {
		out = append(append(out, wireUint32(uint32(len(part)))...), part...)
	}
	return out
}

// What is signed.
func sshMessage(namespace, hash, text string) []byte {
	var digest []byte
	if hash == "sha256" {
		sum := sha256.Sum256([]byte(text))
		digest = sum[:]
	} else {
		sum := sha512.Sum512([]byte(text))
		digest = sum[:]
	}
	return append([]byte("SSHSIG"), wireStrings([]byte(namespace), nil, []byte(hash), digest)...)
}

func writeSSH() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	anna := newKey("anna.example", 1)
	for _, kind := range []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"} {
		key := newSSH(kind, "ssh:")
		for _, hash := range []string{"sha256", "sha512"} {
			flags := []byte{0}
			if key.isHardware() {
				flags = []byte{0, 1, 4, 5, 0x1d}
			}
			for _, flag := range flags {
				name := kind + " " + hash
				if key.isHardware() {
					name += fmt.Sprintf(" flags %d", flag)
				}
				signature := key.sign(sshMessage("warrant@trefoil", hash, sshText), flag, 0x01020304)
				sig := append([]byte("SSHSIG\x00\x00\x00\x01"), wireStrings(key.blob(), []byte("warrant@trefoil"), nil, []byte(hash), signature)...)
				judged := judgeSSH(name, anna, key, sig)
				if err := encoder.Encode(judged); err != nil {
					panic(err)
				}
			}
		}
	}
}

func judgeSSH(name string, anna key, key sshPrivate, sig []byte) sshJudged {
	sum := sha256.Sum256(append([]byte(sshHandle+"\n\xfftrefoil sshsig v1"), key.blob()...))
	n := sshText + "\n" + anna.line(sshText, 0) + line(sshHandle, append(sum[:4:4], sig...))
	opened := must(note.Open([]byte(n), note.VerifierList(must(note.NewVerifier(anna.vkey())))))
	j := sshJudged{
		Name: name, Note: n, Vkey: anna.vkey(),
		Key:      key.kind + " " + base64.StdEncoding.EncodeToString(key.blob()),
		Verified: len(opened.Sigs), Unknown: len(opened.UnverifiedSigs),
		Valid: verifySSH(key.blob(), sig),
	}
	for p := range sig {
		flipped := bytes.Clone(sig)
		flipped[p] ^= 1 << (p % 8)
		if verifySSH(key.blob(), flipped) {
			j.Flips += "a"
		} else {
			j.Flips += "r"
		}
	}
	return j
}

// PROTOCOL.sshsig, by the packages of Go: they read the parts, and verify.
func verifySSH(blob, sig []byte) bool {
	var envelope struct {
		Version                                   uint32
		Key, Namespace, Reserved, Hash, Signature []byte
	}
	if !bytes.HasPrefix(sig, []byte("SSHSIG")) || ssh.Unmarshal(sig[6:], &envelope) != nil {
		return false
	}
	hash := string(envelope.Hash)
	if envelope.Version != 1 || !bytes.Equal(envelope.Key, blob) || string(envelope.Namespace) != "warrant@trefoil" ||
		len(envelope.Reserved) != 0 || hash != "sha256" && hash != "sha512" {
		return false
	}
	var signature ssh.Signature
	if ssh.Unmarshal(envelope.Signature, &signature) != nil {
		return false
	}
	return must(ssh.ParsePublicKey(blob)).Verify(sshMessage("warrant@trefoil", hash, sshText), &signature) == nil
}
