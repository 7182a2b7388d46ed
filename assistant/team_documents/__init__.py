"""The team's own documents: read in a process of their own, kept in the database by user, and found for a question."""
