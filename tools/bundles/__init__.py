"""A model with its evidence and lock as one file."""
