"""What calls add to the metrics: two places in the life of a leg, some microseconds each."""

from outdial.domain.call import AttemptOutcome, Call, MediaQuality
from outdial.domain.retry_policy import Done, RetryDecision
from outdial.telemetry import metrics


def count_dial(call: Call, trunk: str, at: int) -> None:
    """An INVITE leaves."""
    metrics.DIALS.add(1, trunk)
    metrics.DUE_TO_INVITE.observe(max(0, at - call.due_at) / 1000)
    if call.attempts_started == 1:
        metrics.ACCEPT_TO_INVITE.observe(max(0, at - call.submitted_at) / 1000)


def count_agent_dial(trunk: str) -> None:
    """An INVITE to an agent leaves."""
    metrics.DIALS.add(1, trunk)


def count_end(outcome: AttemptOutcome, decision: RetryDecision, trunk: str) -> None:
    """An attempt is over, and its outcome on disk."""
    metrics.ATTEMPTS.add(1, trunk, outcome.disposition.value)
    metrics.ATTEMPT_REASONS.add(1, outcome.reason.value)
    if isinstance(decision, Done):
        metrics.CALLS_DONE.add(1, outcome.disposition.value)
    metrics.TALK_SECONDS.add(outcome.talk_ms / 1000, trunk)
    if outcome.quality is not None:
        count_rtp(outcome.quality, trunk)


def count_rtp(quality: MediaQuality, trunk: str) -> None:
    """A leg is over that was answered, or that nobody answered: then there is nothing to add."""
    metrics.RTP_SENT.add(quality.packets_sent, trunk)
    metrics.RTP_RECEIVED.add(quality.packets_received, trunk)
    metrics.RTP_LOST.add(quality.packets_lost, trunk)
    if quality.remote_loss is not None:
        metrics.REMOTE_LOSS.observe(quality.remote_loss, trunk)
