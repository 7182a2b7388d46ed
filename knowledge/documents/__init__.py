"""The team's own documents: read apart from everything else, cut into passages, searched, set against the guidance."""
