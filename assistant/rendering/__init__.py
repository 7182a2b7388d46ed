"""Records as Markdown, in both languages: a module for each group of tools."""
