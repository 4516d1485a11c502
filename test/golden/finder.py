"""Writes finder.json: what the real Lightning suggests, records and steps through.

Run: python test/golden/finder.py > test/golden/finder.json   (needs lightning, torch and numpy; no other test needs Python)

`raw` is what the library's callback is fed, `recorded` what it keeps until it stops, `suggestion` what it makes of that.
"""
import json
import math
import types
import warnings

import numpy as np
import torch
import lightning
from lightning.pytorch.tuner.lr_finder import _ExponentialLR, _LinearLR, _LRCallback, _LRFinder

warnings.filterwarnings("ignore")


def ladder(schedule, start, end, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=start)
    scheduler = schedule(optimizer, end, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def record(losses, threshold=4.0):
    """Feeds raw losses to the library's own callback, step by step, as its training loop would."""
    callback = _LRCallback(len(losses), threshold, progress_bar_refresh_rate=0)
    strategy = types.SimpleNamespace(broadcast=lambda value: value)
    trainer = types.SimpleNamespace(
        fit_loop=types.SimpleNamespace(batch_idx=0), accumulate_grad_batches=1, strategy=strategy, should_stop=False, global_step=0
    )
    for index, loss in enumerate(losses):
        trainer.global_step = index + 1
        callback.on_train_batch_end(trainer, None, torch.tensor(loss, dtype=torch.float64), None, index)
        if trainer.should_stop:
            break
    return callback.losses


def suggestion(rates, losses):
    finder = _LRFinder("exponential", rates[0], rates[-1], len(rates))
    finder.results = {"lr": rates[: len(losses)], "loss": losses}
    return finder.suggestion()


def curve(kind, rates, rng):
    rates = np.array(rates)
    clean = 2 + 1 / (1 + rates / 0.01) + (rates / 2) ** 2
    if kind == "clean":
        return clean
    noisy = clean + rng.normal(0, 0.1, len(rates))
    if kind == "diverging":
        noisy = noisy + 1e3 * np.maximum(0, rates - 0.3) ** 2
    return noisy


def main():
    rng = np.random.default_rng(2)
    cases = []
    for kind in ("clean", "noisy", "diverging"):
        for seed in range(8 if kind != "clean" else 1):
            rates = ladder(_ExponentialLR, 1e-8, 1.0, 100)
            raw = [float(x) for x in curve(kind, rates, rng)]
            recorded = record(raw)
            cases.append(dict(kind=kind, lr=rates, raw=raw, recorded=recorded, suggestion=suggestion(rates, recorded)))
    # The noise-free curve of the conformance vectors, on fastai's ladder, trimmed [10:-5] and unsmoothed. In exact arithmetic
    # the first kept point wins; in the library's float32 a later one does.
    rates = [float(1e-7 * 1e8 ** (i / 100)) for i in range(100)]
    losses = [2 + 1 / (1 + x / 0.01) + (x / 2) ** 2 for x in rates]
    finder = _LRFinder("exponential", 1e-7, 10, 100)
    finder.results = {"lr": rates, "loss": losses}
    vector = dict(lr=rates, loss=losses, suggestion=finder.suggestion(10, 5))
    numpy_cases = []
    for count in (2, 3, 9, 40):
        x = np.sort(rng.uniform(0, 1, count))
        y = rng.normal(0, 1, count)
        numpy_cases.append(dict(x=x.tolist(), y=y.tolist(), index=np.gradient(y).tolist(), over=np.gradient(y, x).tolist()))
    ladders = [
        dict(spacing=spacing, start=start, end=end, steps=steps, lr=ladder(schedule, start, end, steps))
        for spacing, schedule in (("exponential", _ExponentialLR), ("linear", _LinearLR))
        for start, end, steps in ((1e-8, 1.0, 100), (1e-4, 10.0, 7))
    ]
    versions = dict(lightning=lightning.__version__, torch=torch.__version__, numpy=np.__version__)
    print(json.dumps(dict(versions=versions, lightning=cases, vector=vector, numpy=numpy_cases, ladders=ladders)))
    assert all(math.isfinite(case["suggestion"]) for case in cases)


main()
