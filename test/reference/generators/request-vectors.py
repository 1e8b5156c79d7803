"""Writes the vector of docs/spec/govern/request-v1.md: the text and its digest with hashlib, the signature with the package
cryptography, which is OpenSSL. It uses nothing of the library.

    python3 test/reference/generators/request-vectors.py note|sha256|vkey|private
"""
import base64
import hashlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "chris-desk.example"
seed = hashlib.sha256(b"the desk of request-v1").digest()
private = Ed25519PrivateKey.from_private_bytes(seed)
typed = b"\x01" + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
key_hash = hashlib.sha256(f"{NAME}\n".encode() + typed).digest()[:4]

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
nonce = hashlib.sha256(b"the nonce of request-v1").digest()[:16]
bits = "".join(f"{byte:08b}" for byte in nonce) + "00"
symbols = "".join(ALPHABET[int(bits[i:i + 5], 2)] for i in range(0, 130, 5))

text = f"""trefoil request v1
warrant sha256:{hashlib.sha256(b"the warrant of request-v1").hexdigest()}
desk chris-desk
verb reveal
values seal:person.name 3
values vault:people/person.phone 1
at 2026-11-30T20:30:00Z
nonce {symbols}
"""

signature = base64.b64encode(key_hash + private.sign(text.encode())).decode()
out = {
    "note": f"{text}\n\u2014 {NAME} {signature}\n",
    "sha256": hashlib.sha256(text.encode()).hexdigest() + "\n",
    "vkey": f"{NAME}+{key_hash.hex()}+{base64.b64encode(typed).decode()}\n",
    "private": f"PRIVATE+KEY+{NAME}+{key_hash.hex()}+{base64.b64encode(bytes([1]) + seed).decode()}\n",
}
sys.stdout.buffer.write(out[sys.argv[1]].encode())
