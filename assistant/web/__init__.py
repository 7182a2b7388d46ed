"""The web page: chat with nested steps, evidence beside it, plots and reports."""
