"""Golden values for the engines, from PyTorch in f64 (lion: from optax, which PyTorch lacks): python test/golden/engine.py > test/golden/engine.json

Inputs come from the integer recipe below, which test/engine/problem.ts repeats; only PyTorch's answers are stored.
"""
import json
import sys

import jax
import numpy
import optax
import torch

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
MASK = 0xFFFFFFFF


def mixed(k):
    x = (k + 1) * 2654435761 & MASK
    x ^= x >> 15
    x = x * 2246822519 & MASK
    return x ^ x >> 13


def problem(case):
    """Weights in [-0.5, 0.5) with 24 bits, exact in f32; symbols by remainder."""
    vocab, length, count = case["vocabSize"], case["contextLength"], case["examples"]
    widths = [length * case["embeddingDim"], *case["hiddenSizes"], vocab]
    shapes = [(vocab, case["embeddingDim"])]
    for fan_in, fan_out in zip(widths, widths[1:]):
        shapes += [(fan_in, fan_out), (fan_out,)]
    parameters, k = [], 0
    for shape in shapes:
        size = int(numpy.prod(shape))
        values = [(mixed(k + i) >> 8) / 2**24 - 0.5 for i in range(size)]
        parameters.append(torch.tensor(values).reshape(shape).requires_grad_())
        k += size
    symbols = [mixed(1_000_000 + i) % vocab for i in range(count * (length + 1))]
    table = torch.tensor(symbols).reshape(count, length + 1)
    return parameters, table[:, :length], table[:, length]


def loss_of(case, parameters, contexts, targets):
    x = parameters[0][contexts].flatten(1)
    layers = parameters[1:]
    for i in range(0, len(layers), 2):
        x = x @ layers[i] + layers[i + 1]
        if i + 2 < len(layers):
            x = torch.tanh(x) if case["activation"] == "tanh" else torch.relu(x)
    return torch.nn.functional.cross_entropy(x, targets)


