"""What records can claim: intervals, verdicts, power. NumPy, SciPy and statsmodels only."""
