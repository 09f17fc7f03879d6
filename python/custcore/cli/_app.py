"""The list of commands, and error handling: one paragraph and an exit code."""

from __future__ import annotations

from typing import Any

import click

import custcore
from custcore.cli import _base, _bench, _cohort, _demo, _inspect, _kmeans, _rfm, _score
from custcore.cli._failure import DataProblem, Defect, printable

__all__ = ["app"]


class App(click.Group):
    """A group whose commands may raise errors of custcore, pyarrow and the operating system."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own)
        """Run the command; exit code 3 for data errors, 2 for usage errors, 130 for Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\ncustcore: interrupted", err=True)
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:  # from `| head`; handled by click
            raise
        except custcore.errors.InvalidArgumentError as error:
            raise click.UsageError(printable(str(error)), ctx=None) from error
        except custcore.errors.InternalError as error:
            raise Defect(str(error)) from error
        except (custcore.errors.CustcoreError, OSError, MemoryError) as error:
            raise DataProblem(str(error) or type(error).__name__) from error
        except Exception as error:
            import pyarrow as pa

            if isinstance(error, pa.ArrowException):
                raise DataProblem(str(error)) from error
            raise


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: custcore inspect FILE",
)
@click.version_option(custcore.__version__, prog_name="custcore")
def app() -> None:
    """Analyse customers over Arrow: who bought when, how often and for how much."""


for verb in (_rfm, _kmeans, _score, _cohort, _base, _inspect, _bench, _demo):
    app.add_command(verb.command)
