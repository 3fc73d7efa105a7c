"""What a training costs: energy by layer, phase and part, time by two schedules, area, and figures of merit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rramkit.array.read_parts import READ_PARTS
from rramkit.cost.analogue import Corner, analogue_items
from rramkit.cost.area import AreaItem, CircuitArea, Tiles, area_items, copies_of, tiles_of
from rramkit.cost.assumptions import Assumptions
from rramkit.cost.components import Components, components
from rramkit.cost.digital import digital_items, passes
from rramkit.cost.gradient import GradientCost, gradient_costs
from rramkit.cost.interfaces import Interfaces, interfaces_of
from rramkit.cost.items import HEADINGS, Item, merged, sums, total
from rramkit.cost.lifetime import Lifetime, lifetimes
from rramkit.cost.line_buffers import LineBuffer, line_buffers
from rramkit.cost.memory import leak, settled
from rramkit.cost.schedule import Schedule, of_span, schedules
from rramkit.cost.subject import Span, Subject
from rramkit.record import EpisodeRun, TrainingOutcome


@dataclass(frozen=True)
class LayerTotal:
    """One layer with a matrix.

    Attributes
    ----------
    name, kind : str
        As `rramkit.learning.evaluate` has them.
    energy, energy_tile : float
        Energy of the whole training, and the mean of one of its tiles with the digital work behind it (J).
    energy_image : float
        Energy of one forward pass, arrays and digital work together (J).
    seconds_image : float
        Time of its reads in one forward pass (s).
    area : float or None
        Area of its tiles (m2); None: not known.
    tiles : Tiles
        Its tiles.
    copy : Tiles or None
        Those of the copy beside it, where it has one.
    """

    name: str
    kind: str
    energy: float
    energy_tile: float
    energy_image: float
    seconds_image: float
    area: float | None
    tiles: Tiles
    copy: Tiles | None = None


@dataclass(frozen=True)
class Cost:
    """The cost of one training.

    Attributes
    ----------
    subject : Subject
        The training.
    components : Components
        Prices of the digital side.
    assumed : Assumptions
        What neither a circuit nor a count says.
    corner : Corner or None
        Condition that the arrays' energies are repriced at; None: as the run was.
    circuits : mapping
        Areas of the circuits; empty: not known.
    """

    subject: Subject
    components: Components
    assumed: Assumptions = field(default_factory=Assumptions)
    corner: Corner | None = None
    circuits: Mapping[str, CircuitArea] = field(default_factory=dict)

    @cached_property
    def initial(self) -> tuple[Item, ...]:
        """Items of the initial programming."""
        return self.of_span(self.subject.initial)

    @cached_property
    def training(self) -> tuple[Item, ...]:
        """Items of all that follows it."""
        return self.of_span(self.subject.training)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Items of the whole run."""
        return merged((*self.initial, *self.training))

    @cached_property
    def settled(self) -> Assumptions:
        """The assumptions with what was left to the kit."""
        return settled(self.subject, self.assumed)

    @cached_property
    def schedules(self) -> dict[str, Schedule]:
        """Times by both schedules."""
        return schedules(self.subject, self.assumed)

    @cached_property
    def areas(self) -> tuple[AreaItem, ...]:
        """Areas by layer and part."""
        return area_items(self.subject, self.components, self.assumed, self.circuits)

    @cached_property
    def interfaces(self) -> Interfaces:
        """Row drivers and converters of one forward pass."""
        areas = self.areas if self.circuits else None
        return interfaces_of(self.training, areas, inputs=passes(self.subject, self.subject.training))

    @cached_property
    def line_buffers(self) -> tuple[LineBuffer, ...]:
        """The pipeline of line buffers for one input; none where layers are not a plain chain."""
        return line_buffers(self.subject, self.components, self.assumed)

    @cached_property
    def lifetimes(self) -> tuple[Lifetime, ...]:
        """Lifetime of each matrix' cells under this training; none where it is not known."""
        return lifetimes(self.subject, self.assumed)

    @cached_property
    def gradients(self) -> tuple[GradientCost, ...]:
        """The three places of the gradient side by side."""
        analogue = tuple(analogue_items(self.subject, self.subject.training, self.corner))
        return gradient_costs(self.subject, self.components, self.assumed, analogue)

    @property
    def energy(self) -> float:
        """Energy of the whole run (J)."""
        return total(self.items)

    @property
    def energy_dynamic(self) -> float:
        """The same without static power (J)."""
        return total(item for item in self.items if item.phase != "static")

    @property
    def area(self) -> float | None:
        """Area of everything (m2); None where that of the circuits is not known."""
        return sum(each.area for each in self.areas) if self.circuits else None

    def of_span(self, span: Span) -> tuple[Item, ...]:
        """Return the items of a part of the training."""
        analogue = analogue_items(self.subject, span, self.corner)
        digital = digital_items(self.subject, span, self.components, self.assumed)
        return merged((*analogue, *digital, *self._target(span), *self._static(span)))

    def by_heading(self) -> dict[str, float]:
        """Return the energy of the run by heading of the breakdown (J)."""
        return sums(self.items, lambda item: item.heading, HEADINGS)

    def by_heading_and_origin(self) -> dict[str, dict[str, float]]:
        """Return it by heading, and within each by where prices are from (J)."""
        return {
            heading: sums((item for item in self.items if item.heading == heading), lambda item: item.origin)
            for heading in HEADINGS
        }

    def by_phase(self) -> dict[str, float]:
        """Return it by phase, conversions and data movement within theirs (J)."""
        return sums(self.items, lambda item: item.phase)

    def by_part(self) -> dict[str, float]:
        """Return it by part (J)."""
        return sums(self.items, lambda item: item.part)

    def by_price(self) -> dict[str, float]:
        """Return it by table group and component (J)."""
        return sums(self.items, lambda item: item.price)

    def by_origin(self) -> dict[str, float]:
        """Return it by where prices are from: SPICE, found, derived or recalled (J)."""
        return sums(self.items, lambda item: item.origin)

    def by_layer(self) -> dict[str, float]:
        """Return it by label of the layer, `network` among them (J)."""
        return sums(self.items, lambda item: item.layer)

    def writes_and_reads(self) -> tuple[float, float]:
        """Return the arrays' energy of writes (pulses, and reads to write) and of reads that multiply (J)."""
        writes = total(item for item in self.items if item.origin == "SPICE" and item.phase == "update")
        return writes, total(item for item in self.items if item.part in READ_PARTS)

    def layers(self) -> tuple[LayerTotal, ...]:
        """Return the cost of each layer with a matrix."""
        span, subject = self.subject.training, self.subject
        count, whole = max(passes(subject, span), 1.0), self.by_layer()
        forward = sums((item for item in self.training if item.phase == "forward"), lambda item: item.layer)
        copies = {each.layer: each for each in copies_of(subject)}
        areas: dict[str, float] = {}
        for each in self.areas:
            areas[each.layer] = areas.get(each.layer, 0.0) + each.area
        return tuple(
            LayerTotal(
                name=matrix.name,
                kind=matrix.kind,
                energy=whole.get(matrix.label, 0.0),
                energy_tile=whole.get(matrix.label, 0.0) / (tiles.count + _count(copies.get(matrix.label))),
                energy_image=forward.get(matrix.label, 0.0) / count,
                seconds_image=float(span.reads["seconds"][index, 0]) / count,
                area=areas.get(matrix.label) if self.circuits else None,
                tiles=tiles,
                copy=copies.get(matrix.label),
            )
            for index, (matrix, tiles) in enumerate(zip(subject.work.matrices, tiles_of(subject), strict=True))
        )

    @property
    def energy_inference(self) -> float:
        """Energy of one forward pass without static power (J)."""
        forward = total(item for item in self.training if item.phase == "forward")
        return forward / max(passes(self.subject, self.subject.training), 1.0)

    def per(self) -> dict[str, float]:
        """Return the energy (J) of an image of training, a batch, an epoch (without the first programming), and all."""
        span, trained = self.subject.training, total(self.training)
        return {
            "inference": self.energy_inference,
            "image": trained / max(span.images, 1.0),
            "batch": trained / max(span.batches, 1.0),
            "epoch": trained / self.subject.epochs,
            "run": self.energy,
        }

    def merit(self) -> dict[str, float | None]:
        """Return figures of merit: operations a joule (TOPS/W), a second and a square metre, two a multiplication.

        Those of a training count forward, backward and gradient; a second is that of the assumed schedule.
        """
        work, span = self.subject.work, self.subject.training
        schedule = self.schedules[self.assumed.schedule]
        forward = 2.0 * work.macs_forward
        trained = 2.0 * (2 * work.macs_forward + work.macs_backward)
        seconds, image = schedule.interval, schedule.image
        area = self.area

        def over(value: float, by: float | None) -> float | None:
            return value / by if by else None

        per_second = over(forward, seconds)
        return {
            "ops_inference": forward,
            "ops_image": trained,
            "ops_joule_inference": over(forward, self.energy_inference),
            "ops_joule_training": over(trained * span.images, total(self.training)),
            "ops_second_inference": per_second,
            "ops_second_training": over(trained, image),
            "ops_second_area_inference": None if per_second is None else over(per_second, area),
            "inferences_second": over(1.0, seconds),
            "latency": schedule.latency,
        }

    def _target(self, span: Span) -> tuple[Item, ...]:
        """Return the writes of updates of the target network, which are not counted by matrix."""
        run = self.subject.run
        if not isinstance(run, EpisodeRun) or not span.batches:
            return ()
        count, energy = float(run.scalars["pulses_target"]), float(run.scalars["energy_target"])
        if not energy:
            return ()
        return (Item("network", "update", "writes of the target network", "set", count, energy, "SPICE", "measured"),)

    def _static(self, span: Span) -> tuple[Item, ...]:
        seconds = of_span(self.subject, span, self.assumed, self.schedules)
        return tuple(
            Item(
                "network",
                "static",
                "leakage",
                key,
                seconds,
                watts * seconds,
                self.components[key].component.mark,
                "from shapes",
            )
            for key, watts in leak(self.subject, self.components, self.settled).items()
        )


