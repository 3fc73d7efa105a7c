"""The part of `rramkit evaluate --spiking`: a network run by spikes, what that costs, and how it is printed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from rramkit import units
from rramkit.cli.evaluated import Subject
from rramkit.cli.options import parameters
from rramkit.cli.progress import stage, stages
from rramkit.cost import components
from rramkit.cost.items import sums
from rramkit.cost.spiking import spiking_cost
from rramkit.errors import InputError
from rramkit.learning.data import as_numbers
from rramkit.learning.spiking import SpikingSettings
from rramkit.learning.spiking.evaluation import SpikingEvaluation, checked_rates, spiking_evaluation
from rramkit.learning.spiking.network import SpikingNetwork

_SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # steps after which accuracies are printed
_REPLACED = ("readout", "adc")  # stages of a read in whose place neurons are


def spiking_outcome(subject: Subject, pairs: Sequence[str], *, quiet: bool) -> dict[str, Any]:
    """Return what a network's test inputs say of it when it is run by spikes.

    Parameters
    ----------
    subject : Subject
        The network with its inputs.
    pairs : sequence of str
        `key=value` on top of the group `spiking` of its experiment.
    quiet : bool
        Whether nothing of the progress is shown.

    Raises
    ------
    InputError
        When the network or an input has no spiking form, or a setting does not fit.
    """
    if subject.data.has_targets:
        raise InputError(
            "`--spiking` counts the spikes of the outputs, one for each class; the run has targets. Leave it out."
        )
    base = subject.experiment.spiking.model_dump(mode="json", exclude_unset=True)
    settings = parameters(SpikingSettings, None, list(pairs), base=base)
    dtype = np.dtype(subject.experiment.precision)
    first = checked_rates(as_numbers(subject.data.x_train[: settings.calibration], dtype))
    stage("thresholds")
    chip = subject.experiment.chip
    network = SpikingNetwork.of(subject.network, subject.operating, chip, settings, first)
    x = as_numbers(subject.x[: settings.inputs or None], dtype)
    with stages("spikes", quiet=quiet) as show:
        found = spiking_evaluation(
            network, x, subject.labels, settings, show=lambda done, total: show("spikes", done, total, of="inputs")
        )
    outcome = _of(found) | {"stages": _sources(subject, network)}
    if subject.operating is not None:
        cost = spiking_cost(network, found, components())
        outcome |= {"energy": cost.energy, "power": cost.power, "neuron_share": cost.neuron_share}
        outcome["items"] = [asdict(item) for item in cost.items]
        outcome["by_part"] = sums(cost.items, lambda item: item.part)
    return outcome | {"notices": list(_notices(network, found))}


def _of(found: SpikingEvaluation) -> dict[str, Any]:
    layers = [
        {
            **{"layer": each.label, "neurons": each.neurons, "pulses": each.pulses, "spikes": each.spikes},
            **{"unit": each.unit, "c_membrane": each.c_membrane, "g_line": each.g_line},
            **{"clamped": each.cost.clamped, "conversions": each.cost.conversions},
        }
        for each in found.layers
    ]
    return {
        "settings": found.settings.model_dump(mode="json"),
        "inputs": len(found.predicted),
        "accuracy": found.accuracy,
        "accuracy_by_step": found.accuracy_by_step.tolist(),
        "undecided": found.undecided,
        "window": found.settings.window,
        "read_time": found.read_time,
        "spikes_in": found.spikes_in,
        "layers": layers,
    }


def _sources(subject: Subject, network: SpikingNetwork) -> dict[str, str]:
    """Return where the numbers of each stage of a spiking read are from."""
    if subject.operating is None:
        return {}
    on = subject.experiment.on(subject.operating).sources
    reads = {each.stage: each.source for each in on if each.part == "read" and each.stage not in _REPLACED}
    return reads | dict(network.circuits.sources)


def _notices(network: SpikingNetwork, found: SpikingEvaluation) -> Iterator[str]:
    """Yield what lies outside of the tables."""
    limit = network.circuits.g_line_max
    for each in found.layers:
        if limit is not None and each.g_line is not None and each.g_line > limit:
            yield (
                f"{each.label}: lines of up to {units.text(each.g_line, 'S')}, where integrating readouts were "
                f"characterised to {units.text(limit, 'S')}: their input resistance is taken as there"
            )
        if each.cost.clamped:
            clipped = f"{units.count(each.cost.clamped)} of {units.count(each.cost.conversions)}"
            yield f"{each.label}: {clipped} currents are beyond the readouts' range, and clipped"


def spiking_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the outcome as rows for a person."""
    settings = found["settings"]
    window = f"{settings['steps']} steps of {units.text(settings['t_step'], 's')}"
    none = f", {units.percent(found['undecided'])} of them undecided" if found["undecided"] else ""
    shown = [
        ("by spikes", f"{units.percent(found['accuracy'])} of {units.count(found['inputs'], 'input')}{none}"),
        ("window", f"{window}; reads take {units.text(found['read_time'], 's')} of a step"),
        ("after steps", _by_step(found["accuracy_by_step"])),
    ]
    before = found["spikes_in"]
    for each in found["layers"]:
        membrane = f"; membranes of {units.text(each['c_membrane'], 'F')}" if each["c_membrane"] else ""
        text = f"{units.count(before)} spikes in, {units.count(each['spikes'])} out of {each['neurons']} neurons"
        shown.append((f"spikes, {each['layer'].partition(' ')[0]}", text + membrane))
        before = each["spikes"]
    if "energy" in found:
        shown.append(("power", f"{units.text(found['power'], 'W')}, {units.text(found['energy'], 'J')} an input"))
        shown.append(("neurons", f"{units.percent(found['neuron_share'])} of the energy"))
        parts = sorted(found["by_part"].items(), key=lambda item: -item[1])
        prices = {each["part"]: (each["price"], each["origin"]) for each in found["items"]}
        for part, energy in parts:
            price, origin = prices[part]
            shown.append(("", f"{part}: {units.text(energy, 'J')} ({origin}: {price})"))
    shown += [("stages", "; ".join(f"{name}: {source}" for name, source in found["stages"].items()))]
    shown += [("note", each) for each in found["notices"]]
    return [(name, text) for name, text in shown if text]


def _by_step(accuracy: Sequence[float]) -> str:
    shown = [each for each in _SHOWN if each < len(accuracy)] + [len(accuracy)]
    return ", ".join(f"{each}: {units.percent(accuracy[each - 1])}" for each in shown)
