"""Share of a training's time that counting reads and writes by matrix takes: digits, an epoch on a table file.

Run it from the root of a checkout: `python benchmarks/counting.py TABLES.h5`. What counting adds to a batch is done
again, many times, on the batch's own costs; processor time, so that other processes do not matter.
"""

import sys
import time
import timeit

from rramkit import table
from rramkit.array.write.state import WriteCost
from rramkit.learning import Experiment
from rramkit.learning.layers.read_cost import NetworkReads, ReadCost
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.tally import added, reads_by_matrix, writes_by_matrix
from rramkit.learning.train import data_set

REPEATS = 2000


def main(path: str) -> None:
    """Print both times and their ratio."""
    experiment = Experiment(float_reference=False)
    training = SupervisedTraining(experiment, experiment.chip.tables(table.load(path)), data_set(None, experiment))
    training.advance()
    begin = time.process_time()
    training.advance()
    batches = int(training.log.last("batches"))
    each = (time.process_time() - begin) / batches
    matrices = len(training.rram.network.matrices)
    read, write = NetworkReads((ReadCost(1.0),) * matrices, (ReadCost(1.0),) * matrices), (WriteCost(),) * matrices

    def counting() -> None:
        _ = read + read
        added(write, write)
        for _ in range(2 * matrices):
            ReadCost(1.0, 2, 3.0, 4, 5, 6.0, 7.0, 8)

    once = timeit.timeit(counting, number=REPEATS, timer=time.process_time) / REPEATS
    last = timeit.timeit(
        lambda: (reads_by_matrix(read, matrices), writes_by_matrix(write, matrices)),
        number=REPEATS,
        timer=time.process_time,
    )
    share = (once + last / REPEATS / batches) / each
    print(f"a batch {1e3 * each:.2f} ms, counting {1e6 * once:.0f} us: {100 * share:.2f} %")


if __name__ == "__main__":
    main(sys.argv[1])
