"""The report: tables and a training as one self-contained web page."""

from rramkit.report.page import report

__all__ = ["report"]
