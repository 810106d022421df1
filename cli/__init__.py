"""The console script provlog: what a person at a terminal can ask for."""
