"""Fuzzes one of `readers.py: READERS` with atheris, which is no dependency: `pip install atheris`.

`python -m tests.security.fuzz READER -max_total_time=200`; what it finds becomes a test.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["data_shards", "orchestrator", "json", "numpy.lib"]):
    from tests.security import readers


def main() -> None:
    """Fuzz until a limit of libFuzzer's ends it."""
    reader = sys.argv.pop(1)
    with TemporaryDirectory() as corpus:
        for number, content in enumerate(readers.seeds(reader)):
            (Path(corpus) / str(number)).write_bytes(content)
        atheris.Setup([*sys.argv, corpus], readers.READERS[reader])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
