"""Adaptive search: an Optuna study whose books are ours, run by Ray Tune."""
