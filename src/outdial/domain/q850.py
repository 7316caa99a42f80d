"""What a release cause of ITU-T Q.850 speaks of; carriers put it into a Reason header (RFC 3326)."""

CALL_REJECTED = 21
"""The callee declined."""

_OF_THE_CALLEE = range(32)
"""The classes "normal event": the number, the callee, the normal end of a call. Others are the network's."""


def is_about_the_callee(cause: int | None) -> bool:
    """Whether another way to the callee would end in the same way, whatever SIP code came with the cause."""
    return cause in _OF_THE_CALLEE
