"""Columns of every group: operating condition, and scattered points in place of a grid."""

from rramkit.table.columns import Group, axis, condition


class Corners(Group):
    """Operating condition: optional axes of every group, or conditions where there is one value."""

    corner = axis("1", "process corner, an axis of labels (tt, ff, ss)", words="process corner")
    supply = axis("1", "factor on all supplies; references stay", low=0.0, high=100.0, words="supply over nominal")
    temperature = axis("K", "temperature of the transistors, and ambient of the ReRAM", low=1.0, words="temperature")


class Scattered(Group):
    """Scattered points in place of a grid: the first signals are the coordinates."""

    sample = axis("1", "index of the point", words="sample")
    coordinates = condition("1", "how many of the first signals are coordinates", low=1.0)
