"""Deck runs, measures, plans, fits and verification: the SPICE half of the kit."""
