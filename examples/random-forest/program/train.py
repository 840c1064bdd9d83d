"""Trains a random forest on CSV files whose first column is the label."""

import json
import pickle
import sys
import traceback
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier

ML = Path("/opt/ml")


def train() -> None:
    """Fit, report accuracy as the forest grows, and leave the model in /opt/ml/model.

    A failure is explained in /opt/ml/output/failure, which becomes the job's FailureReason.
    """
    try:
        fit()
    except Exception as error:  # noqa: BLE001 -- whatever it was, the job's FailureReason should say it
        (ML / "output" / "failure").write_text(f"{type(error).__name__}: {error}")
        traceback.print_exc()
        sys.exit(1)


def fit() -> None:
    """The training itself; hyperparameters arrive as strings."""
    settings = json.loads((ML / "input" / "config" / "hyperparameters.json").read_text())
    trees = int(settings["n_estimators"])
    train_labels, train_rows = read_channel("train")
    validation_labels, validation_rows = read_channel("validation")
    print(f"training on {len(train_rows)} rows with {train_rows.shape[1]} features")
    forest = RandomForestClassifier(
        n_estimators=0,
        criterion=settings["criterion"],
        max_depth=int(settings["max_depth"]),
        max_features=float(settings["max_features"]),
        random_state=int(settings["seed"]),
        warm_start=True,
    )
    for grown in steps(trees):
        forest.set_params(n_estimators=grown)
        forest.fit(train_rows, train_labels)
        train_accuracy = forest.score(train_rows, train_labels)
        validation_accuracy = forest.score(validation_rows, validation_labels)
        print(f"trees={grown}; train_accuracy={train_accuracy:.4f}; validation_accuracy={validation_accuracy:.4f};")
    (ML / "model" / "forest.pickle").write_bytes(pickle.dumps(forest))
    print("the model is saved")


def steps(trees: int) -> list[int]:
    """At most five sizes on the way to the full forest."""
    return sorted({max(1, trees * step // 5) for step in range(1, 6)})


def read_channel(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and rows of all CSV files of a channel."""
    files = sorted(path for path in (ML / "input" / "data" / name).rglob("*") if path.is_file())
    if not files:
        raise FileNotFoundError(f"channel {name} holds no file")
    table = np.vstack([np.loadtxt(path, delimiter=",", ndmin=2) for path in files])
    return table[:, 0].astype(int), table[:, 1:]
