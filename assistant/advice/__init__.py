"""What follows from evidence: cost, comparison, gates, the staged plan and its report."""
