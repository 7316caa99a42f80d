"""Exit statuses of the server's processes and of the command line (sysexits.h where it has one)."""

OK = 0
FAILED = 1
"""The command ran and its answer is no: a call was not answered, a check found something."""
USAGE = 2
"""The command line itself was wrong."""
UNAVAILABLE = 69
"""The server could not be reached (EX_UNAVAILABLE)."""
INTERNAL = 70
"""A fault of ours (EX_SOFTWARE)."""
DENIED = 77
"""The token was missing, wrong or not allowed to do that (EX_NOPERM)."""
CONFIGURATION = 78
"""A setting is missing or wrong; starting again will not help (EX_CONFIG)."""
