"""Anneal from Python: one file, standard library only (Python 3.9 or newer). Copy it beside your script or notebook.

    from anneal import Anneal

    client = Anneal("http://127.0.0.1:3000")       # default: ANNEAL_URL; key="anneal_..." or ANNEAL_KEY where keys are on
    run = client.create(steps=10_000, schedule={"type": "cosine", "lr": 0.1})
    for step, lr, loss in client.follow(run["id"]):
        ...                                        # every step once, over cuts and restarts of the service
    run = client.wait(run["id"])                   # run["status"], run["result"]["finalValidationLoss"]
    steps = client.metrics(run["id"])              # columns step, lr, loss: a DataFrame, NumPy arrays or lists, as there are
    client.compare(run["id"], other["id"])         # both smoothed losses and their difference, in nats

Fields are those of the HTTP API (docs/api.md); what it refuses is an AnnealError that names the field. `python anneal.py` is a
small tour against a service that runs.
"""

import http.client
import json
import math
import os
import time
import urllib.parse
import uuid

#: Seconds of silence after which a connection is taken for dead: an event stream has a heartbeat every 10.
SILENCE = 30
LONGEST_DELAY = 5.0
OVER = ("succeeded", "diverged", "failed", "canceled")


class AnnealError(Exception):
    """The service refuses. `status` is HTTP's, `problem` the whole answer (RFC 9457), `errors` what is wrong by field."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem
        self.errors = problem.get("errors", [])


class Picture(str):
    """An SVG, which a notebook shows as a picture."""

    def _repr_svg_(self):
        return str(self)

    def __repr__(self):
        return f"<SVG of {len(self)} characters>"


class Anneal:
    """One service. What will pass (no connection, Redis away, too many requests) is tried again for `patience` seconds."""

    def __init__(self, url=None, key=None, patience=300):
        self.url = (url or os.environ.get("ANNEAL_URL") or "http://127.0.0.1:3000").rstrip("/")
        self.key = key or os.environ.get("ANNEAL_KEY")
        self.patience = patience

    # Runs

    def create(self, **request):
        """Creates a run and returns it, with every default spelled out and the seed drawn. Sent again, it creates no second one."""
        return self.call("POST", "/v1/runs", request, {"idempotency-key": str(uuid.uuid4())})

    def get(self, id):
        """A run: `status`, `progress`, `spec`, `result`."""
        return self.call("GET", f"/v1/runs/{id}")

    def wait(self, id):
        """The run once it is over, whichever way: see its `status`."""
        for _ in self.messages(id):
            pass
        return self.get(id)

    def follow(self, id, start=0):
        """(step, lr, loss) of every step from `start` on, each once, as they are trained. A loss in nats; nan: not finite."""
        for message in self.messages(id, start):
            if message["type"] == "metrics":
                for i, (lr, loss) in enumerate(zip(message["lr"], message["loss"])):
                    yield message["from"] + i, lr, math.nan if loss is None else loss

    def messages(self, id, start=0):
        """A run's messages (docs/api.md, Streams); `end` is the last. After a cut it goes on from the next step that is missing."""
        had = None
        heard, delay = time.monotonic(), 0.25
        while True:
            try:
                for message in self._events(f"/v1/runs/{id}/events", start if had is None else had):
                    heard, delay = time.monotonic(), 0.25
                    if message["type"] == "metrics":
                        # A fork's log begins later than one may have asked; once there is a step, none may be missing.
                        if had is not None and message["from"] != had:
                            raise ConnectionError(f"step {had} is missing")
                        had = message["from"] + len(message["loss"])
                    yield message
                    if message["type"] == "end":
                        return
            except (OSError, http.client.HTTPException, AnnealError) as error:
                self._will_pass(error, heard)
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    # What came of it

    def metrics(self, id, **query):
        """A table of every step: step, lr, loss. `every=100`: each hundredth; `columns="step,loss,smoothed"`; `from_=`, `to=`.

        With `window=` or `points=` (and `transform="log10"`) of summaries instead: step, min, max, mean, lr of each bucket.
        """
        answer = self.call("GET", _path(f"/v1/runs/{id}/metrics", query))
        columns = {name: values for name, values in answer.items() if isinstance(values, list) and name != "evals"}
        if "step" not in columns:
            columns = {"step": list(range(answer["from"], answer["to"])), **columns}
        return table(columns)

    def compare(self, a, b, window=1000):
        """A table of two runs: step, the mean loss of each over windows of steps, and b's less a's, in nats.

        One pair is one pair of chances: whether a schedule is better is asked by an experiment (docs/experiments.md).
        """
        one, other = (self.call("GET", _path(f"/v1/runs/{id}/metrics", {"window": window})) for id in (a, b))
        end = min(one["to"], other["to"])
        means = dict(zip(other["step"], other["mean"]))
        pairs = [(step, mean, means.get(step)) for step, mean in zip(one["step"], one["mean"]) if step + window <= end]
        rows = [(s, x, y) for s, x, y in pairs if x is not None and y is not None]
        return table(
            {
                "step": [s for s, _, _ in rows],
                "a": [x for _, x, _ in rows],
                "b": [y for _, _, y in rows],
                "difference": [y - x for _, x, y in rows],
            }
        )

    def suggestions(self, id):
        """Of a sweep: what each library's finder reads off it, as {method: rate}; those that find none are left out."""
        found = self.call("GET", f"/v1/runs/{id}/suggestions")["suggestions"]
        return {each["method"]: each["lr"] for each in found if each["lr"] is not None}

    def plot(self, id, name="loss", **query):
        """A picture for a notebook: schedule, loss, lr-loss, exponent-loss or log-loss; `runs="id,id"` draws others over it."""
        return Picture(self._request("GET", _path(f"/v1/runs/{id}/plots/{name}.svg", query)).decode())

    # HTTP

    def call(self, method, path, body=None, headers=None):
        """Any route: its JSON answer. A POST without an Idempotency-Key that may have been carried out is not sent again."""
        return json.loads(self._request(method, path, body, headers) or b"null")

    def _request(self, method, path, body=None, headers=None):
        began, delay = time.monotonic(), 0.25
        data = None if body is None else json.dumps(body).encode()
        headers = {**({} if body is None else {"content-type": "application/json"}), **(headers or {})}
        repeatable = method != "POST" or "idempotency-key" in headers
        while True:
            connection = None
            try:
                connection, answer = self._open(method, path, data, headers)
                return answer.read()
            except (OSError, http.client.HTTPException, AnnealError) as error:
                self._will_pass(error, began)
                if not repeatable and not isinstance(error, AnnealError):
                    raise
            finally:
                if connection is not None:
                    connection.close()
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def _open(self, method, path, data=None, headers=None):
        """A connection and its answer, whose body is to be read; AnnealError where it is a refusal."""
        url = urllib.parse.urlsplit(self.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc, timeout=SILENCE)
        try:
            key = {} if self.key is None else {"authorization": f"Bearer {self.key}"}
            connection.request(method, url.path + path, data, {**key, **(headers or {})})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise AnnealError(answer.status, _problem(answer.read()))
        except BaseException:
            connection.close()
            raise
        return connection, answer

    def _events(self, path, start):
        """The data of Server-Sent Events from a step on, until they end, for whatever reason."""
        headers = {"accept": "text/event-stream", "last-event-id": str(start)}
        connection, answer = self._open("GET", path, None, headers)
        try:
            for line in answer:
                # Of an event that was cut in the middle there is no whole line.
                if line.startswith(b"data: ") and line.endswith(b"\n"):
                    yield json.loads(line[6:])
        finally:
            connection.close()

    def _will_pass(self, error, since):
        """Raises an error that stays, or that has stayed for too long."""
        stays = isinstance(error, AnnealError) and error.status < 500 and error.status not in (408, 425, 429)
        if stays or time.monotonic() - since > self.patience:
            raise error


