"""The pilot: the embedded causal language model, its corpus, its training and its weights."""
