"""Options of the public API, each described once: name, type, default, choices, text, and the command line's words."""
