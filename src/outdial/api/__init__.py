"""The HTTP API: one module for each resource. It stores what is wanted and reads what happened.

It never drives a call: a call is a row that a dialer claims, a cancel is a column that a dialer acts on.
"""
