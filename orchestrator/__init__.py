"""Plans, runs, tracks and answers sweeps: the only package that knows Ray, Optuna and MLflow."""
