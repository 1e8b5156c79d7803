"""Computes the vectors of lineages and branches of docs/spec/keyset-v1.md and test/frozen/branch-check.test.ts: HKDF
with hmac and hashlib, written down from RFC 5869. It uses nothing of the library.

    python3 test/reference/generators/keyset-vectors.py
"""
import hashlib
import hmac
import struct

A32 = '0123456789abcdefghjkmnpqrstvwxyz'
SALT = b'trefoil keyset-v1'


def bytes_of(item):
    return item if isinstance(item, bytes) else item.encode()


def encode(*items):
    return b''.join(struct.pack('>I', len(bytes_of(i))) + bytes_of(i) for i in items)


def child(parent, step, *names, length=32):
    prk = hmac.new(SALT, bytes_of(parent), hashlib.sha256).digest()
    return hmac.new(prk, encode(step, *names) + b'\x01', hashlib.sha256).digest()[:length]


def b32(data, bits=None):
    bits = 8 * len(data) if bits is None else bits
    pad = -bits % 5
    n = (int.from_bytes(data, 'big') >> (8 * len(data) - bits)) << pad
    return ''.join(A32[(n >> (5 * i)) & 31] for i in reversed(range((bits + pad) // 5)))


def crc20(text):
    """Remainder of the message times x^20 by x^20 + x^11 + x^10 + x^8 + x^7 + x^5 + x + 1."""
    rest = int.from_bytes(text.encode(), 'big') << 20
    polynomial = sum(1 << power for power in (20, 11, 10, 8, 7, 5, 1, 0))
    while rest.bit_length() > 20:
        rest ^= polynomial << (rest.bit_length() - 21)
    return rest


def key_text(kind, data):
    body = b32(data)
    return f'trefoil-{kind}-1_{body}' + ''.join(A32[crc20(body) >> (5 * i) & 31] for i in (3, 2, 1, 0))


def domain(root, name, of=None, region=None):
    return child(root, 'domain', name, *(['of', of] if of else []), *(['region', region] if region else []))


def key_id(node, base=None):
    return b32(child(node, 'key id', *([base] if base else [])), 25)


def key_check(node, base=None, base_only=False):
    """`base`: key check of the base node, of a bound key; `base_only`: whether that base is a base and nothing else."""
    return b32(child(node, 'key check', *([base] if base else []), *(['base'] if base_only else [])), 80)


def below(node, *steps):
    for step, *names in steps:
        node = child(node, step, *names)
    return node


# Branch check

def path_bytes(path):
    """A name is text, bytes, or ('digest', bytes) of a name that is longer than 64 bytes."""
    def name(one):
        if isinstance(one, tuple):
            return encode('digest', one[1])
        if len(bytes_of(one)) > 64:
            return encode('digest', child('trefoil path name', 'name', one))
        return encode(one)
    return encode(*(encode(*(name(one) for one in step)) for step in path))


def lines_of(file):
    primary = file['primary']
    for key in file['keys']:
        form = next(one for one in ('secret', 'branches', 'check') if one in key)
        root = child(key['secret'], 'node check') if form == 'secret' else b''
        yield encode('key', key['id'], key.get('base', ''), key.get('use', ''),
                     'primary' if key['id'] == primary else '', key.get('region', ''), form, root)
        for name, path, node in key.get('branches', ()):
            yield encode('branch', key['id'], name, path_bytes(path), child(node, 'node check'))
        for name, (id_, check) in key.get('shown', {}).items():
            yield encode('shown', key['id'], name, id_, check)
        for name, check in key.get('check', {}).items():
            yield encode('check', key['id'], name, check)
    for name, of in file.get('domains', {}).items():
        yield encode('domain', name, of)
    if 'narrowed' in file:
        verbs, soft = file['narrowed']
        yield encode('narrowed', encode(*verbs), encode(*soft))


def branch_check(file):
    return b32(child('trefoil branch check', 'branches', *sorted(lines_of(file)), length=16))


ROOTS = [hashlib.sha256(b'trefoil frozen test root' + more).digest() for more in (b'', b' 2', b' 3')]
FIRST, SECOND, THIRD = ROOTS
EU = 'eu-enclave'
base_check = key_check(domain(FIRST, EU))

print('lineages: key, domain, shown key id, key check value')
for title, node, base, only in (
    ('first', domain(FIRST, EU), None, False),
    ('epoch-2', domain(SECOND, EU), base_check, False),
    ('epoch-2', domain(SECOND, 'partner-b', EU), base_check, False),
    ('epoch-2 over a base that is only one', domain(SECOND, EU), base_check, True),
    ('the same, of partner-b', domain(SECOND, 'partner-b', EU), base_check, True),
    ('the same, region eu', domain(SECOND, EU, None, 'eu'), key_check(domain(FIRST, EU, None, 'eu')), True),
):
    print(' ', title, node.hex(), key_id(node, base), key_check(node, base, only))

permutation = [['kind', 'token permutation'], ['scope', 'person.email'], ['parameters', 'bits', '128']]
steps = encode('emailAddress')
function = [['kind', 'token'], ['scope', 'person.email'], ['parameters', 'hmac-sha256', steps, 'equal values']]
node_p = below(domain(SECOND, EU), *permutation)
node_f = below(domain(FIRST, EU), *function)
print('branch of epoch-2', key_text('node', node_p))
print('branch of base   ', key_text('node', node_f))
print('node check', child(node_p, 'node check').hex())

shown = {EU: (key_id(domain(SECOND, EU), base_check), key_check(domain(SECOND, EU), base_check, True))}
first = {
    'primary': 'epoch-2',
    'keys': [
        {'id': 'epoch-2', 'base': 'base', 'branches': [(EU, permutation, node_p)], 'shown': shown},
        {'id': 'base', 'use': 'base', 'branches': [(EU, function, node_f)],
         'shown': {EU: (key_id(domain(FIRST, EU)), base_check)}},
    ],
    'narrowed': (['protect'], []),
}
second = {
    'primary': 'epoch-2',
    'keys': [
        {'id': 'epoch-2', 'base': 'base', 'region': 'eu', 'branches': [(EU, permutation, node_p)], 'shown': shown},
        {'id': 'base', 'use': 'base', 'region': 'eu', 'branches': [(EU, function, node_f)]},
        {'id': 'third', 'base': 'gone', 'region': 'eu', 'secret': THIRD},
        {'id': 'gone', 'region': 'eu', 'check': {EU: base_check}},
    ],
    'domains': {'partner-b': EU},
    'narrowed': (['protect', 'rekey'], ['seal:person.name']),
}
print('line of epoch-2', sorted(lines_of(first))[next(
    i for i, line in enumerate(sorted(lines_of(first))) if line.startswith(encode('key', 'epoch-2')))].hex())
print('branch check       ', branch_check(first))
print('second branch check', branch_check(second))

# What one change makes of the first file.
def changed(at=0, **fields):
    keys = [dict(key) for key in first['keys']]
    for name, value in fields.items():
        keys[at].pop(name, None)
        if value is not None:
            keys[at][name] = value
    return {**first, 'keys': keys}

other = [['kind', 'token'], ['scope', 'person.email'], ['parameters', 'hmac-sha256', 'x' * 65, 'equal values']]
print('changes')
for title, file in (
    ('use', changed(1, use=None)),
    ('base', changed(0, base=None)),
    ('region', {**first, 'keys': [{**key, 'region': 'eu'} for key in first['keys']]}),
    ('shown', changed(0, shown={EU: (shown[EU][0], base_check)})),
    ('branch', changed(1, branches=[(EU, function, node_p)])),
    ('path', changed(1, branches=[(EU, other, node_f)])),
    ('verbs', {**first, 'narrowed': (['protect', 'rekey'], [])}),
    ('soft', {**first, 'narrowed': (['protect'], ['token:person.email'])}),
    ('domain', {**first, 'domains': {'partner-b': EU}}),
    ('added', {**first, 'keys': [*first['keys'], {'id': 'third', 'secret': THIRD}]}),
    ('primary', {**first, 'keys': [*first['keys'], {'id': 'third', 'secret': THIRD}], 'primary': 'third'}),
):
    print(' ', title, branch_check(file))
