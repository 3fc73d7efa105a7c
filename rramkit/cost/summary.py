"""A cost for a program: nested mappings in SI units."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite

import numpy as np

from rramkit.cost.cost import Cost
from rramkit.cost.items import total
from rramkit.cost.references import beside
from rramkit.cost.subject import Span
from rramkit.cost.tornado import Swing
from rramkit.record import EpisodeRun, Run


def summary(cost: Cost, swings: Sequence[Swing] = ()) -> dict[str, object]:
    """Return everything that a cost says.

    Energies in J, times in s, areas in m2, powers in W; what is not known is None.

    Parameters
    ----------
    cost : Cost
        The cost.
    swings : sequence of Swing
        From `rramkit.cost.tornado`.
    """
    run = cost.subject.run
    writes, reads = cost.writes_and_reads()
    found = beside(cost)
    quality = run.accuracy if isinstance(run, Run) else run.mean_return if isinstance(run, EpisodeRun) else None
    return {
        "run": {
            "kind": "reinforcement" if isinstance(run, EpisodeRun) else "supervised",
            "tables": run.tables_name,
            "created": run.created,
            "accuracy" if isinstance(run, Run) else "mean_return": quality,
            "images": cost.subject.training.images,
            "batches": cost.subject.training.batches,
            "epochs": cost.subject.epochs,
        },
        "corner": None if cost.corner is None else asdict(cost.corner.condition),
        "energy": cost.energy,
        "energy_dynamic": cost.energy_dynamic,
        "initial": total(cost.initial),
        "by_heading": cost.by_heading(),
        "by_phase": cost.by_phase(),
        "by_part": cost.by_part(),
        "by_price": cost.by_price(),
        "by_origin": cost.by_origin(),
        "by_layer": cost.by_layer(),
        "writes": writes,
        "reads": reads,
        "per": cost.per(),
        "merit": cost.merit(),
        "schedules": {kind: {**asdict(each), "total": each.total} for kind, each in cost.schedules.items()},
        "layers": [asdict(each) for each in cost.layers()],
        "area": cost.area,
        "line_buffers": [asdict(each) for each in cost.line_buffers],
        "drivers_and_converters": {
            **asdict(cost.interfaces),
            "energy": cost.interfaces.energy,
            "area": cost.interfaces.area,
        },
        "areas": [asdict(each) for each in cost.areas],
        "lifetimes": [
            {**asdict(each), "balance": each.balance, "batches": each.batches if isfinite(each.batches) else None}
            for each in cost.lifetimes
        ],
        "gradients": [asdict(each) for each in cost.gradients],
        "machines": [
            {
                **each.machine.model_dump(include={"title", "mark", "assumption"}),
                **{"machine": each.key, "compared_in": each.compared_in},
                **{"energy": asdict(each.energy), "ratio": asdict(each.ratio)},
            }
            for each in found.machines
        ],
        "claims": [
            {"gradient": each.unit, "claim": each.claim.ratio, "ratio": asdict(each.ratio), "lies": each.place}
            for each in found.claims
        ],
        "ratio_moved_by": [{"assumption": name, "low": low, "high": high} for name, low, high in found.swings],
        "tornado": [asdict(each) for each in swings],
        "items": [{**asdict(item), "heading": item.heading} for item in cost.items],
        "assumed": cost.settled.model_dump(mode="json"),
        "replaced": list(cost.components.replaced),
        "unconfirmed": unconfirmed(cost),
    }


def unconfirmed(cost: Cost) -> list[str]:
    """Return the components from memory only that a part of the cost is priced by."""
    keys = {item.price.partition(":")[0] for item in cost.items if item.origin == "recalled"}
    return sorted(keys)


def energy_by_epoch(cost: Cost) -> np.ndarray:
    """Return the energy (J) of each epoch (E+1,), the first that of the initial programming."""
    counts = cost.subject.counts
    spans = [Span.of(counts, slice(epoch, epoch + 1)) for epoch in range(counts.images.size)]
    return np.array([total(cost.of_span(span)) for span in spans])
