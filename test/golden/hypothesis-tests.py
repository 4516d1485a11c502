"""Writes hypothesis-tests.json: Student's t, the sign test and a paired t test and Welch's, by libraries that share nothing with ours.

Run: python test/golden/hypothesis-tests.py > test/golden/hypothesis-tests.json   (needs mpmath, and scipy; no other test needs Python)

Tails are mpmath's with 50 digits; critical values are roots of those. scipy has to agree to 1e-9 before anything is
written.
"""
import json
import sys

import mpmath
import scipy
from mpmath import mp, mpf
from scipy import stats

mp.dps = 50

DEGREES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 19, 20, 25, 29, 30, 49, 50, 75, 99, 100, 199, 250, 499, 500, 750, 999, 1000]
TS = ["0.001", "0.1", "0.5", "1", "1.7", "1.75", "2", "3", "5", "10", "40"]
ALPHAS = ["0.9", "0.5", "0.2", "0.1", "0.05", "0.02", "0.01", "0.005", "0.0025", "0.001", "0.00025", "1e-6"]


def tail(t, degrees):
    """P(T > t), by mpmath's hypergeometric series with 50 digits."""
    v, t = mpf(degrees), mpf(t)
    return mpmath.betainc(v / 2, mpf(1) / 2, 0, v / (v + t * t), regularized=True) / 2


def critical(alpha, degrees):
    guess = stats.t.isf(float(alpha) / 2, degrees)
    return mpmath.findroot(lambda t: tail(t, degrees) - mpf(alpha) / 2, (guess, guess * (1 + 1e-6)), solver="secant", tol=1e-45)


def agreed(name, ours, theirs):
    if abs(float(ours) - theirs) > 1e-9 * abs(theirs):
        sys.exit(f"{name}: mpmath {ours}, scipy {theirs}")
    return float(ours)


def paired(a, b, confidence):
    result = stats.ttest_rel(b, a)
    interval = result.confidence_interval(confidence)
    return {
        "baseline": a, "arm": b, "confidence": confidence,
        "mean": sum(y - x for x, y in zip(a, b)) / len(a),
        "interval": [interval.low, interval.high], "p": result.pvalue,
    }


def welch(a, b, confidence):
    result = stats.ttest_ind(b, a, equal_var=False)
    interval = result.confidence_interval(confidence)
    return {
        "baseline": a, "arm": b, "confidence": confidence,
        "mean": sum(b) / len(b) - sum(a) / len(a),
        "interval": [interval.low, interval.high], "p": result.pvalue,
    }


json.dump(
    {
        "versions": {"mpmath": mpmath.__version__, "scipy": scipy.__version__},
        "tails": [[float(t), v, agreed(f"tail({t}, {v})", tail(t, v), stats.t.sf(float(t), v))] for v in DEGREES for t in TS],
        "criticals": [
            [float(a), v, agreed(f"critical({a}, {v})", critical(a, v), stats.t.isf(float(a) / 2, v))] for v in DEGREES for a in ALPHAS
        ],
        "signs": [[k, n, stats.binomtest(k, n, 0.5).pvalue] for n in [1, 2, 5, 8, 13, 40, 200, 1000] for k in sorted({0, 1, n // 3, n // 2, n - 1, n})],
        "paired": [
            paired([2.41, 2.39, 2.45, 2.4, 2.42], [2.4, 2.37, 2.44, 2.4, 2.4], 0.95),
            paired([2.31, 2.36, 2.33, 2.35, 2.3, 2.34, 2.37, 2.32], [2.28, 2.37, 2.31, 2.36, 2.29, 2.35, 2.33, 2.34], 0.99),
        ],
        "welch": [
            welch([2.41, 2.39, 2.45, 2.4, 2.42], [2.3, 2.47, 2.24, 2.4, 2.1], 0.95),
            welch([2.31, 2.36, 2.33, 2.35, 2.3, 2.34, 2.37, 2.32], [2.28, 2.29, 2.31, 2.3, 2.29, 2.27, 2.26, 2.28], 0.99),
        ],
    },
    sys.stdout,
)
