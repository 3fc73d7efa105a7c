"""Interpolation of tables: on grids, of scattered points, of distributions."""