def _count(tiles: Tiles | None) -> int:
    return 0 if tiles is None else tiles.count


def cost_of(
    run: TrainingOutcome,
    prices: Components | None = None,
    assumed: Assumptions | None = None,
    *,
    circuits: Mapping[str, CircuitArea] | None = None,
) -> Cost:
    """Return the cost of a training.

    Parameters
    ----------
    run : Run or EpisodeRun
        From `rramkit.load_run`.
    prices : Components, optional
        Prices of the digital side; left out, the kit's.
    assumed : Assumptions, optional
        What neither a circuit nor a count says; left out, the kit's choices.
    circuits : mapping, optional
        Areas of the circuits, as `rramkit.characterization.areas.circuit_areas` gives them; left out, not known.

    Returns
    -------
    Cost
        Energy, time and area.

    Raises
    ------
    InputError
        When the run is in float.
    TableError
        When its file holds no counts, or no network.

    Examples
    --------
    >>> import rramkit as rk
    >>> from rramkit.cost import cost_of
    >>> cost = cost_of(rk.load_run("run.h5"))
    >>> sorted(cost.by_heading())[:3]
    ['backward', 'conversion', 'data movement']
    """
    return Cost(Subject.of(run), prices or components(), assumed or Assumptions(), circuits=circuits or {})
