"""Parametric models fitted beside the tables, by what they fit."""
