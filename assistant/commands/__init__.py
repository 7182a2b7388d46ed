"""The commands of `tameshi`, by what they are for."""
