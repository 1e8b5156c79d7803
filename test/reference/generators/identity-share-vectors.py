"""The vectors of docs/spec/identity-share-v1.md, from the page alone: hashlib, hmac and integers, no other package.

Prints the rows of the tables. With the name of a page, compares them with that page instead.
"""
import hashlib
import hmac
import sys

BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


# Base32, check characters
def base32(data, symbols):
    number = int.from_bytes(data, "big") << (5 * symbols - 8 * len(data))
    return "".join(BASE32[number >> 5 * (symbols - 1 - i) & 31] for i in range(symbols))


def check(text):
    # Polynomial division, bit by bit: the message times x^20, modulo x^20 + x^11 + x^10 + x^8 + x^7 + x^5 + x + 1.
    remainder = int.from_bytes(text.encode("ascii"), "big") << 20
    while remainder.bit_length() > 20:
        remainder ^= 0x100DA3 << (remainder.bit_length() - 21)
    return base32((remainder << 4).to_bytes(3, "big"), 5)[:4]


# The field of 256 elements
def multiply(a, b):
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def evaluate(polynomial, at):
    value, power = 0, 1
    for coefficient in polynomial:
        value ^= multiply(coefficient, power)
        power = multiply(power, at)
    return value


# X25519 of RFC 7748, section 5
def x25519(scalar, u):
    p = 2**255 - 19
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1, x2, z2, x3, z3, swap = u, 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        e = aa - bb
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


# Bech32 of BIP 173
def bech32(prefix, data):
    number = int.from_bytes(data, "big") << (-8 * len(data) % 5)
    count = -(-8 * len(data) // 5)
    values = [number >> 5 * (count - 1 - i) & 31 for i in range(count)]
    register = 1
    codes = [ord(c) for c in prefix]
    for value in [c >> 5 for c in codes] + [0] + [c & 31 for c in codes] + values + [0] * 6:
        top = register >> 25
        register = (register & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            register ^= g if top >> i & 1 else 0
    register ^= 1
    values += [register >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(BECH32[v] for v in values)


# The format
def encode(*items):
    items = [item if isinstance(item, bytes) else item.encode() for item in items]
    return b"".join(len(item).to_bytes(4, "big") + item for item in items)


def hkdf16(key, salt, info):
    extracted = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()[:16]


def groups(line):
    return " ".join(line[i : i + 4] for i in range(0, len(line), 4))


def rows(m, n):
    def draw(name):
        return hashlib.sha256(f"identity-share-v1 vectors {m} of {n} {name}".encode()).digest()

    secret = draw("secret")
    coefficients = [secret] + [draw(f"coefficient {k}") for k in range(1, m)]
    recipient = bech32("age", x25519(secret, 9))
    yield "secret", secret.hex()
    yield "identity", bech32("age-secret-key-", secret).upper()
    yield "recipient", recipient
    values = [bytes(evaluate(p, x) for p in zip(*coefficients)) for x in range(1, n + 1)]
    commitments = [
        hkdf16(values[x - 1], b"identity-share-v1", encode("commitment", recipient, str(m), str(n), str(x)))
        for x in range(1, n + 1)
    ]
    content = encode("identity-share-v1 ceremony", recipient, str(m), str(n), *commitments)
    digest = hashlib.sha256(content).digest()
    yield "ceremony", base32(digest[:10], 16)
    for x in range(1, n + 1):
        yield f"value {x}", values[x - 1].hex()
        yield f"commitment {x}", base32(commitments[x - 1], 26)
        symbols = base32(digest[:10] + bytes([m, n, x]) + values[x - 1], 72)
        first, second = symbols[:36], symbols[36:]
        yield f"line 1 of share {x}", groups(first + check("identity-share-v1_1" + first))
        yield f"line 2 of share {x}", groups(second + check("identity-share-v1_2" + symbols))


expected = []
for m, n in ((2, 3), (3, 5)):
    for name, value in rows(m, n):
        expected.append(f"| {m} of {n} | {name} | `{value}` |")
if len(sys.argv) > 1:
    page = open(sys.argv[1], encoding="utf8").read().split("\n")
    missing = [row for row in expected if row not in page]
    sys.exit(f"{len(missing)} rows differ from the page, the first: {missing[0]}" if missing else 0)
print("\n".join(expected))
