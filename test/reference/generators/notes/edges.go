package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"filippo.io/edwards25519"
)

// A signature and its verdict. Valid is what crypto/ed25519 says, if the key is safe; for other keys it is false, and
// Go is what crypto/ed25519 says.
type edge struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
	Safe      bool   `json:"safe"`
	Go        bool   `json:"go"`
	Valid     bool   `json:"valid"`
}

var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// The eight points of small order: multiples of one of order 8, whose encoding is from the table of
// https://eprint.iacr.org/2020/1244, section 4.
func smallPoints() []*edwards25519.Point {
	generator := must(new(edwards25519.Point).SetBytes(must(hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))))
	points := []*edwards25519.Point{edwards25519.NewIdentityPoint()}
	for len(points) < 8 {
		points = append(points, new(edwards25519.Point).Add(points[len(points)-1], generator))
	}
	return points
}

// Whether the bytes are the canonical encoding of a point of prime order.
func safe(key []byte) bool {
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil || !bytes.Equal(point.Bytes(), key) {
		return false
	}
	identity := edwards25519.NewIdentityPoint()
	if point.Equal(identity) == 1 {
		return false
	}
	one := must(new(edwards25519.Scalar).SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...)))
	lessOne := new(edwards25519.Scalar).Negate(one)
	multiple := new(edwards25519.Point).ScalarMult(lessOne, point)
	return multiple.Add(multiple, point).Equal(identity) == 1
}

func scalar(digest []byte) *edwards25519.Scalar {
	return must(new(edwards25519.Scalar).SetUniformBytes(digest))
}

func hash(parts ...[]byte) []byte {
	sum := sha512.Sum512(slices.Concat(parts...))
	return sum[:]
}

