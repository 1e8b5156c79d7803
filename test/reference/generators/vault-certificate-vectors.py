"""Computes the certificates of docs/spec/vault-v1.md: the tree of keyset-v1 with hmac and hashlib, and the two MACs. It
uses nothing of the library.

    python3 test/reference/generators/vault-certificate-vectors.py
"""
import hashlib, hmac, json, struct

A32 = '0123456789abcdefghjkmnpqrstvwxyz'


def encode(items):
    texts = [item if isinstance(item, bytes) else item.encode() for item in items]
    return b''.join(struct.pack('>I', len(text)) + text for text in texts)


def child(parent, step, names=()):
    key = hmac.new(b'trefoil keyset-v1', parent, hashlib.sha256).digest()
    return hmac.new(key, encode([step, *names]) + b'\x01', hashlib.sha256).digest()


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).hexdigest()


root = hashlib.sha256(b'trefoil frozen test root').digest()
domain = child(root, 'domain', ['eu-enclave'])
bits = int.from_bytes(child(domain, 'key id'), 'big') >> (256 - 25)
key_id = ''.join(A32[(bits >> (5 * i)) & 31] for i in reversed(range(5)))
scope = child(child(domain, 'kind', ['vault']), 'scope', ['main'])
subjects, outer = (child(scope, 'parameters', [name]) for name in ('subjects', 'outer'))
certificate_key, meta_key, subject_key = child(subjects, 'certificate'), child(outer, 'meta'), child(subjects, 'subject')
subject = mac(subject_key, b'7')[:32]

for destroyed in ('key', 'nothing', 'in advance'):
    stated = {
        'trefoil': 'vault-v1 certificate',
        'destroyed': destroyed,
        'mappings': 'not known to the store',
        'domain': 'eu-enclave',
        'store': 'main',
        'keyId': key_id,
        'outerKeyId': key_id,
        'subject': subject,
        'at': '2025-01-31T12:00:00.000Z',
    }
    message = encode(list(stated.values()))
    macs = {'mac': mac(certificate_key, message), 'outerMac': mac(meta_key, message)}
    if destroyed == 'key':
        print('subjects, `certificate`', certificate_key.hex())
        print('outer, `meta`', meta_key.hex())
        print('certificate, message', message.hex())
    print(json.dumps({**stated, **macs}, separators=(',', ':')))
