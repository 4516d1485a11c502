"""Writes schedules-{pytorch,hugging-face,optax}.json beside this file: learning rates that the real libraries give.

A case is a schedule in the project's terms (type, and the library's parameters in camelCase), the steps sampled, and the
rate (and momentum, where the scheduler moves it) used by the update of each of these steps, or, for metric-driven ones, the
observations and the rate after each. With a folder as argument, full curves are written there instead; with --pytorch-only,
the PyTorch file alone is written, for which torch alone must be installed.
"""

import json
import math
import pathlib
import re
import sys
import warnings

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

PYTORCH_ONLY = "--pytorch-only" in sys.argv
if not PYTORCH_ONLY:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import optax
    import transformers
    from transformers.optimization import get_scheduler

warnings.filterwarnings("ignore")
HORIZON = 2100
FOLDER = next((argument for argument in sys.argv[1:] if argument != "--pytorch-only"), None)
FULL = FOLDER is not None
TORCH_NAMES = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}


def snake(name):
    return TORCH_NAMES.get(name) or re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def marks(value):
    """Every whole number in a spec, as steps worth looking at."""
    if isinstance(value, dict):
        found = {int(k) for k in value if k.isdigit()}
        return found.union(*(marks(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(marks(v) for v in value))
    return {value} if isinstance(value, int) and not isinstance(value, bool) else set()


def sampled(spec, last):
    if FULL:
        return list(range(last + 1))
    near = {m + d for m in marks(spec) | {2 * m for m in marks(spec)} for d in (-2, -1, 0, 1)}
    return sorted(s for s in set(range(26)) | set(range(0, last + 1, 53)) | near | {last} if 0 <= s <= last)


def expression(text):
    """A factor of t, in the project's expression language or as rows [step, factor], as a Python function."""
    if isinstance(text, list):
        return lambda t: next((f for step, f in reversed(text) if step <= t), 1)
    names = {k: getattr(math, k) for k in ("pi", "e", "cos", "sin", "exp", "log", "log10", "sqrt", "tanh", "floor", "ceil", "pow")}
    source = re.sub(r"^(.*) \? (.*) : (.*)$", r"((\2) if (\1) else (\3))", text).replace("^", "**")
    code = compile(source, "factor", "eval")
    return lambda t: eval(code, {"__builtins__": {}}, {**names, "t": t, "min": min, "max": max, "abs": abs})


VERSIONS = {"pytorch": {"torch": torch.__version__}}
if not PYTORCH_ONLY:
    VERSIONS |= {
        "hugging-face": {"transformers": transformers.__version__, "torch": torch.__version__},
        "optax": {"optax": optax.__version__, "jax": jax.__version__, "jax_enable_x64": True},
    }


def write(library, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    text = '{"generator":"schedules.py","versions":%s,"cases":[\n%s\n]}\n' % (json.dumps(VERSIONS[library]), lines)
    (pathlib.Path(FOLDER if FULL else pathlib.Path(__file__).parent) / f"schedules-{library}.json").write_text(text)
    print(library, len(cases), "cases", len(text), "bytes", flush=True)


# ---- PyTorch


def optimizer(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.5)


def torch_scheduler(opt, spec):
    kind = spec["type"]
    kwargs = {snake(k): v for k, v in spec.items() if k not in ("type", "lr", "every")}
    if kind in ("SequentialLR", "ChainedScheduler"):
        schedulers = [torch_scheduler(opt, {"lr": spec["lr"], **child}) for child in kwargs.pop("schedulers")]
        return getattr(lr_scheduler, kind)(*([schedulers] if kind == "ChainedScheduler" else [opt, schedulers]), **kwargs)
    if "lr_lambda" in kwargs:
        kwargs["lr_lambda"] = expression(kwargs["lr_lambda"])
    return (SWALR if kind == "SWALR" else getattr(lr_scheduler, kind))(opt, **kwargs)


def torch_case(spec, last=HORIZON):
    opt = optimizer(spec.get("lr", spec.get("baseLr", spec.get("maxLr"))))
    scheduler = torch_scheduler(opt, spec)
    lr, momentum = [], []
    for step in range(last + 1):
        lr.append(opt.param_groups[0]["lr"])
        momentum.append(opt.param_groups[0]["momentum"])
        if step < last:
            scheduler.step()
    at = sampled(spec, last)
    case = {"spec": spec, "at": at, "lr": [float(lr[s]) for s in at]}
    if any(m != 0.5 for m in momentum):
        case["momentum"] = [momentum[s] for s in at]
    return case


def losses(kind, count=120):
    """Observations of a few shapes; rounded, so that the file holds them exactly."""
    shape = {
        "flat": lambda i: 1.0,
        "down": lambda i: 3 * 0.97**i,
        "noisy": lambda i: 2 * 0.99**i + 0.05 * math.sin(7.3 * i),
        "steps": lambda i: [2.5, 1.7, 1.2, 1.1][i // 30],
        "negative": lambda i: -1 - 0.5 * (i // 20) + 0.01 * math.cos(i),
        "up": lambda i: 1 + 0.02 * i,
    }[kind]
    return [round(shape(i), 4) for i in range(count)]


SHAPES = ["flat", "down", "noisy", "steps", "negative", "up"]


def metric_case(spec, shape, make):
    seen = losses(shape)
    return {"spec": {**spec, "every": 1}, "losses": seen, "lr": make(spec, seen)}


def torch_metric(spec, seen):
    opt = optimizer(spec["lr"])
    kwargs = {snake(k): v for k, v in spec.items() if k not in ("type", "lr")}
    scheduler = (
        lr_scheduler.ReduceLROnPlateau(opt, **kwargs)
        if spec["type"] == "ReduceLROnPlateau"
        else get_scheduler(spec["type"][3:], opt, scheduler_specific_kwargs=kwargs)
    )
    out = []
    for value in seen:
        scheduler.step(value)
        out.append(opt.param_groups[0]["lr"])
    return out


def sets(kind, base, *changes):
    return [{"type": kind, **base, **change} for change in changes]


PLATEAU = [{}, {"patience": 0}, {"patience": 2, "cooldown": 1, "factor": 0.5}, {"factor": 0.3, "patience": 4, "minLr": 0.01},
           {"mode": "max", "patience": 3}, {"threshold": 0.05, "patience": 3}, {"threshold": 0.05, "thresholdMode": "abs", "patience": 3},
           {"factor": 0.9, "patience": 1, "cooldown": 5}, {"eps": 0.01, "patience": 1, "factor": 0.5}, {"factor": 0, "patience": 5},
           {"mode": "max", "thresholdMode": "abs", "threshold": 0.2, "patience": 2}, {"patience": 30, "factor": 0.2}]
# A relative threshold with which nothing is better than the infinity that PyTorch begins with, or much must be.
STRICT = [{"threshold": 1, "patience": 3}, {"threshold": 1.5, "patience": 2}, {"mode": "max", "threshold": 1.5, "patience": 2}, {"threshold": 1, "thresholdMode": "abs", "patience": 3}]

EXPRESSIONS = ["0.95 ** t", "1 / (1 + 0.01 * t)", "t < 100 ? (t + 1) / 100 : 1", "0.5 * (1 + cos(pi * t / 500))", "max(0, 1 - t / 1000)",
               "0.5 ** (t // 30)", "exp(-t / 300)", "1 / sqrt(max(t, 40))", "min(1, (t + 1) / 7) * 0.999 ^ t", "abs(sin(t / 11))",
               "0.1 + tanh(t / 900)", "(t % 17 + 1) / 17"]

torch_specs = [
    *[{"type": "LambdaLR", "lr": 0.1, "lrLambda": e} for e in EXPRESSIONS],
    *[{"type": "LambdaLR", "lr": 0.3, "lrLambda": [[0, 1], [100, 0.5], [1500, 0.01]]}, {"type": "LambdaLR", "lr": 0.3, "lrLambda": [[7, 0]]}],
    *[{"type": "MultiplicativeLR", "lr": 0.1, "lrLambda": e} for e in
      ["0.95", "0.999", "1 - 1 / (t + 1)", "t % 50 == 0 ? 0.5 : 1", "1 - 0.001 * cos(t)", "exp(-0.001)", "t < 10 ? 1.1 : 0.998",
       "1 + 0.0001 * sin(t / 3)", "sqrt(t / (t + 1))", "t // 1000 == 1 ? 0 : 1", [[0, 1], [100, 0.99], [300, 1]], [[5, 0.5], [6, 1.001]]]],
    *sets("StepLR", {"lr": 0.1}, *[{"stepSize": s, "gamma": g} for s, g in
          [(30, 0.1), (1, 0.999), (2, 0.99), (7, 0.5), (100, 0.1), (1000, 0.1), (2000, 0.5), (2001, 0.5), (5000, 0.1), (3, 1), (500, 2), (400, 0)]],
          {"stepSize": 250}),
    *sets("MultiStepLR", {"lr": 0.1}, *[{"milestones": m, "gamma": g} for m, g in
          [([30, 80], 0.1), ([1], 0.5), ([0], 0.5), ([0, 0, 5], 0.5), ([5, 5], 0.1), ([100, 200, 300], 0.3), ([2000], 0.1), ([1999, 2000, 2001], 0.9),
           ([3000], 0.1), ([10, 20, 30, 40, 50], 1.5), ([7], 0), ([1000, 1000, 1000], 0.7)]], {"milestones": [1000, 1500]}),
    *sets("ConstantLR", {"lr": 0.1}, {}, *[{"factor": f, "totalIters": n} for f, n in
          [(0.1, 4), (1, 10), (0.5, 1), (0.3, 100), (0.7, 1000), (0.9, 2000), (0.25, 2001), (0.5, 5000), (0.5, 0), (1e-6, 50), (0.333, 7), (0, 3000)]]),
    *sets("LinearLR", {"lr": 0.1}, {}, *[{"startFactor": s, "endFactor": e, "totalIters": n} for s, e, n in
          [(0.1, 1, 4), (1, 0, 2000), (0.001, 1, 100), (1, 0.1, 1000), (0.5, 0.5, 10), (1, 1, 10), (0.3, 0, 700), (0.25, 0.75, 1),
           (1e-6, 1, 1999), (0.9, 0.05, 5000), (0.5, 1, 0), (1 / 3, 0.7, 333)]]),
    *sets("ExponentialLR", {"lr": 0.1}, *[{"gamma": g} for g in [0.9, 0.99, 0.999, 0.9999, 1, 1.001, 0.5, 0.95, 0.1, 0.7, 0, 0.99999, 1.003]]),
    *sets("PolynomialLR", {"lr": 0.1}, {}, *[{"totalIters": n, "power": p} for n, p in
          [(8, 2), (2000, 1), (2000, 0.9), (1000, 2), (100, 0.5), (1, 1), (1, 3), (500, 4), (5000, 2), (1999, 1.5), (0, 1), (2001, 3)]]),
    *sets("CosineAnnealingLR", {"lr": 0.1}, *[{"tMax": n, "etaMin": m} for n, m in
          [(5, 0.01), (1, 0), (1, 0.01), (2, 0), (10, 0), (100, 0), (100, 0.001), (1000, 0), (2000, 0), (2000, 1e-5), (5000, 0), (333, 0.2), (7, 0), (1500, 0.0001)]]),
    *sets("CosineAnnealingWarmRestarts", {"lr": 0.1}, {"t0": 10}, *[{"t0": n, "tMult": k, "etaMin": m} for n, k, m in
          [(4, 2, 0), (1, 1, 0), (1, 2, 0.01), (50, 1, 0), (100, 2, 0.001), (7, 3, 0), (2000, 1, 0), (5000, 1, 0.01), (1000, 1, 0.2), (10, 10, 0), (500, 4, 1e-5), (3, 1, 0.05)]]),
    *sets("CyclicLR", {"baseLr": 0.01, "maxLr": 0.1}, {}, {"stepSizeUp": 2, "mode": "triangular2"}, {"stepSizeUp": 2, "mode": "exp_range", "gamma": 0.9},
          {"stepSizeUp": 100}, {"stepSizeUp": 100, "stepSizeDown": 300}, {"stepSizeUp": 7, "stepSizeDown": 3, "mode": "triangular2"},
          {"stepSizeUp": 250, "mode": "exp_range", "gamma": 0.9994}, {"stepSizeUp": 1}, {"stepSizeUp": 500, "cycleMomentum": False},
          {"stepSizeUp": 333, "stepSizeDown": 1, "baseMomentum": 0.5, "maxMomentum": 0.99}, {"stepSizeUp": 64, "baseLr": 0},
          {"stepSizeUp": 20, "baseLr": 0.1, "maxLr": 0.01}, {"stepSizeUp": 1000, "mode": "triangular2"}, {"stepSizeUp": 50, "mode": "exp_range"}),
    *sets("SWALR", {"lr": 0.1}, *[{"swaLr": v, "annealEpochs": n, "annealStrategy": a} for v, n, a in
          [(0.05, 10, "cos"), (0.05, 10, "linear"), (0.01, 1, "cos"), (0.01, 1, "linear"), (0.5, 100, "cos"), (0.02, 200, "linear"), (0.1, 10, "cos"),
           (0.05, 0, "cos"), (0.05, 0, "linear"), (0.001, 30, "cos"), (0.02, 3000, "linear"), (0.3, 7, "cos")]], {"swaLr": 0.05}),
    *[{"type": "SequentialLR", "lr": 0.1, "schedulers": s, "milestones": m} for s, m in [
        ([{"type": "LinearLR", "startFactor": 0.1, "totalIters": 4}, {"type": "CosineAnnealingLR", "tMax": 6}], [4]),
        ([{"type": "LinearLR", "startFactor": 0.01, "totalIters": 100}, {"type": "CosineAnnealingLR", "tMax": 1900}], [100]),
        ([{"type": "ConstantLR", "factor": 0.1, "totalIters": 20}, {"type": "ExponentialLR", "gamma": 0.99}], [20]),
        ([{"type": "ConstantLR", "factor": 0.5, "totalIters": 50}, {"type": "StepLR", "stepSize": 30}], [10]),
        ([{"type": "LinearLR"}, {"type": "MultiStepLR", "milestones": [100, 500]}, {"type": "PolynomialLR", "totalIters": 300, "power": 2}], [50, 1000]),
        ([{"type": "ExponentialLR", "gamma": 0.9}, {"type": "ExponentialLR", "gamma": 0.99}], [0]),
        ([{"type": "ExponentialLR", "gamma": 0.9}, {"type": "LinearLR"}, {"type": "CosineAnnealingLR", "tMax": 50, "etaMin": 0.01}], [30, 30]),
        ([{"type": "LinearLR", "startFactor": 0.2, "totalIters": 10}, {"type": "CosineAnnealingWarmRestarts", "t0": 20, "tMult": 2}], [10]),
        ([{"type": "LambdaLR", "lrLambda": "(t + 1) / 100"}, {"type": "LambdaLR", "lrLambda": "0.999 ** t"}], [100]),
        ([{"type": "ExponentialLR", "gamma": 0.999}], []),
        ([{"type": "MultiplicativeLR", "lrLambda": "0.99"}, {"type": "PolynomialLR", "totalIters": 1000}], [200]),
        ([{"type": "ConstantLR", "factor": 1, "totalIters": 1}, {"type": "CosineAnnealingLR", "tMax": 100}, {"type": "ConstantLR", "factor": 0.1, "totalIters": 5000}], [500, 600]),
        ([{"type": "CosineAnnealingLR", "tMax": 700}, {"type": "CyclicLR", "baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 40}, {"type": "ExponentialLR", "gamma": 0.99}], [300, 1200]),
        # A scheduler that takes over the rate which the one before left.
        ([{"type": "LinearLR", "startFactor": 0.1, "totalIters": 50}, {"type": "CosineAnnealingLR", "tMax": 900}, {"type": "SWALR", "swaLr": 0.02, "annealEpochs": 100}], [50, 600]),
        ([{"type": "ExponentialLR", "gamma": 0.99}, {"type": "SWALR", "swaLr": 0.05, "annealEpochs": 7, "annealStrategy": "linear"}, {"type": "SWALR", "swaLr": 0.01, "annealEpochs": 0}], [200, 300]),
        ([{"type": "SWALR", "swaLr": 0.02}, {"type": "ExponentialLR", "gamma": 0.999}, {"type": "SWALR", "swaLr": 0.3, "annealStrategy": "linear"}], [20, 900]),
        ([{"type": "StepLR", "stepSize": 30}, {"type": "MultiplicativeLR", "lrLambda": "0.999"}], [100]),
        ([{"type": "PolynomialLR", "totalIters": 1000}, {"type": "MultiplicativeLR", "lrLambda": "1 - 0.5 / (t + 1)"}, {"type": "StepLR", "stepSize": 300}], [300, 700]),
        ([{"type": "ExponentialLR", "gamma": 0.99}, {"type": "ConstantLR", "factor": 0.5, "totalIters": 0}, {"type": "LinearLR"}], [100, 200]),
        # A scheduler whose constructor changes what the others begin with.
        ([{"type": "CyclicLR", "baseLr": 0.01, "maxLr": 0.05, "stepSizeUp": 40}, {"type": "ExponentialLR", "gamma": 0.999}], [500]),
        ([{"type": "LinearLR", "startFactor": 0.1, "totalIters": 20}, {"type": "OneCycleLR", "maxLr": 0.5, "totalSteps": 2500}, {"type": "CosineAnnealingLR", "tMax": 400}], [100, 1500]),
        ([{"type": "OneCycleLR", "maxLr": 0.5, "totalSteps": 600}, {"type": "OneCycleLR", "maxLr": 0.2, "totalSteps": 2500, "divFactor": 10.0, "maxMomentum": 0.9}], [500]),
        ([{"type": "OneCycleLR", "maxLr": 0.5, "totalSteps": 900}, {"type": "CyclicLR", "baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 70, "baseMomentum": 0.6}, {"type": "MultiStepLR", "milestones": [0, 100]}], [800, 1000]),
    ]],
    *[{"type": "ChainedScheduler", "lr": 0.1, "schedulers": s} for s in [
        [{"type": "ConstantLR", "factor": 0.1, "totalIters": 4}, {"type": "ExponentialLR", "gamma": 0.9}],
        [{"type": "LinearLR", "startFactor": 0.1, "totalIters": 50}, {"type": "ExponentialLR", "gamma": 0.999}],
        [{"type": "LinearLR", "startFactor": 0.1, "totalIters": 50}, {"type": "CosineAnnealingLR", "tMax": 2000}],
        [{"type": "ExponentialLR", "gamma": 0.999}, {"type": "CosineAnnealingLR", "tMax": 500}],
        [{"type": "ConstantLR", "factor": 0.5, "totalIters": 100}, {"type": "CosineAnnealingLR", "tMax": 300, "etaMin": 0.01}],
        [{"type": "StepLR", "stepSize": 100, "gamma": 0.5}, {"type": "MultiStepLR", "milestones": [50, 50, 1000], "gamma": 0.8}],
        [{"type": "PolynomialLR", "totalIters": 1500, "power": 2}, {"type": "StepLR", "stepSize": 400}],
        [{"type": "MultiplicativeLR", "lrLambda": "0.999"}, {"type": "ConstantLR", "factor": 0.3, "totalIters": 10}],
        [{"type": "ExponentialLR", "gamma": 0.99}],
        [{"type": "ConstantLR", "factor": 0.5, "totalIters": 3}, {"type": "ConstantLR", "factor": 0.5, "totalIters": 6}, {"type": "LinearLR", "startFactor": 0.5, "totalIters": 9}],
        [{"type": "CosineAnnealingLR", "tMax": 10}, {"type": "StepLR", "stepSize": 3, "gamma": 0.9}],
        [{"type": "LinearLR", "startFactor": 1, "endFactor": 0, "totalIters": 1000}, {"type": "CosineAnnealingLR", "tMax": 400, "etaMin": 0.001}],
        [{"type": "MultiStepLR", "milestones": [0, 0, 70], "gamma": 0.5}, {"type": "ExponentialLR", "gamma": 0.999}],
        [{"type": "LinearLR", "startFactor": 0.5, "totalIters": 30}, {"type": "MultiStepLR", "milestones": [0, 30], "gamma": 0.3}],
    ]],
]
one_cycle = sets("OneCycleLR", {"maxLr": 0.1}, {"totalSteps": 10}, {"totalSteps": 20, "threePhase": True, "annealStrategy": "linear"}, {"totalSteps": 2000},
                 {"totalSteps": 2000, "annealStrategy": "linear"}, {"totalSteps": 1000, "pctStart": 0.25, "threePhase": True}, {"totalSteps": 333, "pctStart": 0.1},
                 {"totalSteps": 100, "pctStart": 0.0}, {"totalSteps": 57, "pctStart": 0.45, "threePhase": True}, {"epochs": 10, "stepsPerEpoch": 30},
                 {"totalSteps": 500, "divFactor": 10.0, "finalDivFactor": 100.0}, {"totalSteps": 500, "cycleMomentum": False, "annealStrategy": "linear"},
                 {"totalSteps": 700, "baseMomentum": 0.7, "maxMomentum": 0.9}, {"totalSteps": 1}, {"totalSteps": 50, "pctStart": 0.9, "threePhase": True})

torch_cases = [torch_case(s) for s in torch_specs]
torch_cases += [torch_case(s, s.get("totalSteps", s.get("epochs", 0) * s.get("stepsPerEpoch", 0))) for s in one_cycle]
torch_cases += [metric_case({"type": "ReduceLROnPlateau", "lr": 0.1, **p}, shape, torch_metric)
                for i, p in enumerate(PLATEAU) for shape in (SHAPES[i % 6], SHAPES[(i + 2) % 6])]
torch_cases += [metric_case({"type": "ReduceLROnPlateau", "lr": 0.1, **p}, shape, torch_metric) for p in STRICT for shape in ("down", "negative")]

write("pytorch", torch_cases)
if PYTORCH_ONLY:
    sys.exit()

# ---- Hugging Face


def hf_case(spec):
    opt = optimizer(spec["lr"])
    kwargs = {snake(k): v for k, v in spec.items() if k not in ("type", "lr", "numWarmupSteps", "numTrainingSteps")}
    scheduler = get_scheduler(spec["type"][3:], opt, spec.get("numWarmupSteps", 0), spec.get("numTrainingSteps"), kwargs)
    lr = []
    for _ in range(HORIZON + 1):
        lr.append(opt.param_groups[0]["lr"])
        scheduler.step()
    at = sampled(spec, HORIZON)
    return {"spec": spec, "at": at, "lr": [float(lr[s]) for s in at]}


SPANS = [(0, 2000), (2, 10), (100, 2000), (1, 1000), (50, 51), (0, 1), (200, 500), (1000, 2000), (10, 3000), (1999, 2000), (3, 7), (0, 137)]


def spans(kind, *changes, lr=0.1):
    return [{"type": kind, "lr": lr, "numWarmupSteps": w, "numTrainingSteps": n, **changes[i % len(changes)]} for i, (w, n) in enumerate(SPANS)]


hf_specs = [
    *[{"type": "hf/constant", "lr": lr} for lr in [0.1, 0.001, 1, 5e-5, 0, 3, 0.3, 1e-8, 100, 0.25, 0.7, 2e-4]],
    *[{"type": "hf/constant_with_warmup", "lr": 0.1, "numWarmupSteps": w} for w in [0, 1, 2, 3, 7, 10, 100, 500, 1000, 1999, 2000, 5000]],
    *spans("hf/linear", {}),
    {"type": "hf/linear", "lr": 0.1, "numWarmupSteps": 20, "numTrainingSteps": 10},
    *spans("hf/cosine", {}, {"numCycles": 1.5}, {"numCycles": 0.25}, {}),
    *spans("hf/cosine_with_restarts", {}, {"numCycles": 2}, {"numCycles": 5}),
    *spans("hf/polynomial", {}, {"power": 2.0, "lrEnd": 0.001}, {"power": 0.5}, {"lrEnd": 0.0, "power": 3.0}),
    *[{"type": "hf/inverse_sqrt", "lr": 0.1, "numWarmupSteps": w, **c} for w, c in
      [(0, {}), (4, {}), (100, {}), (1, {}), (500, {}), (2000, {}), (3000, {}), (0, {"timescale": 1}), (10, {"timescale": 100}), (100, {"timescale": 10}), (50, {"timescale": 50}), (7, {"timescale": 10000})]],
    *spans("hf/cosine_with_min_lr", {"minLr": 0.01}, {"minLrRate": 0.1}, {"minLrRate": 0.0}, {"minLr": 0.001, "numCycles": 1.5}),
    *spans("hf/cosine_warmup_with_min_lr", {"minLr": 0.01}, {"minLrRate": 0.1, "warmupLrRate": 0.1}, {"minLrRate": 0.0}, {"minLr": 0.001, "numCycles": 1.0, "warmupLrRate": 0.0}),
    *[{"type": "hf/warmup_stable_decay", "lr": 0.1, "numWarmupSteps": w, "numDecaySteps": d, **({"numStableSteps": s} if i % 2 else {"numTrainingSteps": w + s + d}), **c}
      for i, (w, s, d, c) in enumerate([
          (2, 4, 4, {"decayType": "1-sqrt", "minLrRatio": 0.1}), (100, 1000, 900, {}), (100, 1000, 900, {"decayType": "linear"}), (0, 1500, 500, {"decayType": "1-sqrt"}),
          (50, 0, 1950, {"warmupType": "cosine"}), (50, 100, 0, {"warmupType": "1-sqrt"}), (10, 20, 30, {"warmupType": "1-sqrt", "minLrRatio": 0.05, "decayType": "linear"}),
          (1, 1, 1, {}), (500, 500, 500, {"warmupType": "cosine", "minLrRatio": 0.2}), (0, 0, 1000, {"decayType": "linear"}),
          (100, 500, 700, {"numCycles": 1.5}), (300, 300, 2000, {"warmupType": "1-sqrt", "decayType": "1-sqrt"})])],
]
hf_cases = [hf_case(s) for s in hf_specs]
hf_cases += [metric_case({"type": "hf/reduce_lr_on_plateau", "lr": 0.1, **p}, SHAPES[i % 6], torch_metric) for i, p in enumerate(PLATEAU + STRICT)]
GREEDY = [{}, {"patience": 0}, {"patience": 2, "factor": 0.5}, {"patience": 1, "cooldown": 3, "warmup": 2}, {"smooth": True, "windowSize": 5, "patience": 3},
          {"patience": 0, "minLr": 0.05, "resetStart": 3}, {"mode": "max", "patience": 2}, {"thresholdMode": "rel", "threshold": 0.01, "patience": 3},
          {"minLr": 0.01, "maxLr": 0.2, "patience": 1, "factor": 0.7}, {"eps": 0.01, "patience": 1}, {"smooth": True, "patience": 0, "factor": 0.8},
          {"patience": 0, "cooldown": 1, "minLr": 0.09, "resetStart": 2, "factor": 0.9},
          {"thresholdMode": "rel", "threshold": 1, "patience": 2}, {"thresholdMode": "rel", "threshold": 1.5, "patience": 1}]
hf_cases += [metric_case({"type": "hf/greedy", "lr": 0.1, **p}, shape, torch_metric) for i, p in enumerate(GREEDY) for shape in (SHAPES[i % 6], SHAPES[(i + 1) % 6])]

write("hugging-face", hf_cases)

# ---- optax


def optax_schedule(spec):
    name = spec["type"][6:]
    kwargs = {snake(k): v for k, v in spec.items() if k != "type"}
    if "boundaries_and_scales" in kwargs:
        kwargs["boundaries_and_scales"] = {int(k): v for k, v in kwargs["boundaries_and_scales"].items()}
    if name == "join_schedules":
        kwargs["schedules"] = [optax_schedule(s) for s in kwargs["schedules"]]
    if name == "sgdr_schedule":
        kwargs["cosine_kwargs"] = [{snake(k): v for k, v in c.items()} for c in kwargs["cosine_kwargs"]]
    return getattr(optax, name)(**kwargs)


def optax_case(spec):
    at = sampled(spec, HORIZON)
    lr = jax.vmap(optax_schedule(spec))(jnp.asarray(at)) if spec["type"] != "optax/constant_schedule" else [spec["value"]] * len(at)
    lr = jnp.broadcast_to(jnp.asarray(lr), (len(at),))
    assert lr.dtype == jnp.float64, spec
    return {"spec": spec, "at": at, "lr": [float(v) for v in lr]}


def optax_metric(spec, seen):
    kwargs = {snake(k): v for k, v in spec.items() if k not in ("type", "lr")}
    plateau = optax.contrib.reduce_on_plateau(**kwargs)
    params = jnp.ones((), jnp.float64)
    state = plateau.init(params)
    update = jax.jit(lambda state, value: plateau.update(params, state, value=value)[1])
    out = []
    for value in seen:
        state = update(state, jnp.float64(value))
        out.append(spec["lr"] * float(state.scale))
    return out


def transitions(kind, base, *changes):
    settings = [(2000, 0), (10, 0), (1, 0), (0, 0), (500, 100), (1000, 1), (100, 1900), (5000, 0), (7, 3), (1999, 0), (300, 20), (2000, 50)]
    return [{"type": kind, **base, "transitionSteps": n, "transitionBegin": b, **changes[i % len(changes)]} for i, (n, b) in enumerate(settings)]


SCALES = [{}, {"100": 0.1}, {"0": 0.5}, {"1": 0.5, "2": 0.5}, {"30": 0.1, "60": 0.1, "90": 2.0}, {"2000": 0.5}, {"5000": 0.1}, {"10": 0.0, "20": 5.0},
          {"500": 1.0}, {"0": 2.0, "700": 0.3}, {"5": 0.9, "6": 0.8, "7": 0.7, "8": 0.6}, {"1999": 0.2, "2001": 0.3}]
COSINES = [(100, 2000), (0, 2000), (1, 10), (10, 11), (500, 1000), (50, 100), (0, 1), (3, 7), (1000, 5000), (200, 300), (7, 1999), (0, 50)]
END = [{}, {"endValue": 0.001}, {"exponent": 2.0}, {"endValue": 0.01, "exponent": 0.5}]
optax_specs = [
    *[{"type": "optax/constant_schedule", "value": v} for v in [0.1, 0.001, 1.0, 5e-5, 0.0, 3.0, 0.3, 1e-8, 100.0, 0.25, 0.7, 2e-4]],
    *transitions("optax/linear_schedule", {"initValue": 0.1, "endValue": 0.001}, {}, {"initValue": 0.0, "endValue": 0.1}, {"endValue": 0.0}),
    *transitions("optax/polynomial_schedule", {"initValue": 0.1, "endValue": 0.001, "power": 2.0}, {}, {"power": 1.0, "endValue": 0.0}, {"power": 0.5}, {"initValue": 0.0, "power": 3.0, "endValue": 0.1}),
    *[{"type": "optax/piecewise_constant_schedule", "initValue": 0.1, "boundariesAndScales": s} for s in SCALES],
    *[{"type": "optax/piecewise_interpolate_schedule", "interpolateType": ["linear", "cosine"][i % 2], "initValue": 0.1, "boundariesAndScales": s} for i, s in enumerate(SCALES)],
    *[{"type": "optax/piecewise_interpolate_schedule", "interpolateType": ["cosine", "linear"][i % 2], "initValue": 0.1, "boundariesAndScales": s} for i, s in enumerate(SCALES)],
    *transitions("optax/exponential_decay", {"initValue": 0.1, "decayRate": 0.5}, {}, {"staircase": True}, {"decayRate": 0.9, "endValue": 0.01}, {"decayRate": 1.2, "endValue": 0.5}, {"decayRate": 0.0}),
    *[{"type": "optax/cosine_decay_schedule", "initValue": 0.1, "decaySteps": n, **c} for n, c in
      [(2000, {}), (10, {}), (1, {}), (100, {"alpha": 0.1}), (1000, {"exponent": 2.0}), (500, {"alpha": 0.01, "exponent": 0.5}), (5000, {}), (7, {"alpha": 1.0}), (333, {}), (1999, {"alpha": 0.001}), (50, {"exponent": 3.0}), (2, {})]],
    *[{"type": "optax/linear_onecycle_schedule", "transitionSteps": n, "peakValue": 0.1, **c} for n, c in
      [(2000, {}), (100, {}), (10, {}), (1000, {"pctStart": 0.1, "pctFinal": 0.9}), (57, {}), (500, {"divFactor": 10.0}), (500, {"finalDivFactor": 100.0}), (333, {"pctStart": 0.0}), (200, {"pctFinal": 1.0}), (5000, {}), (7, {"pctStart": 0.5, "pctFinal": 0.5}), (1, {}), (1500, {"pctStart": 0.45, "pctFinal": 0.9, "divFactor": 5.0, "finalDivFactor": 50.0})]],
    *[{"type": "optax/cosine_onecycle_schedule", "transitionSteps": n, "peakValue": 0.1, **c} for n, c in
      [(2000, {}), (100, {}), (10, {}), (1000, {"pctStart": 0.1}), (57, {}), (500, {"divFactor": 10.0}), (500, {"finalDivFactor": 100.0}), (333, {"pctStart": 0.0}), (200, {"pctStart": 1.0}), (5000, {}), (7, {"pctStart": 0.5}), (1, {}), (1500, {"pctStart": 0.45, "divFactor": 5.0, "finalDivFactor": 50.0})]],
    *[{"type": "optax/warmup_constant_schedule", "initValue": i, "peakValue": 0.1, "warmupSteps": w} for w, i in
      [(0, 0.01), (1, 0.0), (2, 0.0), (3, 0.01), (10, 0.0), (100, 0.0), (100, 0.2), (500, 0.001), (1999, 0.0), (2000, 0.0), (5000, 0.0), (7, 0.1)]],
    *[{"type": "optax/warmup_cosine_decay_schedule", "initValue": [0.0, 0.01][i % 2], "peakValue": 0.1, "warmupSteps": w, "decaySteps": n, **END[i % 4]} for i, (w, n) in enumerate(COSINES)],
    *[{"type": "optax/warmup_exponential_decay_schedule", "initValue": 0.0, "peakValue": 0.1, "warmupSteps": w, "transitionSteps": n, "decayRate": r, **c} for w, n, r, c in
      [(100, 1000, 0.5, {}), (0, 100, 0.5, {}), (10, 10, 0.9, {"staircase": True}), (1, 2000, 0.1, {}), (50, 100, 0.5, {"transitionBegin": 30}), (50, 100, 0.5, {"endValue": 0.01}),
       (50, 500, 1.5, {"endValue": 0.2}), (7, 0, 0.5, {}), (500, 1, 0.99, {}), (3, 3, 0.7, {"staircase": True, "transitionBegin": 5}), (2000, 10, 0.5, {}), (20, 200, 0.0, {})]],
    *[{"type": "optax/sgdr_schedule", "cosineKwargs": [{"initValue": 0.0, "peakValue": p, "warmupSteps": w, "decaySteps": n, **c} for p, w, n, c in k]} for k in [
        [(0.1, 10, 100, {})], [(0.1, 10, 100, {}), (0.05, 20, 200, {})], [(0.1, 0, 500, {}), (0.05, 0, 500, {}), (0.02, 0, 1000, {})], [(0.1, 1, 2, {}), (0.2, 1, 4, {}), (0.3, 1, 8, {})],
        [(0.1, 100, 1000, {"endValue": 0.01}), (0.1, 100, 1000, {"endValue": 0.001})], [(0.1, 10, 50, {"exponent": 2.0}), (0.1, 10, 70, {})], [(1.0, 5, 2000, {})],
        [(0.1, 3, 10, {})] * 8, [(0.1, 0, 1, {}), (0.2, 0, 1, {}), (0.3, 0, 3000, {})], [(0.5, 50, 300, {}), (0.25, 50, 600, {}), (0.125, 50, 1200, {})],
        [(0.1, 20, 40, {"endValue": 0.1}), (0.3, 20, 40, {"endValue": 0.05})], [(0.01, 7, 77, {}), (0.02, 77, 777, {})]]],
    *[{"type": "optax/join_schedules", "schedules": s, "boundaries": b} for s, b in [
        ([{"type": "optax/constant_schedule", "value": 0.1}], []),
        ([{"type": "optax/linear_schedule", "initValue": 0.0, "endValue": 0.1, "transitionSteps": 100}, {"type": "optax/cosine_decay_schedule", "initValue": 0.1, "decaySteps": 1900}], [100]),
        ([{"type": "optax/constant_schedule", "value": 0.1}, {"type": "optax/constant_schedule", "value": 0.01}, {"type": "optax/constant_schedule", "value": 0.001}], [1000, 1500]),
        ([{"type": "optax/linear_schedule", "initValue": 0.0, "endValue": 0.1, "transitionSteps": 10}, {"type": "optax/exponential_decay", "initValue": 0.1, "transitionSteps": 100, "decayRate": 0.5}], [10]),
        ([{"type": "optax/constant_schedule", "value": 0.1}, {"type": "optax/constant_schedule", "value": 0.2}], [0]),
        ([{"type": "optax/constant_schedule", "value": 0.1}, {"type": "optax/constant_schedule", "value": 0.2}, {"type": "optax/constant_schedule", "value": 0.3}], [50, 50]),
        ([{"type": "optax/cosine_decay_schedule", "initValue": 0.1, "decaySteps": 50}] * 4, [50, 100, 150]),
        ([{"type": "optax/polynomial_schedule", "initValue": 0.1, "endValue": 0.0, "power": 2.0, "transitionSteps": 500}, {"type": "optax/constant_schedule", "value": 0.005}], [400]),
        ([{"type": "optax/warmup_constant_schedule", "initValue": 0.0, "peakValue": 0.3, "warmupSteps": 20}, {"type": "optax/piecewise_constant_schedule", "initValue": 0.3, "boundariesAndScales": {"100": 0.1}}], [20]),
        ([{"type": "optax/warmup_cosine_decay_schedule", "initValue": 0.0, "peakValue": 0.1, "warmupSteps": 5, "decaySteps": 50}, {"type": "optax/constant_schedule", "value": 0.01}], [2000]),
        ([{"type": "optax/cosine_onecycle_schedule", "transitionSteps": 100, "peakValue": 0.1}] * 2, [60]),
        ([{"type": "optax/join_schedules", "schedules": [{"type": "optax/constant_schedule", "value": 0.1}, {"type": "optax/constant_schedule", "value": 0.2}], "boundaries": [30]}, {"type": "optax/constant_schedule", "value": 0.3}], [40]),
    ]],
]
optax_cases = [optax_case(s) for s in optax_specs]
OPTAX_PLATEAU = [{}, {"patience": 1}, {"patience": 3, "cooldown": 2, "factor": 0.5}, {"accumulation_size": 4, "patience": 2}, {"rtol": 0.05, "patience": 3}, {"rtol": 0.0, "atol": 0.1, "patience": 4},
                 {"min_scale": 0.1, "patience": 2, "factor": 0.5}, {"patience": 5, "cooldown": 10}, {"accumulation_size": 3, "cooldown": 1, "patience": 1, "factor": 0.8},
                 {"rtol": 0.01, "atol": 0.01, "patience": 2}, {"factor": 0.9, "patience": 1, "min_scale": 0.5}, {"patience": 30}]
camel = lambda name: re.sub(r"_(.)", lambda m: m.group(1).upper(), name)
optax_cases += [metric_case({"type": "optax/reduce_on_plateau", "lr": 0.1, **{camel(k): v for k, v in p.items()}}, shape, optax_metric)
                for i, p in enumerate(OPTAX_PLATEAU) for shape in (SHAPES[i % 6], SHAPES[(i + 3) % 6])]
write("optax", optax_cases)
