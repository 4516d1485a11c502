"""Powers rounded once from 400 bits, by mpmath: python test/golden/pow.py > test/golden/pow.json"""

import json
import random
import struct

import mpmath

mpmath.mp.prec = 400
random.seed(1)
hexed = lambda value: struct.pack(">d", value).hex()

cases = []
for _ in range(150):
    cases += [
        (random.random() * 2, random.random() * 8 - 2),
        (10.0, random.random() * 12 - 8),
        (0.9 + random.random() * 0.2, float(random.randrange(5000))),
        (1 - random.random() * 1e-4, float(random.randrange(1_000_000))),
        (random.random() * 1e150, random.random() * 2 - 1),
    ]
cases += [(5e-324, 0.5), (2.0, 1023.5), (2.0, -1074.0), (0.5, 1074.0), (1e-200, 1.6), (1e300, 1.02), (2.2250738585072014e-308, 1.02)]
rows = [[hexed(x), hexed(y), hexed(float(mpmath.power(mpmath.mpf(x), mpmath.mpf(y))))] for x, y in cases]
print(json.dumps(rows).replace("], [", "],\n["))
