"""What the extras of the package install, for errors that say how to install what is missing.

They name the libraries themselves: that holds however custcore was installed, and before it is published.
"""

from __future__ import annotations

__all__ = ["EXTRAS", "how_to_install"]

# As in pyproject.toml; a test compares.
EXTRAS = {
    "pandas": ("pandas>=2.2", "pyarrow>=17"),
    "polars": ("polars>=1.4",),
    "pyarrow": ("pyarrow>=17",),
    "numpy": ("numpy>=1.26",),
    "read": ("pyarrow>=17", "charset-normalizer>=3.5"),
    "cli": ("click>=8.4", "rich>=13", "pyarrow>=17", "charset-normalizer>=3.5"),
    "xlsx": ("python-calamine>=0.4", "xlsxwriter>=3.1", "pyarrow>=17"),
    "sklearn": ("scikit-learn>=1.6",),
    "duckdb": ("duckdb>=1.2.2", "pyarrow>=17"),
}


def how_to_install(*extras: str) -> str:
    """Return the command that installs all that some extras need.

    Examples
    --------
    >>> how_to_install("read")
    "pip install 'pyarrow>=17' 'charset-normalizer>=3.5'"
    """
    wanted = dict.fromkeys(requirement for extra in extras for requirement in EXTRAS[extra])
    return " ".join(["pip install", *(f"'{requirement}'" for requirement in wanted)])
