"""Interpolation of tables: grids (PCHIP), scattered points (thin-plate spline), distributions (quantiles)."""
