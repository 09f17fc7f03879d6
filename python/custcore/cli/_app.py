"""The list of commands, and error handling: one paragraph and an exit code."""

from __future__ import annotations

from typing import Any

import click

import custcore
from custcore.cli import (
    _abc,
    _allocate,
    _base,
    _before_after,
    _bench,
    _churn,
    _clv,
    _cohort,
    _command,
    _compare,
    _demo,
    _effect,
    _explain,
    _funnel,
    _inspect,
    _kmeans,
    _lifecycle,
    _measures,
    _next,
    _nps,
    _pairs,
    _plan,
    _portrait,
    _preferences,
    _review,
    _rfm,
    _rules,
    _score,
)
from custcore.cli._failure import failure

__all__ = ["app"]


class App(_command.Group):
    """A group whose commands may raise anything: what is raised becomes one paragraph and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own)
        """Run the command; exit code 3 for data errors, 2 for usage errors, 1 for bugs, 130 for Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\ncustcore: interrupted", err=True)
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:  # from `| head`; handled by click
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise failure(error) from error


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        ("What is in a file, and the command that suits it", "custcore inspect sales.csv"),
        ("All options of a verb, with examples", "custcore rfm --help"),
    ),
    epilog="""Options may also be in custcore.toml, or in the environment: CUSTCORE_AS_OF for all verbs,
    CUSTCORE_RFM_AS_OF for one. --print-config shows those of a verb.

    Exit codes: 0; 1 a bug; 2 wrong usage; 3 unusable data; 4 another process changes the base; 130 Ctrl-C.""",
)
@click.version_option(custcore.__version__, prog_name="custcore")
def app() -> None:
    """Analyse customers over Arrow: who bought when, how often and for how much."""


for verb in (
    _rfm,
    _kmeans,
    _score,
    _explain,
    _compare,
    _cohort,
    _abc,
    _lifecycle,
    _churn,
    _clv,
    _preferences,
    _next,
    _effect,
    _measures,
    _plan,
    _review,
    _funnel,
    _pairs,
    _rules,
    _portrait,
    _nps,
    _before_after,
    _allocate,
    _base,
    _inspect,
    _bench,
    _demo,
):
    app.add_command(verb.command)
