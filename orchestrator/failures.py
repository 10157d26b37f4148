"""Why a trial failed, in one line, from the texts that Ray writes."""

import re


def reason_of(text: str) -> str:
    """One line from Ray's text of a failure: a heading, then the error.

    An error raised in a trial comes as a traceback that begins with `ray::`, and ends in `Class:
    message`; that of a process that died (killed, out of memory) explains itself at the start.
    """
    text = re.sub(r"\x1b\[\d*m", "", text)
    lines = [line for line in text.splitlines() if line.strip()][1:]
    raised = [n for n, line in enumerate(lines[:3]) if "ray::" in line and "()" in line]
    if not raised:
        return f"its process ended: {lines[0].strip()}"
    errors = [line for line in lines[raised[0] + 1 :] if re.match(r"[\w.]+(: |$)", line)]
    name, _, message = (errors or lines)[-1].partition(": ")
    name = name.rsplit(".", 1)[-1]
    return message if name in ("UsageError", "DataError", "TrainingError") else f"{name}: {message}"
