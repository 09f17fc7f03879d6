"""Data and arguments as the core takes them: checked and converted, nothing is computed."""