def rounded(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def flat(tensors):
    return [value for tensor in tensors for value in rounded(tensor)]


def gradient(case):
    parameters, contexts, targets = problem(case)
    loss = loss_of(case, parameters, contexts, targets)
    loss.backward()
    return {**case, "loss": loss.item(), "gradient": flat(p.grad for p in parameters)}


class OptaxLion:
    """optax.lion on torch's parameters and gradients, with the part of torch.optim's interface that is used here."""

    def __init__(self, parameters, lr, betas, weight_decay):
        self.parameters, self.weight_decay = parameters, weight_decay
        self.param_groups = [{"lr": lr, "betas": betas}]
        self.state = self.rule().init([p.detach().numpy() for p in parameters])

    def rule(self):
        group = self.param_groups[0]
        return optax.lion(group["lr"], *group["betas"], weight_decay=self.weight_decay)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        gradients, values = [p.grad.numpy() for p in self.parameters], [p.detach().numpy() for p in self.parameters]
        updates, self.state = self.rule().update(gradients, self.state, values)
        for p, update in zip(self.parameters, updates):
            p += torch.from_numpy(numpy.array(update))


def make_optimizer(spec, parameters, lr):
    wd = spec["weightDecay"]
    if spec["type"] == "sgd":
        rest = {key: spec[key] for key in ("momentum", "dampening", "nesterov")}
        return torch.optim.SGD(parameters, lr=lr, weight_decay=wd, **rest), "momentum"
    if spec["type"] == "rmsprop":
        rest = {key: spec[key] for key in ("alpha", "eps", "momentum", "centered")}
        return torch.optim.RMSprop(parameters, lr=lr, weight_decay=wd, **rest), "momentum"
    if spec["type"] == "lion":
        return OptaxLion(parameters, lr, (spec["beta1"], spec["beta2"]), wd), "beta1"
    kind = torch.optim.Adam if spec["type"] == "adam" else torch.optim.AdamW
    return kind(parameters, lr=lr, betas=(spec["beta1"], spec["beta2"]), eps=spec["eps"], weight_decay=wd), "beta1"


def trajectory(case):
    parameters, contexts, targets = problem(case)
    spec, lr, steps = case["optimizer"], case["lr"], case["steps"]
    optimizer, cycled = make_optimizer(spec, parameters, lr)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(case, parameters, contexts, targets)
        loss.backward()
        group = optimizer.param_groups[0]
        group["lr"] = lr / (1 + step % 3)
        if case["cycle"] is not None:
            value = case["cycle"][step % len(case["cycle"])]
            group.update({"momentum": value} if cycled == "momentum" else {"betas": (value, spec["beta2"])})
        optimizer.step()
        if step % case["every"] == 0:
            losses.append(loss.item())
    return {**case, "losses": losses, "parameters": flat(parameters)}


def shape(hidden, activation="tanh", vocab=27, length=3, dim=2, examples=20):
    return {"hiddenSizes": hidden, "activation": activation, "vocabSize": vocab, "contextLength": length,
            "embeddingDim": dim, "examples": examples}


SGD = {"type": "sgd", "momentum": 0, "dampening": 0, "nesterov": False, "weightDecay": 0}
ADAM = {"type": "adam", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weightDecay": 0}
LION = {"type": "lion", "beta1": 0.9, "beta2": 0.99, "weightDecay": 0}
RMSPROP = {"type": "rmsprop", "alpha": 0.99, "eps": 1e-8, "momentum": 0, "centered": False, "weightDecay": 0}
SMALL = shape([5], vocab=7, length=2, examples=12)
RULES = [
    (SGD, 0.5, None),
    ({**SGD, "weightDecay": 0.1}, 0.5, None),
    ({**SGD, "momentum": 0.9}, 0.2, None),
    ({**SGD, "momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01}, 0.2, None),
    ({**SGD, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01}, 0.2, None),
    ({**SGD, "momentum": 0.9, "dampening": 0.3}, 0.2, [0, 0.5, 0.9, 0.25]),
    (ADAM, 0.05, None),
    ({**ADAM, "weightDecay": 0.1}, 0.05, None),
    (ADAM, 0.05, [0.85, 0.5, 0.95]),
    ({**ADAM, "type": "adamw", "weightDecay": 0.1, "beta2": 0.99}, 0.05, None),
    (RMSPROP, 0.01, None),
    ({**RMSPROP, "centered": True, "weightDecay": 0.01}, 0.01, None),
    ({**RMSPROP, "momentum": 0.9}, 0.005, None),
    ({**RMSPROP, "momentum": 0.9, "centered": True, "alpha": 0.9}, 0.005, [0.5, 0, 0.9]),
    ({**ADAM, "type": "adamw", "weightDecay": 0.1}, 0.05, [0.85, 0.5, 0.95]),
    (LION, 0.005, None),
    ({**LION, "weightDecay": 0.1}, 0.01, None),
    ({**LION, "beta2": 0.9, "weightDecay": 0.01}, 0.01, [0.85, 0.5, 0.95]),
]
SHAPES = [
    shape([1], vocab=3, length=1, dim=1, examples=1),
    shape([3], vocab=5, length=2, dim=3, examples=5),
    shape([5, 17], "relu", length=3, dim=5, examples=17),
    shape([129], length=1, dim=3, vocab=17, examples=129),
    shape([17, 5, 3, 1], length=5, dim=1, examples=33),
    shape([16, 8], "relu", vocab=32, length=4, dim=4, examples=64),
]


def run(case, optimizer, lr, steps, every, cycle=None):
    extra = {"optimizer": optimizer, "lr": lr, "steps": steps, "every": every, "cycle": cycle}
    return trajectory({**case, **extra})


json.dump({
    "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "numpy": numpy.__version__,
                 "optax": optax.__version__},
    "gradients": [gradient(case) for case in SHAPES],
    "trajectories": [
        run(shape([9]), SGD, 0.3, 10, 1),
        run(shape([9]), SGD, 0.3, 1000, 50),
        # A rate at which torch.float32 stays within 1e-6 of this run: faster, a unit crosses its kink and the paths part.
        run(shape([8, 6], "relu"), SGD, 0.03, 1000, 50),
    ],
    "optimizers": [run(SMALL, rule, lr, 30, 1, cycle) for rule, lr, cycle in RULES],
}, sys.stdout, separators=(",", ":"))
sys.stdout.write("\n")
