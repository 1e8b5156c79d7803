"""Vectors of the pseudonyms of docs/spec/log-v1.md, with hmac and hashlib alone.

The bits of the base are those of docs/spec/renewal-v1.md ("Vectors", the row t): this program checks that it gets the
same, and then makes the pseudonym.
"""

import hashlib
import hmac

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def encode(*items):
    raw = [item.encode() if isinstance(item, str) else item for item in items]
    return b"".join(len(item).to_bytes(4, "big") + item for item in raw)


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def child(parent, *names):
    pseudorandom = mac(b"trefoil keyset-v1", parent)
    return mac(pseudorandom, encode(*names) + b"\x01")


def base32(data, bits):
    text = "".join(f"{byte:08b}" for byte in data)[:bits]
    return "".join(ALPHABET[int(text[i : i + 5], 2)] for i in range(0, bits, 5))


def node(domain, kind, scope, *parameters):
    below = child(child(domain, "kind", kind), "scope", scope)
    return child(below, "parameters", *parameters)


root = hashlib.sha256(b"trefoil frozen test root").digest()
domain = child(root, "domain", "eu-enclave")
keyed = node(domain, "token", "person.email", "hmac-sha256", encode("emailAddress"), "equal values")
x = mac(keyed, b"ada@example.com")[:16]
assert x.hex() == "2d320a6a092fd52709ffe157eedcaef8", x.hex()
names = node(domain, "log", "subjects", "hmac-sha256")
print("info of the kind", encode("kind", "log").hex())
print("node", names.hex())
print("message", encode("log-v1", "person.email", x).hex())
tag = mac(names, encode("log-v1", "person.email", x))
print("tag", tag.hex())
print("pseudonym", base32(tag, 80))
