"""``readback …``: results on stdout, messages on stderr.

Commands are imported when they are called, so that ``readback --help`` starts at once.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys

import click

from rag import __version__

COMMANDS = {  # name: (where it is, what it does)
    "ask": ("ui.cli.ask:ask", "Answer a question, or a file of questions."),
    "why": ("ui.cli.why:why", "Say how an answer was found, or why there was none."),
    "index": ("ui.cli.index:index", "Bring the index up to date with files of papers."),
    "serve": ("ui.cli.serve:serve", "Serve the chat page and the HTTP API."),
    "mcp": ("ui.cli.serve:mcp", "Serve the tools ask, search_papers and get_paper over stdio."),
    "model": ("ui.cli.model:model", "Say which language models run on this machine, and serve one."),
    "doctor": ("ui.cli.doctor:doctor", "Say what is configured, what works and what would be used."),
    "eval": ("eval.commands:evaluation", "Measure answers on gold questions, and compare runs."),
    "learn": ("ui.cli.learn:learn", "Learn from what people did with the answers."),
    "policy": ("ui.cli.policy:policy", "Look at the policies that decide answers, and change the one in force."),
    "backup": ("ui.cli.backup:backup", "Copy the data of a live installation."),
    "restore": ("ui.cli.backup:restore", "Put a backup where the data belongs."),
    "events": ("rag.events.commands:events", "Export, forget or purge what was recorded."),
    "user": ("ui.access.commands:user", "Manage who may use a server that others can reach."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="readback")
def group() -> None:
    """Ask a collection of paper abstracts; every sentence of the answer can be read back against its source.

    Settings come from the environment and from .env; .env.example explains them all.
    """


def _log_level() -> str:
    """As set in the environment or in .env; the whole of the settings would take too long to read for --help."""
    if "READBACK_LOG_LEVEL" not in os.environ and os.path.isfile(".env"):
        from dotenv import dotenv_values

        return dotenv_values(".env").get("READBACK_LOG_LEVEL") or ""
    return os.environ.get("READBACK_LOG_LEVEL", "")


def main() -> None:
    """The console script. Errors meant for the user are one line on stderr and exit code 1; a bug is exit code 70."""
    from rag.errors import ReadbackError

    try:
        level = _log_level()
        if level not in logging.getLevelNamesMapping():
            level = "WARNING"  # reading the settings says what is wrong with it
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
        for noisy in ("httpx", "chromadb", "bm25s", "openai"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        code = group.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        click.echo("readback: stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ReadbackError as error:
        click.echo(f"readback: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has gone, as with "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("READBACK_LOG_LEVEL") == "DEBUG":
            raise
        click.echo(f"readback: a bug: {type(error).__name__}: {error}. READBACK_LOG_LEVEL=DEBUG shows where.", err=True)
        sys.exit(70)
