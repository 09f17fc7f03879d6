"""Options of the public API: what each is, and how groups of them are handed to the core."""
