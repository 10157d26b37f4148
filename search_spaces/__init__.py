"""One file = one question of the thesis, written as data."""
