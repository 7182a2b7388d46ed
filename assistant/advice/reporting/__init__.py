"""The report of a plan: its content, and that content as a web page, as Markdown and as JSON."""
