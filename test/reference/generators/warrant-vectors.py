"""Writes the vectors of docs/spec/govern/warrant-v1.md: the texts and digests with hashlib, the signatures with the package
cryptography, which is OpenSSL. It uses nothing of the library.

    python3 test/reference/generators/warrant-vectors.py [NAME]

NAME is one of charter, warrant, hidden, dossier, refusal, ratification, clock, table; without one, all are written.
"""
import base64
import hashlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAMES = ["log", "anna", "bela", "chris", "eva", "desk"]


def sha256(data):
    return hashlib.sha256(data).digest()


def hexdigest(text):
    return sha256(text.encode()).hex()


class Key:
    def __init__(self, who):
        self.name = f"{who}.example"
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(f"a key of warrant-v1: {self.name}".encode()))
        typed = b"\x01" + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.hash = sha256(f"{self.name}\n".encode() + typed)[:4]
        self.vkey = f"{self.name}+{self.hash.hex()}+{base64.b64encode(typed).decode()}"

    def line(self, text):
        signature = self.hash + self.private.sign(text.encode())
        return f"\u2014 {self.name} {base64.b64encode(signature).decode()}\n"


KEYS = {who: Key(who) for who in NAMES}


def note(text, *signers):
    return text + "\n" + "".join(KEYS[who].line(text) for who in signers)


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def base32(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return "".join(ALPHABET[int(bits[i:i + 5], 2)] for i in range(0, len(bits), 5))


charter = f"""trefoil charter v1
version 1
domain eu-enclave
subject person
log {KEYS['log'].vkey}
quorum none
officer anna approver note {KEYS['anna'].vkey}
officer bela approver,legal note {KEYS['bela'].vkey}
officer chris requester note {KEYS['chris'].vkey}
officer eva keeper note {KEYS['eva'].vkey}
desk chris-desk of chris note {KEYS['desk'].vkey}
case shown
purpose legal.order verb reveal scopes vault:people/person.name approvals 1:approver,1:legal values 50 subjects 10 hours 12 witnessed before show 365d
glass safety-of-life verb reveal scopes vault:people/person.name approvals none values 20 subjects 5 hours 1 witnessed 5m ratify 3d 1:legal at-most 3 9 per 7d show 30d
change 1:keeper
"""

salt = sha256(b"the salt of warrant-v1")
case = "TICKET-20817"
dossier = (
    '{"trefoil":"dossier v1","salt":"' + salt.hex() + '","case":"' + case + '",'
    '"subjects":[{"token":"cust_0123456789"},{"text":"Zo\u00eb \\"Z\\" M\u00fcller"}],'
    '"reason":"The court has asked for the name behind the account."}'
)
commitment = sha256(salt + b"case\n" + case.encode()).hex()


def warrant(purpose="legal.order", stated=f"case {case}", until="2026-12-01T08:00:00Z", name="the id"):
    return f"""trefoil warrant v1
id {base32(sha256(name.encode())[:16])}
charter 1 sha256:{hexdigest(charter)}
domain eu-enclave
requester chris
desk chris-desk
verb reveal
purpose {purpose}
{stated}
scopes vault:people/person.name
values 4
subjects 2
dossier sha256:{hexdigest(dossier)}
asked 2026-11-30T20:00:00Z
from 2026-11-30T20:00:00Z
until {until}
"""


shown = warrant()
hidden = warrant(stated=f"case commit sha256:{commitment}")
glass = warrant("safety-of-life", until="2026-11-30T21:00:00Z", name="the id of break-glass")
refusal = f"""trefoil refusal v1
warrant sha256:{hexdigest(shown)}
officer bela
at 2026-11-30T20:10:00Z
why The order names another person, M\u00fcller with \u00fc.
"""
entry = hashlib.sha256(b"the entry of a use").hexdigest()
ratification = f"""trefoil ratification v1
warrant sha256:{hexdigest(glass)}
use 811 sha256:{entry}
why An ambulance was on its way.
"""
clock = """trefoil clock v1
domain eu-enclave
at 2026-12-01T08:00:00Z
why The gateway was off for two days.
"""

rows = [
    *((f"verifier key of {who}", KEYS[who].vkey) for who in ["chris", "anna", "bela", "eva"]),
    ("SHA-256 of the charter's text", hexdigest(charter)),
    ("SHA-256 of the dossier's bytes", hexdigest(dossier)),
    ("SHA-256 of the warrant's text", hexdigest(shown)),
    ("commitment to the case", commitment),
    ("SHA-256 of the same warrant's text with the commitment", hexdigest(hidden)),
    ("SHA-256 of the text of the break-glass warrant", hexdigest(glass)),
    ("SHA-256 of the refusal's text", hexdigest(refusal)),
    ("SHA-256 of the ratification's text", hexdigest(ratification)),
    ("SHA-256 of the clock statement's text", hexdigest(clock)),
]
OUT = {
    "charter": note(charter, "eva"),
    "dossier": dossier,
    "warrant": note(shown, "chris", "anna", "bela"),
    "hidden": note(hidden, "chris", "anna", "bela"),
    "glass": note(glass, "chris"),
    "refusal": note(refusal, "bela"),
    "ratification": note(ratification, "bela"),
    "clock": note(clock, "eva"),
    "table": "".join(f"| {name} | `{value}` |\n" for name, value in rows),
}
sys.stdout.write(OUT[sys.argv[1]] if len(sys.argv) > 1 else "\n".join(OUT.values()))
