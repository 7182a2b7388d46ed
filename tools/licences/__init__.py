"""Licences: their terms as data, their texts recognised word by word, the lineage's strictest term, answers for a use."""
