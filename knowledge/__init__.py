"""Reuse guidance and how it is found."""
