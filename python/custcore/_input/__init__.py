"""Converts and checks data and arguments for the core; computes no results."""
