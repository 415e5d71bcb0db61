"""Exhibits: models that others published, written with the parts of this package, each to be read as a lesson."""

from .microgpt import MicroGPT, learn, sample

__all__ = ["MicroGPT", "learn", "sample"]
