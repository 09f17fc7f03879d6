"""Line ends, quotes, rows and headers."""

from __future__ import annotations

import pandas as pd

from tests.interop.messy.case import Case, csv

__all__ = ["CASES"]

HEAD = "customer_id,timestamp,amount\n"
ROWS = "ann,2026-01-05,1.5\nbob,2026-01-06,2.25\nann,2026-01-20,4\n"
SALES = HEAD + ROWS
NAMES = ["customer_id", "timestamp", "amount"]


def quoted(cell: str) -> str:
    return "customer_id,timestamp,amount,note\n" + f"ann,2026-01-05,1.5,{cell}\nbob,2026-01-06,2.25,x\n"


def spaced(path):
    table = pd.read_csv(path).rename(columns=str.strip)
    return table.assign(timestamp=pd.to_datetime(table["timestamp"].str.strip()))


LINES = [
    Case("crlf_and_lf.csv", "mixed line ends", "each is one", (HEAD + ROWS.replace("\n", "\r\n", 2)).encode(), csv()),
    Case("lone_cr.csv", "line ends of old Macs", "each is one", SALES.replace("\n", "\r").encode(), csv()),
    Case("no_last_line_end.csv", "the last line has no end", "the last row counts", SALES.rstrip().encode(), csv()),
    Case(
        "blank_lines.csv",
        "blank lines between rows and at the end",
        "they are no rows",
        (HEAD + ROWS.replace("\n", "\n\n") + "\n\n").encode(),
        csv(),
    ),
    Case(
        "blank_cells.csv",
        "rows of delimiters only, as spreadsheets export",
        "rows without a customer, counted as left out",
        (SALES + ",,\n,,\n").encode(),
        csv(),
    ),
    Case("totals_row.csv", "a totals row without an id", "left out, and counted", (SALES + ",,7.75\n").encode(), csv()),
    Case(
        "totals_text.csv",
        "a totals row with words where times are",
        "the row is named",
        (SALES + "Total,3 rows,7.75\n").encode(),
        error=("'3 rows'", "row 3", "timestamp_format"),
    ),
    Case(
        "titles.csv",
        "title lines above the header",
        "told what to remove",
        ("Sales of January\nexported 2026-02-01\n" + SALES).encode(),
        error=("lines above its header", "Sales of January", "remove the 2"),
    ),
    Case(
        "padded_title.csv",
        "a title line padded with delimiters",
        "told what to remove",
        ("Sales of January,,\n,,\n" + SALES).encode(),
        error=("lines above its header", "Sales of January"),
    ),
    Case(
        "comments.csv",
        "comment lines above the header",
        "told what to remove",
        ("# exported by shop 2.1\n" + SALES).encode(),
        error=("lines above its header", "# exported"),
    ),
    Case(
        "sep_line.csv",
        "Excel's line sep=; above the header",
        "it is no row",
        ("sep=;\n" + SALES.replace(",", ";")).encode(),
        csv(sep=";", skiprows=1),
    ),
    Case("empty.csv", "an empty file", "told so", b"", error=("empty.csv", "the file is empty")),
    Case("header_only.csv", "a header without rows", "no customers", HEAD.encode(), csv()),
    Case(
        "no_header.csv",
        "no header",
        "told to name the columns",
        ROWS.encode(),
        error=("no header", "names", "customer_id"),
    ),
    Case(
        "no_header_named.csv",
        "no header, names given",
        "read",
        ROWS.encode(),
        csv(names=NAMES, header=None),
        options={"names": NAMES},
    ),
    Case(
        "duplicate_header.csv",
        "two columns of one name, which is needed",
        "told to rename one",
        SALES.replace("\n", ",9\n").replace("amount,9", "amount,amount").encode(),
        error=("two columns named 'amount'", "rename"),
    ),
    Case(
        "duplicate_other.csv",
        "two columns of one name that nobody needs",
        "read",
        SALES.replace("\n", ",8,9\n").replace("amount,8,9", "amount,x,x").encode(),
        csv(),
    ),
    Case(
        "blank_header.csv",
        "a column without a name, as of a written index",
        "read",
        "".join(f"{i},{line}\n" for i, line in enumerate(SALES.splitlines()))
        .replace("0,customer", ",customer")
        .encode(),
        csv(index_col=0),
    ),
    Case(
        "spaced_header.csv",
        "spaces around names and values",
        "names, numbers and times without them; text keeps them",
        SALES.replace(",", " , ").encode(),
        spaced,
    ),
    Case(
        "trailing_delimiter.csv",
        "a delimiter at the end of all lines",
        "read",
        SALES.replace("\n", ",\n").encode(),
        csv(usecols=NAMES),
    ),
    Case(
        "trailing_in_rows.csv",
        "a delimiter at the end of rows, not of the header",
        "never shifted columns: told",
        (HEAD + ROWS.replace("\n", ",\n")).encode(),
        error=("line 2", "4 cells", "header has 3"),
    ),
    Case(
        "short_row.csv",
        "a row with too few cells",
        "the line is named",
        SALES.replace(",2.25", "").encode(),
        error=("line 3", "2 cells", "header has 3"),
    ),
    Case(
        "long_row.csv",
        "a row with too many cells",
        "the line is named",
        SALES.replace("2.25", "2,25").encode(),
        error=("line 3", "4 cells", "quotes"),
    ),
]