func writeEdges() {
	private := newKey("edges", 1).private
	public := []byte(private.Public().(ed25519.PublicKey))
	expanded := hash(private.Seed())
	a := must(new(edwards25519.Scalar).SetBytesWithClamping(expanded[:32]))
	message := []byte("trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n")
	r := scalar(hash(expanded[32:], message))
	R := new(edwards25519.Point).ScalarBaseMult(r)
	small := smallPoints()
	if small[4].Equal(edwards25519.NewIdentityPoint()) == 1 || new(edwards25519.Point).Add(small[7], small[1]).Equal(small[0]) != 1 {
		panic("the generator is not of order 8")
	}

	var edges []edge
	add := func(name string, key, message, signature []byte) {
		one := edge{Name: name, Key: hex.EncodeToString(key), Message: hex.EncodeToString(message), Signature: hex.EncodeToString(signature)}
		if len(key) == ed25519.PublicKeySize {
			one.Safe = safe(key)
			one.Go = ed25519.Verify(key, message, signature)
		}
		one.Valid = one.Safe && one.Go
		edges = append(edges, one)
	}
	// S = r + h·a, for a hash over any R and key.
	respond := func(r *edwards25519.Scalar, R, key, message []byte) []byte {
		return new(edwards25519.Scalar).MultiplyAdd(scalar(hash(R, key, message)), a, r).Bytes()
	}
	zero := edwards25519.NewScalar()
	honest := ed25519.Sign(private, message)

	for i, test := range rfc8032 {
		seed := must(hex.DecodeString(test.seed))
		text := must(hex.DecodeString(test.message))
		key := ed25519.NewKeyFromSeed(seed)
		add(fmt.Sprintf("RFC 8032, section 7.1, test %d", i+1), key[32:], text, ed25519.Sign(key, text))
	}
	add("honest", public, message, honest)
	add("another message", public, message[1:], honest)
	for at := range 64 {
		changed := slices.Clone(honest)
		changed[at] ^= 1 << (at % 8)
		add(fmt.Sprintf("bit %d of byte %d of the signature", at%8, at), public, message, changed)
	}
	for at := range 32 {
		changed := slices.Clone(public)
		changed[at] ^= 1 << (at % 8)
		add(fmt.Sprintf("bit %d of byte %d of the key", at%8, at), changed, message, honest)
	}
	for _, length := range []int{0, 1, 32, 63} {
		add(fmt.Sprintf("signature of %d bytes", length), public, message, honest[:length])
	}
	add("signature of 65 bytes", public, message, append(slices.Clone(honest), 0))
	add("key of 31 bytes", public[:31], message, honest)
	add("key of 33 bytes", append(slices.Clone(public), 0), message, honest)

	// S beyond the order.
	for times := int64(1); times <= 15; times++ {
		S := new(big.Int).SetBytes(reversed(honest[32:]))
		S.Add(S, new(big.Int).Mul(order, big.NewInt(times)))
		if S.BitLen() > 256 {
			break
		}
		add(fmt.Sprintf("S + %d L", times), public, message, append(slices.Clone(honest[:32]), littleEndian(S)...))
	}
	add("S = L", public, message, append(slices.Clone(honest[:32]), littleEndian(order)...))
	add("S = 0", public, message, append(slices.Clone(honest[:32]), make([]byte, 32)...))

	// R with torsion, and R of small order.
	for k, torsion := range small {
		mixed := new(edwards25519.Point).Add(R, torsion).Bytes()
		add(fmt.Sprintf("R + %d T8", k), public, message, append(mixed, respond(r, mixed, public, message)...))
		tiny := torsion.Bytes()
		add(fmt.Sprintf("R = %d T8", k), public, message, append(tiny, respond(zero, tiny, public, message)...))
	}
	for name, encoding := range unusual() {
		bytes := must(hex.DecodeString(encoding))
		add("R = "+name, public, message, append(slices.Clone(bytes), respond(zero, bytes, public, message)...))
		// Under a key of small order, S = r fits whatever has h·A = 0.
		tries := 1
		if _, err := new(edwards25519.Point).SetBytes(bytes); err == nil {
			tries = 8
		}
		for try := range tries {
			text := fmt.Appendf(nil, "%d\n", try)
			add(fmt.Sprintf("A = %s, message %d", name, try), bytes, text, append(R.Bytes(), r.Bytes()...))
		}
	}
	for k, torsion := range small {
		// A of small order.
		key := torsion.Bytes()
		for try := range 16 {
			text := fmt.Appendf(nil, "%d\n", try)
			add(fmt.Sprintf("A = %d T8, message %d", k, try), key, text, append(R.Bytes(), r.Bytes()...))
		}
		// A of mixed order. One message in eight fits without the cofactor.
		key = new(edwards25519.Point).Add(must(new(edwards25519.Point).SetBytes(public)), torsion).Bytes()
		for try := range 16 {
			text := fmt.Appendf(nil, "%d\n", try)
			add(fmt.Sprintf("A + %d T8, message %d", k, try), key, text, append(R.Bytes(), respond(r, R.Bytes(), key, text)...))
		}
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return bytes.Compare([]byte(x.Name), []byte(y.Name)) })
	for _, one := range edges {
		fmt.Println(string(must(json.Marshal(one))))
	}
}

// Encodings that are not canonical, or not of a point: y + p for the y that fit, and a sign bit for x = 0.
func unusual() map[string]string {
	found := map[string]string{
		"the identity with a sign bit": "0100000000000000000000000000000000000000000000000000000000000080",
		"order 2 with a sign bit":      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	}
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	for y := range int64(19) {
		encoding := littleEndian(new(big.Int).Add(p, big.NewInt(y)))
		found[fmt.Sprintf("y = p + %d", y)] = hex.EncodeToString(encoding)
		encoding[31] |= 0x80
		found[fmt.Sprintf("y = p + %d with a sign bit", y)] = hex.EncodeToString(encoding)
	}
	return found
}

func reversed(bytes []byte) []byte {
	out := slices.Clone(bytes)
	slices.Reverse(out)
	return out
}

func littleEndian(n *big.Int) []byte {
	return reversed(n.FillBytes(make([]byte, 32)))
}

// RFC 8032, section 7.1: the seeds and messages of tests 1, 2, 3 and "SHA(abc)". The signatures are in the test itself.
var rfc8032 = []struct{ seed, message string }{
	{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""},
	{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"},
	{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"},
	{"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
}
