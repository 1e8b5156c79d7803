"""The vector of docs/spec/govern/gateway-v1.md, by Python's hashlib and the `cryptography` package (OpenSSL)."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
public = key.public_key().public_bytes_raw()
name = "desk.example"
key_hash = hashlib.sha256(name.encode() + b"\n\x01" + public).hexdigest()[:8]
body = b"{}"
digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
params = (
    '("@method" "@target-uri" "content-digest");created=1796068800;'
    f'keyid="{name}+{key_hash}";nonce="AAAAAAAAAAAAAAAAAAAAAA";tag="trefoil-gateway-v1"'
)
base = (
    '"@method": POST\n'
    '"@target-uri": http://127.0.0.1:7380/v1/facts\n'
    f'"content-digest": {digest}\n'
    f'"@signature-params": {params}'
)
print("private PRIVATE+KEY+%s+%s+%s" % (name, key_hash, base64.b64encode(b"\x01" + bytes(range(32))).decode()))
print("content-digest:", digest)
print("signature-input: trefoil=" + params)
print("signature: trefoil=:" + base64.b64encode(key.sign(base.encode())).decode() + ":")
print("sha256 of the base:", hashlib.sha256(base.encode()).hexdigest())
