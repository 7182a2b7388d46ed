"""What else is known of a version: its history, its descent, its copies, its libraries."""
