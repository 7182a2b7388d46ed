"""The conversation: who is asked what, in which order, and what is made of the answers."""
