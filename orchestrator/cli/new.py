"""`new`: templates for sweeps and trainables of one's own."""

from pathlib import Path

import click

from data_shards.errors import UsageError


@click.group()
def new() -> None:
    """Begin a sweep or a trainable of your own: a file that runs as it is, to be changed."""


@new.command("sweep")
@click.argument("name")
def new_sweep(name: str) -> None:
    """Write NAME.py, a sweep that asks of VFSEL, into this folder."""
    from search_spaces import own, sweep

    own.check_name(name, built_in=sweep.names())
    path = _write("sweep", name)
    click.echo(f"{path}: see its trials by `python -m orchestrator plan {path}`")


@new.command("trainable")
@click.argument("name")
def new_trainable(name: str) -> None:
    """Write NAME.py, a small model to be swept in the place of VFSEL, into this folder."""
    path = _write("trainable", name)
    click.echo(f'{path}: name it in a sweep of your own, by trainable="{path}"')


def _write(kind: str, name: str) -> Path:
    """The template as a new file, in which it has its name."""
    from trainables import user_code

    path = Path(f"{name}.py")
    user_code.check_name(str(path))  # no folders in it: the file is for this one
    text = (Path(__file__).parent.parent / "templates" / f"{kind}.py").read_text()
    try:
        with path.open("x") as stream:
            stream.write(text.replace("NAME.py", path.name))
    except FileExistsError as error:
        raise UsageError(f"{path} must not be there yet, but is: choose another name.") from error
    return path
