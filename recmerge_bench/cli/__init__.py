"""The command line. Commands are imported when they are called, so that ``--help`` is quick."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from typing import Any, NoReturn

import click

from recmerge_bench._version import __version__
from recmerge_bench.errors import HandledError, near, one_line

#: What a file system says that is no bug of ours.
REFUSALS = {
    errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR,
    errno.EISDIR, errno.ENAMETOOLONG, errno.EEXIST, errno.ELOOP, errno.EFBIG, errno.EIO,
}  # fmt: skip
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("recmerge_bench.cli.run:run", "Run a suite and write its board."),
    "plan": ("recmerge_bench.cli.plan:plan", "Show a suite's cells and what each would cost."),
    "watch": ("recmerge_bench.cli.watch:watch", "Show the runs that are at work in a folder."),
    "show": ("recmerge_bench.cli.show:show", "Print a board, ranked."),
    "import-run": (
        "recmerge_bench.cli.import_run:import_run",
        "Rank scores that other software made, beside the rows of a run.",
    ),
    "rerun": (
        "recmerge_bench.cli.rerun:rerun",
        "Write the suite that computes a row of records again.",
    ),
    "suites": ("recmerge_bench.cli.suites:suites", "List suites, show one, write their schema."),
    "failures": ("recmerge_bench.cli.failures:failures", "Show failed cells and their tracebacks."),
    "results": (
        "recmerge_bench.cli.results:results",
        "Show results; copy the boards' ranks to a store and back.",
    ),
    "runs": ("recmerge_bench.cli.runs:runs", "List a folder's runs, show one, resume it."),
    "store": (
        "recmerge_bench.cli.store:store",
        "Check a store, measure it, delete what is unused.",
    ),
    "leaderboard": ("recmerge_bench.cli.leaderboard:leaderboard", "Build and compare boards."),
    "submit": ("recmerge_bench.cli.submit:submit", "Pack results for a leaderboard."),
    "merge": ("recmerge_bench.cli.merge:merge", "Merge checkpoints outside a suite."),
    "cells": ("recmerge_bench.cli.cells:cells", "Carry cells to another machine and back."),
    "plugins": ("recmerge_bench.cli.plugins:plugins", "List, show, check and create plugins."),
    "datasets": ("recmerge_bench.cli.datasets:datasets", "List, prepare and export datasets."),
    "evaluate": ("recmerge_bench.cli.evaluate:evaluate", "Rank with a checkpoint of your own."),
    "doctor": ("recmerge_bench.cli.doctor:doctor", "Check versions, devices, data and weights."),
}
#: Variable that shows where an error came from, for authors of plugins.
TRACEBACK = "RECMERGE_BENCH_TRACEBACK"
REPORT = "This is a bug in recmerge-bench: please report it with the lines above and the command."


class LazyGroup(click.Group):
    """Knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest near names for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"no command '{args[0]}'{near(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from their stated helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True
)
@click.version_option(__version__, prog_name="recmerge-bench")
@click.option(
    "-p",
    "plugin_names",
    multiple=True,
    metavar="MODULE|FILE.py|FOLDER",
    help="Load a plugin; repeatable.",
)
@click.pass_context
def cli(ctx: click.Context, plugin_names: tuple[str, ...]) -> None:
    """Benchmark merging of sequential recommenders and cross-domain sequential recommendation."""
    ctx.obj = {"plugins": plugin_names}


def main(arguments: list[str] | None = None) -> None:
    """Entry point: 0 ok, 1 cells failed, 2 wrong use or bad input, 3 a bug, 4 not all checked."""
    try:
        code: Any = cli.main(arguments, prog_name="recmerge-bench", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except HandledError as error:
        _stop(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.ClickException as error:
        _stop(_misplaced(error) or error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; run the same command again to go on", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        from recmerge_bench.blame import plugin_fault

        message = plugin_fault(error) or _of_the_system(error)
        if message:
            _stop(message, 2)
        traceback.print_exc()
        click.echo(REPORT, err=True)
        sys.exit(3)


def _stop(message: str, code: int) -> NoReturn:
    """End with one line; with the traceback too where ``RECMERGE_BENCH_TRACEBACK`` asks for it."""
    if os.environ.get(TRACEBACK):
        traceback.print_exc()
    click.echo(f"error: {one_line(message)}", err=True)
    sys.exit(code)


def _misplaced(error: click.ClickException) -> str:
    """Where ``-p`` belongs, where it was given to a command; else nothing."""
    if not isinstance(error, click.NoSuchOption) or error.option_name != "-p":
        return ""
    words = error.ctx.command_path.partition(" ")[2] if error.ctx else "run"
    return f"-p belongs before the command: `recmerge-bench -p FILE.py {words} ...`"


def _of_the_system(error: Exception) -> str:
    """What the file system refused (a full disk, a folder where a file should be); else nothing."""
    if not isinstance(error, OSError) or error.errno not in REFUSALS:
        return ""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}; fix that or name another place"
