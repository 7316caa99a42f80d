"""The composition root: starts and stops roles, restarts the fallen, sets up logging.

Builds each role's parts.
"""
