"""Help that teaches: commands in sections, examples below each, a tour where there is none."""

import click

from orchestrator.cli.examples import EXAMPLES, SECTIONS, epilog


class Sectioned(click.Group):
    """A group whose help lists its commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections; a command that stands in none comes last."""
        placed = {name for names in SECTIONS.values() for name in names}
        others = tuple(name for name in self.list_commands(ctx) if name not in placed)
        for title, names in {**SECTIONS, "More": others}.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            if not found:
                continue
            room = formatter.width - 6 - max(len(name) for name, _ in found)  # as click's own
            with formatter.section(title):
                formatter.write_dl([(name, each.get_short_help_str(room)) for name, each in found])


def with_examples(group: click.Group, prefix: str = "") -> None:
    """Put its examples at the end of the help of every command, and of those of its groups."""
    for name, command in group.commands.items():
        full = f"{prefix}{name}"
        if full in EXAMPLES:
            command.epilog = epilog(full)
        if isinstance(command, click.Group):
            with_examples(command, f"{full} ")
