package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// cosigner verifies cosignatures of tlog-cosignature, which x/mod does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	return ed25519.Verify(c.key, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)), sig[8:])
}

// verifier reads a key of type 1, or of type 4, which is that of cosignatures.
func verifier(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, key, _ := strings.Cut(rest, "+")
	data, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(data) != 33 {
		return nil, errors.New("malformed key")
	}
	if data[0] != 4 {
		return note.NewVerifier(vkey)
	}
	id, err := strconv.ParseUint(hash, 16, 32)
	return cosigner{name, uint32(id), data[1:]}, err
}
