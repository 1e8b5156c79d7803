"""Vectors of docs/spec/govern/sample-v1.md, with Python's standard library alone."""

import hashlib

random = hashlib.sha256(b"sample-v1 vectors random").digest()
root = hashlib.sha256(b"sample-v1 vectors root").digest()
seed = hashlib.sha256(random + root).digest()
entries = [3, 5, 8, 13, 21, 34, 55, 89, 4294967296]


def rank(index):
    return hashlib.sha256(seed + index.to_bytes(8, "big")).digest()


print("random", random.hex())
print("root", root.hex())
print("seed", seed.hex())
for index in entries:
    print("rank", index, rank(index).hex())
for count in (1, 3, 9):
    print("sample of", count, sorted(sorted(entries, key=rank)[:count]))
