"""Audit AWS detection and response, and prove that a signal reaches someone."""

__version__ = "0.1.0"
