"""How much is done: little in the normal run, more by `python -m tests.chaos`."""

import os

CALLS = int(os.environ.get("CHAOS_CALLS", "200"))
"""Calls in a campaign."""
KILLS = int(os.environ.get("CHAOS_KILLS", "2"))
"""Crashes at random moments in a campaign."""
STORM_CALLS = int(os.environ.get("CHAOS_STORM_CALLS", "100"))
"""Calls while every role is killed in turn."""
STORM_KILLS = int(os.environ.get("CHAOS_STORM_KILLS", "1"))
"""How often each role is killed meanwhile."""
AWAY_S = float(os.environ.get("CHAOS_AWAY_S", "12"))
"""For how long PostgreSQL is away; more than the API waits for it before it answers 503."""
