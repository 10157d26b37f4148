"""Matplotlib comes first to whichever of two threads needs it: the one that draws, or that tracks.

Where both begin to import it at different ends, they meet in its middle, and Python has one go on
with a half of a module rather than let both wait for ever.
"""

import threading

FIRST_IMPORT = threading.RLock()
