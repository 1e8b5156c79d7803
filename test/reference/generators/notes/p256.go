package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
)

// A signature of ECDSA and Go's verdict.
type p256Edge struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
	// Whether the key is an uncompressed point of the curve.
	Safe  bool `json:"safe"`
	Valid bool `json:"valid"`
}

func writeP256() {
	encoder := json.NewEncoder(os.Stdout)
	write := func(name string, key []byte, message string, r, s *big.Int) {
		if r.BitLen() > 256 || s.BitLen() > 256 {
			return
		}
		signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
		digest := sha256.Sum256([]byte(message))
		valid := err == nil && ecdsa.Verify(public, digest[:], r, s)
		edge := p256Edge{name, hex.EncodeToString(key), hex.EncodeToString([]byte(message)), hex.EncodeToString(signature), err == nil, valid}
		if err := encoder.Encode(edge); err != nil {
			panic(err)
		}
	}
	curve := elliptic.P256().Params()
	n, p := curve.N, curve.P
	plus := func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
	minus := func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
	zero, one := new(big.Int), big.NewInt(1)

	for i := range 8 {
		seed := sha256.Sum256(fmt.Appendf(nil, "a key for tests: p256 %d", i))
		private := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]))
		key := must(private.PublicKey.Bytes())
		message := fmt.Sprintf("message %d\n", i)
		digest := sha256.Sum256([]byte(message))
		r, s := readDER(must(private.Sign(nil, digest[:], crypto.SHA256)))
		named := func(name string) string { return fmt.Sprintf("%s %d", name, i) }
		write(named("honest"), key, message, r, s)
		write(named("n - s"), key, message, r, minus(n, s))
		write(named("n - r"), key, message, minus(n, r), s)
		write(named("exchanged"), key, message, s, r)
		write(named("another message"), key, message+" ", r, s)
		for _, value := range []*big.Int{zero, minus(n, one), n, plus(n, one), p} {
			write(named(fmt.Sprintf("r = %x", value)), key, message, value, s)
			write(named(fmt.Sprintf("s = %x", value)), key, message, r, value)
		}
		write(named("r + n"), key, message, plus(r, n), s)
		write(named("s + n"), key, message, r, plus(s, n))
		write(named("all 0"), key, message, zero, zero)
		for _, bit := range []int{0, 7, 100, 255} {
			flip := func(a *big.Int) *big.Int { return new(big.Int).Xor(a, new(big.Int).Lsh(one, uint(bit))) }
			write(named(fmt.Sprintf("bit %d of r", bit)), key, message, flip(r), s)
			write(named(fmt.Sprintf("bit %d of s", bit)), key, message, r, flip(s))
		}

		// Keys that are none.
		other := func(change func([]byte)) []byte {
			changed := append([]byte{}, key...)
			change(changed)
			return changed
		}
		write(named("key off the curve"), other(func(k []byte) { k[64] ^= 1 }), message, r, s)
		write(named("hybrid key"), other(func(k []byte) { k[0] = 6 + k[64]&1 }), message, r, s)
		write(named("compressed key"), append([]byte{2 + key[64]&1}, key[1:33]...), message, r, s)
		write(named("no point"), other(func(k []byte) { clear(k[1:]) }), message, r, s)
		write(named("the identity"), []byte{0}, message, r, s)
		write(named("key cut"), key[:64], message, r, s)
		write(named("key longer"), append(other(func([]byte) {}), 0), message, r, s)

		// R with an x of n or more: r is x - n. The key is made for it: Q = (s R - e G) / r.
		x := plus(n, big.NewInt(int64(i)))
		for ; ; x = plus(x, one) {
			if y := yOf(x); y != nil {
				makeFor(write, named("x of R is n or more"), message, x, y)
				break
			}
		}
	}
	// x and y of p and more: the x of a point that is below 2^256 - p, and p added to it.
	for x := big.NewInt(0); x.Cmp(big.NewInt(20)) < 0; x = plus(x, one) {
		if y := yOf(x); y != nil {
			for _, at := range []*big.Int{x, plus(x, p)} {
				key := append([]byte{4}, at.FillBytes(make([]byte, 32))...)
				write(fmt.Sprintf("small x as %x", at), append(key, y.FillBytes(make([]byte, 32))...), "m", one, one)
			}
		}
	}
}

// The y of a point with this x, of the two the smaller; nil if there is none.
func yOf(x *big.Int) *big.Int {
	curve := elliptic.P256().Params()
	square := new(big.Int).Exp(x, big.NewInt(3), curve.P)
	square.Sub(square, new(big.Int).Mul(x, big.NewInt(3)))
	square.Mod(square.Add(square, curve.B), curve.P)
	if x.Cmp(curve.P) >= 0 {
		return nil
	}
	return square.ModSqrt(square, curve.P)
}

func makeFor(write func(string, []byte, string, *big.Int, *big.Int), name, message string, x, y *big.Int) {
	curve := elliptic.P256()
	n := curve.Params().N
	digest := sha256.Sum256([]byte(message))
	r := new(big.Int).Mod(x, n)
	if r.Sign() == 0 {
		return
	}
	s := big.NewInt(7)
	inverse := new(big.Int).ModInverse(r, n)
	sx, sy := curve.ScalarMult(x, y, new(big.Int).Mod(new(big.Int).Mul(s, inverse), n).Bytes())
	e := new(big.Int).SetBytes(digest[:])
	ex, ey := curve.ScalarBaseMult(new(big.Int).Mod(new(big.Int).Mul(new(big.Int).Neg(e), inverse), n).Bytes())
	qx, qy := curve.Add(sx, sy, ex, ey)
	key := append([]byte{4}, qx.FillBytes(make([]byte, 32))...)
	write(name, append(key, qy.FillBytes(make([]byte, 32))...), message, r, s)
	write(name+", r = x", append(key, qy.FillBytes(make([]byte, 32))...), message, x, s)
}