def table(columns):
    """Columns as a pandas DataFrame, else a dict of NumPy arrays, else of lists; what is not finite is nan."""
    columns = {name: [math.nan if value is None else value for value in values] for name, values in columns.items()}
    try:
        import pandas

        return pandas.DataFrame(columns)
    except ImportError:
        pass
    try:
        import numpy

        return {name: numpy.asarray(values) for name, values in columns.items()}
    except ImportError:
        return columns


def _path(path, query):
    given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
    texts = {name: json.dumps(value) if isinstance(value, bool) else value for name, value in given.items()}
    return path + ("?" + urllib.parse.urlencode(texts) if texts else "")


def _problem(body):
    """What refuses may also be a proxy before the service."""
    try:
        problem = json.loads(body)
        return problem if isinstance(problem, dict) else {}
    except ValueError:
        return {}


def main():
    client = Anneal()
    ids = []
    for schedule in ("constant", "cosine"):
        id = client.create(steps=3000, schedule=schedule, seed=1)["id"]
        for step, lr, loss in client.follow(id):
            if step % 500 == 0:
                print(f"{schedule:8} {step:6d} {lr:.4f} {loss:.4f}")
        print(f"{schedule:8} validation {client.get(id)['result']['finalValidationLoss']:.4f} nats")
        ids.append(id)
    difference = list(client.compare(*ids, window=500)["difference"])
    print("cosine less constant, by windows of 500 steps:", [round(float(value), 4) for value in difference])


if __name__ == "__main__":
    main()
