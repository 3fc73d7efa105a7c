"""Parametric models fitted beside the tables, one file each."""
