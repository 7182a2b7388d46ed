"""Licences: terms as data, texts recognised word by word, the strictest term of a lineage, answers for a use."""
