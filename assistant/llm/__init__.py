"""The language model: how one is connected, and what it is allowed to say in a turn."""
