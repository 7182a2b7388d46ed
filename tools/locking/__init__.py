"""The parts of the lock: its records and file, the present contents of a model, and what a difference means."""
