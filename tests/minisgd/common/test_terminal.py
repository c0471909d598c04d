"""Names, paths and reasons are printed as they are."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest

from minisgd.common.terminal import Screen, console, progress, progress_of_parts, styled

NAMES = ["numba/[bold]full[/bold]", "[/] closes nothing", ":smile: [link=x]", "$x^2$"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_a_name_is_markup(capsys, name):
    screen = console(None)
    screen.print(styled(name, "bold"))
    screen.print(name, style="red")
    with progress(screen, 1) as advance:
        advance(name)
    assert capsys.readouterr().out.count(name) == 2


def test_parts_share_a_bar_and_its_time_even_if_one_ends_early(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")  # which makes any file a terminal
    screen = Screen(width=100)
    monkeypatch.setattr(screen, "file", io.StringIO())
    with progress_of_parts(screen, 400.0) as begin:
        begin(0.0, 300.0, 100)("first")
        advance = begin(300.0, 400.0, 2)
        advance("second")
        advance("third")
    shown = re.findall(r"(\d+)%.*?(first|second|third)", screen.file.getvalue())
    assert list(dict.fromkeys(shown)) == [("0", "first"), ("75", "second"), ("88", "third")]
    left = [60 * int(minutes) + int(some) for minutes, some in re.findall(r"(\d+):(\d\d) left", screen.file.getvalue())]
    assert 395 < left[0] < 410, "told before anything is done"
    assert left[-1] < 20, "what was done at once took less time than expected, and so may the rest"


def test_nothing_in_a_name_commands_the_terminal(capsys):
    hostile = "a\x1b[2J\x9b0m\x00b\udcff"
    console(None).print(styled(hostile, "bold"))
    console(None).print(hostile)
    printed = capsys.readouterr().out
    assert printed.count("a?[2J?0m?b?") == 2
    assert not {"\x1b", "\x9b", "\x00"} & set(printed)


def test_a_locale_of_ascii_loses_letters_and_not_the_output():
    code = (
        "import typer\nfrom minisgd.common import cli\nfrom minisgd.common.terminal import console, write_json\n"
        "app = typer.Typer()\n@app.command()\ndef say():\n"
        "    console(None).print('5 \\u03bcs \\u2026 \\u0109')\n    write_json({'\\u03bc': 1}, '-')\n"
        "raise SystemExit(cli.run(app, 'say'))"
    )
    locale = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=locale, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 ?s ? ?")
    assert r'"\u03bc": 1' in done.stdout
