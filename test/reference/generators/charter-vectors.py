"""The example charter and the vectors of docs/spec/govern/charter-v1.md, from that page alone: hashlib, and Ed25519 of OpenSSL.

Writes docs/examples/charter.txt and docs/examples/charter.note, and prints the rows of the tables. With --check, it
writes nothing and compares the two files and the page with what it has computed.
"""
import base64
import hashlib
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROOT = pathlib.Path(__file__).resolve().parents[3]


def sha256(data):
    return hashlib.sha256(data).digest()


def key(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(f"charter-v1 vectors {name}".encode()))


def public(name):
    return key(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


# Keys and lines of https://c2sp.org/signed-note
def key_hash(name, typed):
    return sha256(name.encode() + b"\n" + typed)[:4]


def vkey(name, kind=1):
    typed = bytes([kind]) + public(name)
    return f"{name}+{key_hash(name, typed).hex()}+{base64.b64encode(typed).decode()}"


def note_line(name, text):
    signed = key_hash(name, b"\x01" + public(name)) + key(name).sign(text.encode())
    return f"— {name} {base64.b64encode(signed).decode()}\n"


# Keys and signatures of OpenSSH (RFC 4251, PROTOCOL.sshsig, PROTOCOL.u2f)
def string(data):
    return struct.pack(">I", len(data)) + data


def ssh_blob(name, kind):
    application = string(b"ssh:") if kind.startswith("sk-") else b""
    return string(kind.encode()) + string(public(name)) + application


def ssh_key(name, kind):
    return f"{kind} {base64.b64encode(ssh_blob(name, kind)).decode()}"


def ssh_line(handle, name, text):
    kind = "ssh-ed25519"
    blob = ssh_blob(name, kind)
    namespace, algorithm = b"charter@trefoil", b"sha512"
    digest = hashlib.sha512(text.encode()).digest()
    message = b"SSHSIG" + string(namespace) + string(b"") + string(algorithm) + string(digest)
    signature = string(kind.encode()) + string(key(name).sign(message))
    sshsig = b"SSHSIG" + struct.pack(">I", 1) + string(blob) + string(namespace) + string(b"") + string(algorithm)
    sshsig += string(signature)
    line_hash = sha256(handle.encode() + b"\n\xfftrefoil sshsig v1" + blob)[:4]
    return f"— {handle} {base64.b64encode(line_hash + sshsig).decode()}\n"


PROTECTED = sha256(b"charter-v1 vectors protected people").hex()
ORIGIN = "log.example/eu-enclave/2027"

LINES = [
    "trefoil charter v1",
    "version 1",
    "domain eu-enclave",
    "subject person",
    f"log {vkey(ORIGIN)} https://log.example/eu-enclave/2027/",
    f"answers {vkey('log.example/eu-enclave/answers')}",
    f"witness NCC {vkey('ncc.example/witness', 4)} https://witness.ncc.example/",
    f"witness DPA {vkey('dpa.example/witness', 4)}",
    "group outside all NCC DPA",
    "quorum outside",
    f"officer anna approver note {vkey('anna.dpo.example')}",
    f"officer bela approver ssh {ssh_key('bela', 'sk-ssh-ed25519@openssh.com')} touch",
    f"officer carla approver note {vkey('carla.dpo.example')}",
    f"officer lea legal note {vkey('lea.legal.example')}",
    f"officer leo legal note {vkey('leo.legal.example')}",
    f"officer chris requester note {vkey('chris.support.example')}",
    f"officer eva keeper note {vkey('eva.example')}",
    f"officer fritz keeper note {vkey('fritz.example')}",
    f"officer gerd keeper ssh {ssh_key('gerd', 'ssh-ed25519')}",
    f"desk chris-desk of chris note {vkey('desk.chris.support.example')}",
    f"client etl-1 note {vkey('etl-1.example')}",
    "purpose support.call-back dpv:CustomerCare verb reveal scopes vault:people/person.name,vault:people/person.phone"
    " approvals 1:approver values 50 subjects 10 hours 12 witnessed 1h show 7d",
    "purpose fraud.case dpv:FraudPreventionAndDetection verb reveal scopes seal:person.name approvals 2:approver"
    " values 500 subjects 50 hours 72 witnessed before show 90d unbound",
    "purpose legal.order dpv:LegalCompliance verb reveal scopes vault:people/person.name approvals 2:approver,1:legal"
    " values 2000 subjects 200 hours 72 witnessed before show 365d",
    "purpose rekey verb rekey scopes seal:person.name approvals 2:approver,1:legal values any hours 24"
    " witnessed before show never",
    "glass safety-of-life verb reveal scopes vault:people/person.phone approvals none values 20 subjects 5 hours 1"
    " witnessed 5m ratify 3d 2:approver at-most 3 5 per 7d show 30d",
    "rate client etl-1 protect token:person 2000000 per 1d",
    "rate client etl-1 protect seal:person.name 2000000 per 1d",
    "rate desk * reveal * 200 per 1d",
    f"protected commit sha256:{PROTECTED} approvals 1:legal",
    "alert subject 3 warrants per 30d",
    "alert pair 80% of 10",
    "alert hours 06-20",
    "openings 20 per 30d",
    "change 2:keeper",
]
TEXT = "".join(f"{line}\n" for line in LINES)
DIGEST = sha256(TEXT.encode()).hex()

# Version 2: more values for call-backs, and fritz is no keeper any more but asks.
NEXT = (
    TEXT.replace("version 1\n", f"version 2\nprevious sha256:{DIGEST}\n")
    .replace("values 50 ", "values 80 ")
    .replace("officer fritz keeper ", "officer fritz requester ")
)
ROWS = [
    ("text 1, bytes", str(len(TEXT.encode()))),
    ("text 1, SHA-256", DIGEST),
    ("text 1, line of `eva`", note_line("eva.example", TEXT).strip()),
    ("text 1, line of `gerd`", ssh_line("gerd", "gerd", TEXT).strip()),
    ("text 2, bytes", str(len(NEXT.encode()))),
    ("text 2, SHA-256", sha256(NEXT.encode()).hex()),
    ("text 2, line of `eva`", note_line("eva.example", NEXT).strip()),
    ("text 2, line of `fritz`", note_line("fritz.example", NEXT).strip()),
    ("text 2, line of `gerd`", ssh_line("gerd", "gerd", NEXT).strip()),
]
NOTE = f"{TEXT}\n{ROWS[2][1]}\n{ROWS[3][1]}\n"
FILES = {"docs/examples/charter.txt": TEXT, "docs/examples/charter.note": NOTE}
TABLE = "".join(f"| {name} | `{value}` |\n" for name, value in ROWS)

if "--check" in sys.argv:
    for path, content in FILES.items():
        assert (ROOT / path).read_text("utf8") == content, path
    page = (ROOT / "docs/spec/govern/charter-v1.md").read_text("utf8")
    assert TABLE in page, "the table of the page"
    assert f"```text\n{TEXT}```\n" in page, "the text of the page"
    print(f"{len(FILES)} files and {len(ROWS)} rows are as computed")
else:
    for path, content in FILES.items():
        (ROOT / path).write_text(content, "utf8")
    sys.stdout.write(TABLE)
