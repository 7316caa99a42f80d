"""What kinds of files of numbers there are, by the endings of their names."""

SHEETS = frozenset({".xls", ".xlsx"})
SUFFIXES = SHEETS | {"", ".txt", ".csv", ".tsv"}
ACCEPTED = "send txt, csv, xls or xlsx with a column of numbers"
