"""What a model card says: its sections, its claims, and what a use needs of it."""