QUOTES = [
    Case(
        "open_quote.csv",
        "a quote that never closes",
        "no rows vanish: the line is named",
        SALES.replace("bob", '"bob').encode(),
        error=("line 3", "quote", '("")'),
    ),
    Case(
        "half_quoted.csv",
        "a quote that closes two rows later",
        "no rows vanish: the line is named",
        (HEAD + 'ann,2026-01-05,"a\nbob,2026-01-06,1\ncleo,2026-01-07,"c"\n').encode(),
        error=("line 2", "quote"),
    ),
    Case(
        "backslash_quotes.csv",
        "quotes escaped by backslashes, as MySQL exports",
        "no rows vanish: the line is named",
        quoted('"say \\"hi\\", ok"').encode(),
        error=("line 2", "quote", '("")'),
    ),
    Case(
        "doubled_quotes.csv",
        "doubled quotes and a delimiter in a cell",
        "read",
        SALES.replace("ann", '"Ann ""A"", Ltd"').encode(),
        csv(),
    ),
    Case(
        "line_end_in_quotes.csv",
        "line ends within quotes",
        "one cell",
        quoted('"two\nlines\n\nand more"').encode(),
        csv(),
    ),
    Case(
        "all_quoted.csv",
        "every cell in quotes",
        "numbers are numbers",
        "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in SALES.splitlines()).encode(),
        csv(),
    ),
    Case("inch_marks.csv", "a quote sign within a cell", "it is a character", quoted('13" screen').encode(), csv()),
]

DELIMITERS = [
    Case(
        "semicolons.csv",
        "semicolons and decimal commas",
        "read",
        SALES.replace(",", ";").replace("1.5", "1,5").replace("2.25", "2,25").encode(),
        csv(sep=";", decimal=","),
    ),
    Case("tabs.txt", "tabs in a .txt", "read", SALES.replace(",", "\t").encode(), csv(sep="\t")),
    Case("bars.csv", "bars", "read", SALES.replace(",", "|").encode(), csv(sep="|")),
    Case(
        "tildes.csv",
        "a delimiter that nobody detects",
        "told to say it",
        SALES.replace(",", "~").encode(),
        error=("no column 'customer_id'", "delimiter"),
    ),
    Case(
        "tildes_said.csv",
        "the same, said",
        "read",
        SALES.replace(",", "~").encode(),
        csv(sep="~"),
        options={"delimiter": "~"},
    ),
    Case(
        "spaces_after_commas.csv",
        "a space after each delimiter",
        "it is no part of numbers and times",
        SALES.replace(",", ", ").encode(),
        csv(skipinitialspace=True),
    ),
]

MORE_MISSING = '"",2026-01-07,2\ncleo,2026-01-08,null\ndan,2026-01-09,\n'
MISSING = [
    Case(
        "missing_markers.csv",
        "NULL, NA, N/A and empty cells",
        "nulls",
        (HEAD + "ann,2026-01-05,1.5\nNULL,2026-01-06,2\nNA,2026-01-06,2\nbob,N/A,2\n" + MORE_MISSING).encode(),
        csv(),
    ),
    Case(
        "python_markers.csv",
        "None, <NA> and NaT, as Python writes nulls",
        "nulls",
        (
            HEAD + "None,2026-01-05,1.5\n<NA>,2026-01-06,2\nann,NaT,2\nbob,2026-01-07,nan\ncleo,2026-01-07,None\n"
        ).encode(),
        csv(),
    ),
    Case(
        "dash_amount.csv",
        "- for no amount",
        "0 or null is not guessed: the row is named",
        (HEAD + "ann,2026-01-05,1.5\nbob,2026-01-06,-\n").encode(),
        error=("amount", "'-' in row 1", "no number"),
    ),
    Case(
        "mixed_amount.csv",
        "a word among amounts",
        "the row is named",
        (HEAD + "ann,2026-01-05,1.5\nbob,2026-01-06,pending\n").encode(),
        error=("amount", "'pending' in row 1", "no number"),
    ),
    Case(
        "mixed_ids.csv",
        "numbers and texts as ids",
        "all are text",
        (HEAD + "12,2026-01-05,1.5\nA7,2026-01-06,2.25\n").encode(),
        csv(),
    ),
    Case(
        "float_ids.csv",
        "ids that an export wrote as floats",
        "whole numbers, with a remark",
        (HEAD + "12346.0,2026-01-05,1.5\n,2026-01-06,2\n17850.0,2026-01-07,3\n").encode(),
        csv(),
        note="12346.0",
    ),
    Case(
        "comma_float_ids.csv",
        "the same with a decimal comma",
        "whole numbers, with a remark",
        b"customer_id;timestamp;amount\n12346,0;2026-01-05;1,5\n17850,0;2026-01-07;3,25\n",
        csv(sep=";", decimal=","),
        note="12346,0",
    ),
    Case(
        "leading_zeros.csv",
        "007 and 7",
        "one number, with a remark",
        (HEAD + "007,2026-01-05,1.5\n7,2026-01-06,2\n").encode(),
        csv(),
        note="007 and 7 are one",
    ),
    Case(
        "leading_zeros_text.csv",
        "the same as text",
        "two customers",
        (HEAD + "007,2026-01-05,1.5\n7,2026-01-06,2\n").encode(),
        csv(dtype={"customer_id": str}),
        options={"text": ["customer_id"]},
    ),
    Case(
        "spaces_in_ids.csv",
        "spaces within and around text ids",
        "kept, with a remark where they alone differ",
        (HEAD + "ann lee,2026-01-05,1.5\nann lee ,2026-01-06,2\n").encode(),
        csv(),
        note="spaces",
    ),
    Case(
        "spaces_around_numbers.csv",
        "spaces around ids that are numbers",
        "one number",
        (HEAD + "7,2026-01-05,1.5\n 7,2026-01-06,2\n7 ,2026-01-07,2\n").encode(),
        csv(),
    ),
]

CASES = [*LINES, *QUOTES, *DELIMITERS, *MISSING]
