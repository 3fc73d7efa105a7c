"""Trainings of two checkouts, array by array: `python benchmarks/same_numbers.py OLD NEW TABLES.h5 [BULK.h5]`.

OLD and NEW are checkouts that are set up (`make setup`), TABLES.h5 a table file that both read, BULK.h5 one of
`examples/bulk_plan.toml`, for LeNet-5 on MNIST (RRAMKIT_DATA names the folder of its files). Each case trains in both;
printed is which arrays of the run files differ in any bit. Only what is in both files is compared.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

NOISY = (  # the keys of 0.1.0, which both read
    "mapping.wires=true",
    "mapping.read.dac.levels=256",
    "mapping.read.converter.bits=8",
    "mapping.read.noise.sigma_span=0.02",
)
RULES = ("mixed_precision", "threshold", "outer_product", "open_loop", "write_verify", "sign", "threshold_training")
SHORT = ("epochs=2",)
DIGITS = {
    "digits": (),
    "digits, converters and noise": (*SHORT, "seed=3", *NOISY),
    **{f"digits, {rule}": (*SHORT, f"rule.kind={rule}") for rule in (*RULES, "row_sparse", "tiki_taka")},
}
LENET = ("network.name=lenet5", "network.reach=5", "data.name=mnist", "epochs=2", "batch=64", "batches=100", *NOISY)
CARTPOLE = ("seed=1", "steps=3000", "target=swap")
EXEMPT = ("train_seconds",)


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return every dataset of a run file but the network's own copy of what it needs."""
    found: dict[str, np.ndarray] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("network") and name not in EXEMPT:
            found[name] = np.asarray(item[()])

    with h5py.File(path) as file:
        file.visititems(take)
    return found


def run(checkout: Path, command: list[str], settings: tuple[str, ...], path: Path) -> dict[str, np.ndarray]:
    """Train with a checkout's kit; return the arrays of the run file."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    pairs = [word for setting in settings for word in ("-s", setting)]
    program = [str(checkout / ".venv" / "bin" / "rramkit"), *command, *pairs, "-o", str(path), "-q"]
    subprocess.run(program, env=environment, check=True, stdout=subprocess.DEVNULL)
    return arrays(path)


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


def compare(name: str, checkouts: list[Path], command: list[str], settings: tuple[str, ...]) -> bool:
    """Train one case in both checkouts; print and return whether all arrays are equal bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        old, new = (run(each, command, settings, Path(folder) / f"{k}.h5") for k, each in enumerate(checkouts))
    both = sorted(set(old) & set(new))
    differing = [each for each in both if not _equal(old[each], new[each])]
    print(f"{name}: {len(both)} arrays in both files, differing: {', '.join(differing) or 'none'}", flush=True)
    return not differing


def main(checkouts: list[Path], tables: Path, bulk: Path | None) -> int:
    """Compare every case; return 1 where an array differs."""
    train = ["train", "--tables", str(tables)]
    same = [compare(name, checkouts, train, settings) for name, settings in DIGITS.items()]
    same.append(compare("CartPole", checkouts, ["rl", str(tables)], CARTPOLE))
    if bulk is not None:
        same.append(compare("LeNet-5", checkouts, ["train", "--tables", str(bulk)], LENET))
    return 0 if all(same) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("tables", type=Path)
    parser.add_argument("bulk", type=Path, nargs="?")
    given = parser.parse_args()
    paths = [given.old.resolve(), given.new.resolve()]
    raise SystemExit(main(paths, given.tables.resolve(), given.bulk.resolve() if given.bulk is not None else None))
