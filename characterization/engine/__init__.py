"""Characterisation of any component: plans, points, retries, stores, tables; knows no component by name."""
