"""Times one training step in PyTorch and JAX, one thread each: peers.py '{"embeddingDim": 2, ...}' prints {name: steps/s}.

What is not installed, or does not work, is left out (its reason goes to stderr).
"""
import json
import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})

shape = json.loads(sys.argv[1])
CONTEXT, DIM, HIDDEN = shape["contextLength"], shape["embeddingDim"], shape["hiddenSizes"]
BATCH, VOCAB, COUNT, SECONDS = shape["batchSize"], shape["vocabSize"], shape["count"], shape["seconds"]
WIDTHS = [CONTEXT * DIM, *HIDDEN, VOCAB]
LR = 0.01
results = {}


def rate(run, steps=4):
    """Steps/s of run(steps), in a slice of about SECONDS; the first calls warm up."""
    run(steps)
    while True:
        start = time.perf_counter()
        run(steps)
        spent = time.perf_counter() - start
        if spent >= SECONDS:
            return steps / spent
        steps = int(steps * min(10, max(1.3, 1.1 * SECONDS / spent))) + 1


def attempt(name, build):
    try:
        results[name] = rate(build())
    except Exception as error:  # a peer that fails is left out, not fatal
        print(f"{name}: {type(error).__name__}: {error}"[:300], file=sys.stderr)


def pytorch():
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    torch.manual_seed(0)
    xs = torch.randint(0, VOCAB, (COUNT, CONTEXT))
    ys = torch.randint(0, VOCAB, (COUNT,))

    def parameters(grad):
        made = [torch.randn(VOCAB, DIM)]
        for i, o in zip(WIDTHS, WIDTHS[1:]):
            made += [torch.randn(i, o) * i**-0.5, torch.zeros(o)]
        return [p.requires_grad_(grad) for p in made]

    def loss_of(p, x, y):
        h = p[0][x].view(x.shape[0], -1)
        for layer in range(1, len(p) - 2, 2):
            h = torch.tanh(h @ p[layer] + p[layer + 1])
        return F.cross_entropy(h @ p[-2] + p[-1], y)

    def autograd(loss_function):
        p = parameters(True)

        def run(steps):
            for _ in range(steps):
                ix = torch.randint(0, COUNT, (BATCH,))
                loss = loss_function(p, xs[ix], ys[ix])
                for t in p:
                    t.grad = None
                loss.backward()
                with torch.no_grad():
                    for t in p:
                        t -= LR * t.grad

        return run

    def by_hand():
        p = parameters(False)
        rows = torch.arange(BATCH)

        @torch.no_grad()
        def run(steps):
            for _ in range(steps):
                ix = torch.randint(0, COUNT, (BATCH,))
                x, y = xs[ix], ys[ix]
                hs = [p[0][x].view(BATCH, -1)]
                for layer in range(1, len(p) - 2, 2):
                    hs.append(torch.tanh(torch.addmm(p[layer + 1], hs[-1], p[layer])))
                d = torch.softmax(torch.addmm(p[-1], hs[-1], p[-2]), 1)
                d[rows, y].log().mean()
                d[rows, y] -= 1
                d /= BATCH
                for layer in range(len(p) - 2, 0, -2):
                    h = hs.pop()
                    back = d @ p[layer].T
                    p[layer].addmm_(h.T, d, alpha=-LR)
                    p[layer + 1].sub_(d.sum(0), alpha=LR)
                    d = back.mul_(1 - h * h) if layer > 1 else back
                p[0].index_add_(0, x.view(-1), d.view(-1, DIM), alpha=-LR)

        return run

    attempt("pytorch eager", lambda: autograd(loss_of))
    attempt("pytorch, backward by hand", by_hand)
    if not os.environ.get("ANNEAL_BENCH_NO_COMPILE"):
        attempt("torch.compile", lambda: autograd(torch.compile(loss_of)))


def jax_scan():
    import jax
    import jax.numpy as jnp

    key = jax.random.key(0)
    xs = jax.random.randint(key, (COUNT, CONTEXT), 0, VOCAB)
    ys = jax.random.randint(key, (COUNT,), 0, VOCAB)
    p = [jax.random.normal(key, (VOCAB, DIM))]
    for i, o in zip(WIDTHS, WIDTHS[1:]):
        p += [jax.random.normal(key, (i, o)) * i**-0.5, jnp.zeros(o)]

    def loss_of(p, x, y):
        h = p[0][x].reshape(x.shape[0], -1)
        for layer in range(1, len(p) - 2, 2):
            h = jnp.tanh(h @ p[layer] + p[layer + 1])
        return -jnp.take_along_axis(jax.nn.log_softmax(h @ p[-2] + p[-1]), y[:, None], 1).mean()

    def step(p, k):
        ix = jax.random.randint(k, (BATCH,), 0, COUNT)
        loss, grads = jax.value_and_grad(loss_of)(p, xs[ix], ys[ix])
        return [t - LR * g for t, g in zip(p, grads)], loss

    chunk = 64
    many = jax.jit(lambda p, key: jax.lax.scan(step, p, jax.random.split(key, chunk)))

    def run(q):
        q, losses = many(q, key)
        losses.block_until_ready()
        return q

    p = run(p)
    spent, done = 0.0, 0
    start = time.perf_counter()
    while spent < SECONDS:
        p = run(p)
        done += chunk
        spent = time.perf_counter() - start
    return done / spent


try:
    pytorch()
except ImportError as error:
    print(error, file=sys.stderr)
try:
    results["jax jit, lax.scan"] = jax_scan()
except ImportError as error:
    print(error, file=sys.stderr)
print(json.dumps(results))
