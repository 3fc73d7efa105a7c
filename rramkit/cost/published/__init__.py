"""Published totals of other systems, computed again from their published parts."""
