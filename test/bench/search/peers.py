"""Random search, TPE, or TPE with the Hyperband pruner over (schedule, log rate), as Optuna has them at their defaults.

  python peers.py random|tpe|hyperband SEED '{"schedules": [...], "lrRange": [low, high], "steps": N}'

Asks on stdout, a JSON line each, to train {"schedule", "lr", "steps"}; reads {"loss": nats or null} from stdin. After each
trial that was trained in full {"schedule", "lr", "loss"} says the best so far. Ends when stdin does.
"""

import json
import sys

import optuna

# A loss that no training which ends has; Optuna's samplers only rank.
DIVERGED = 1e3
HYPERBAND = {"min_resource": 1, "max_resource": 16, "reduction_factor": 4}


def main():
    peer, seed, space = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = (
        optuna.samplers.RandomSampler(seed=seed) if peer == "random" else optuna.samplers.TPESampler(seed=seed)
    )
    pruner = optuna.pruners.HyperbandPruner(**HYPERBAND) if peer == "hyperband" else optuna.pruners.NopPruner()
    # Rungs at T/16, T/4 and T, each trained with the schedule resolved for that many steps.
    parts = [1, 4, 16] if peer == "hyperband" else [16]

    def objective(trial):
        schedule = trial.suggest_categorical("schedule", space["schedules"])
        lr = trial.suggest_float("lr", *space["lrRange"], log=True)
        for part in parts:
            loss = trained(schedule, lr, max(1, round(space["steps"] * part / 16)))
            trial.report(loss, part)
            if part < parts[-1] and trial.should_prune():
                raise optuna.TrialPruned()
        return loss

    def tell(study, trial):
        if trial.state == optuna.trial.TrialState.COMPLETE:
            print(json.dumps({"schedule": study.best_params["schedule"], "lr": study.best_params["lr"], "loss": study.best_value}), flush=True)

    optuna.create_study(sampler=sampler, pruner=pruner).optimize(objective, callbacks=[tell])


def trained(schedule, lr, steps):
    print(json.dumps({"train": {"schedule": schedule, "lr": lr, "steps": steps}}), flush=True)
    line = sys.stdin.readline()
    if line == "":
        sys.exit(0)
    loss = json.loads(line)["loss"]
    return DIVERGED if loss is None else min(loss, DIVERGED)


main()
