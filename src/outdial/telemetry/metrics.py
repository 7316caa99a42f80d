"""Every metric of the program. docs/reference/metrics.md is written from here.

Labels have few values: trunks and accounts are as many as somebody set up, and accounts beyond the first
ACCOUNTS are counted together. Durations are seconds, sizes bytes, as Prometheus wants them.
"""

from outdial.telemetry.instruments import Catalogue, Merge

ACCOUNTS = 50
"""Accounts with a series of their own in the metrics of the queue: those with the most calls."""
OTHER = "other"
"""The label of all further accounts."""

_SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400)
LATENESS_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Upper edges of the media workers' lateness; all of them multiples of their histogram's 50 µs."""

CATALOGUE = Catalogue()
_counter, _gauge, _histogram = CATALOGUE.counter, CATALOGUE.gauge, CATALOGUE.histogram

INFO = _gauge("outdial_info", "1, with the version of each role.", "version", merge=Merge.MAX, of_role=True)

CALLS_ACCEPTED = _counter("outdial_calls_accepted_total", "Calls that the API accepted and stored.")
BALANCE_REFUSALS = _counter(
    "outdial_balance_refusals_total", "Requests refused with 402 because the balance did not cover them."
)
HTTP_REQUESTS = _counter(
    "outdial_http_requests_total",
    "Requests to the HTTP API. `endpoint` is the path with names in place of ids, or `none`.",
    "method",
    "endpoint",
    "status",
)
HTTP_SECONDS = _histogram(
    "outdial_http_request_seconds",
    "From the request's head to the last byte of the answer.",
    "endpoint",
    buckets=_SHORT_S,
)

DIALS = _counter(
    "outdial_dials_total", "Calls and legs to agents whose INVITE was sent; its rate is the CPS.", "trunk"
)
ATTEMPTS = _counter(
    "outdial_attempts_total",
    "Attempts that ended, by disposition. One that never left the server has trunk faults as its reason.",
    "trunk",
    "disposition",
)
ATTEMPT_REASONS = _counter(
    "outdial_attempt_reasons_total", "Attempts that ended, by the reason in the CDR.", "reason"
)
CALLS_DONE = _counter(
    "outdial_calls_done_total", "Calls that a dialer ended for good, by their final status.", "disposition"
)
TALK_SECONDS = _counter("outdial_talk_seconds_total", "Time from answer to end, of ended attempts.", "trunk")
ACCEPT_TO_INVITE = _histogram(
    "outdial_accept_to_invite_seconds",
    "From a call's acceptance to the INVITE of its first attempt; the wait for a free line is in it.",
    buckets=_WAITS_S,
)
DUE_TO_INVITE = _histogram(
    "outdial_due_to_invite_seconds",
    "From when an attempt was due to its INVITE, first attempts and retries.",
    buckets=_WAITS_S,
)
ANSWER_TO_AUDIO = _histogram(
    "outdial_answer_to_audio_seconds",
    "From the 200 of an INVITE to the first packet of audio.",
    buckets=_SHORT_S,
)
DIALER_CALLS = _gauge(
    "outdial_dialer_calls",
    "Legs that the dialers of this machine have now: one for each call, one for each agent.",
)
DIALER_CALLS_LIMIT = _gauge(
    "outdial_dialer_calls_limit",
    "`dispatch.max_concurrent`, or for how many legs there are RTP ports if they are fewer, of all dialers of"
    " this machine.",
)
TRUNK_CALLS = _gauge(
    "outdial_trunk_calls",
    "Legs over a trunk: one for each call in progress, one for each agent that a flow called.",
    "trunk",
)
TRUNK_CALLS_LIMIT = _gauge(
    "outdial_trunk_calls_limit", "Legs that these dialers may have over a trunk at a time.", "trunk"
)
TRUNK_CPS_LIMIT = _gauge(
    "outdial_trunk_cps_limit", "Legs that these dialers may start over a trunk in a second.", "trunk"
)
TRUNK_FAULTS = _gauge(
    "outdial_trunk_faults",
    "Consecutive calls that the trunk could not take; from the third on it is held.",
    "trunk",
    merge=Merge.MAX,
)
TRUNK_HELD = _gauge(
    "outdial_trunk_held_seconds",
    "For how long the trunk gets no calls yet, after faults or by its Retry-After; 0 when it is not held.",
    "trunk",
    merge=Merge.MAX,
)
TRUNK_SILENT = _gauge(
    "outdial_trunk_silent",
    "1 while a trunk that is asked for its health by OPTIONS does not answer: its calls wait.",
    "trunk",
    merge=Merge.MAX,
)
TRUNK_UNREGISTERED = _gauge(
    "outdial_trunk_unregistered",
    "1 while a trunk that wants to know our address does not (RFC 3261 section 10): its calls wait.",
    "trunk",
    merge=Merge.MAX,
)
SIP_DROPPED = _counter(
    "outdial_sip_dropped_total",
    "SIP datagrams that were not obeyed. `stranger`: from an address that no trunk has, a scanner mostly;"
    " `unparseable`, `stray_response`, `keep_alive`, `unreachable`: ours, that the network sent back.",
    "why",
)

MEDIA_LATENESS = _histogram(
    "outdial_media_lateness_seconds",
    "How much later than its time each RTP packet left; every packet of a tick counts as its last one.",
    buckets=LATENESS_BUCKETS_S,
)
MEDIA_SKIPPED = _counter(
    "outdial_media_skipped_ticks_total", "Ticks that a media worker gave up to catch up: audible gaps."
)
MEDIA_STREAMS = _gauge("outdial_media_streams", "Streams that the media workers have now.")
MEDIA_WORKERS = _gauge("outdial_media_workers", "Media workers that take streams now.")
MEDIA_WORKERS_WANTED = _gauge("outdial_media_workers_wanted", "Media workers that should be there.")
MEDIA_RESTARTS = _counter("outdial_media_worker_restarts_total", "Media workers that died or hung.")
MEDIA_CPU = _counter("outdial_media_worker_cpu_seconds_total", "CPU time of the media workers.")
MEDIA_MEMORY = _gauge("outdial_media_worker_resident_bytes", "Memory of the media workers.")
MEDIA_PORTS_FREE = _gauge("outdial_media_ports_free", "Legs for which there are RTP ports now.")
RTP_SENT = _counter("outdial_rtp_packets_sent_total", "RTP packets sent, counted when a leg ends.", "trunk")
RTP_RECEIVED = _counter(
    "outdial_rtp_packets_received_total", "RTP packets received, counted when a leg ends.", "trunk"
)
RTP_LOST = _counter(
    "outdial_rtp_packets_lost_total",
    "RTP packets that never came, by their sequence numbers, counted when a leg ends.",
    "trunk",
)
REMOTE_LOSS = _histogram(
    "outdial_rtp_remote_loss_ratio",
    "Share of our packets that far ends missed, by their RTCP; one value for each leg that reported.",
    "trunk",
    buckets=(0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
)

WEBHOOK_REQUESTS = _counter(
    "outdial_webhook_requests_total",
    "Requests to webhooks, by how they were answered: `2xx`, `3xx`, `4xx`, `5xx` or `none`.",
    "answer",
)
WEBHOOK_SECONDS = _histogram(
    "outdial_webhook_request_seconds", "How long a request to a webhook took.", buckets=_SHORT_S
)
WEBHOOK_DELAY = _histogram(
    "outdial_webhook_delay_seconds",
    "From an event to the first request that tells it.",
    buckets=_WAITS_S,
)
WEBHOOK_IN_FLIGHT = _gauge("outdial_webhook_in_flight", "Requests to webhooks that are under way.")

DATABASE_UP = _gauge(
    "outdial_database_up", "1 if the last look at the database worked, else 0.", merge=Merge.MAX
)
DIALERS = _gauge(
    "outdial_dialers", "Dialers with a lease, on all machines of this database.", merge=Merge.MAX
)
ATTEMPTS_ACTIVE = _gauge(
    "outdial_attempts_active",
    "Attempts in progress on all machines, by state: `claimed`, `dialing`, `ringing`, `answered`.",
    "state",
    merge=Merge.MAX,
)
QUEUE_CALLS = _gauge(
    "outdial_queue_calls",
    "Calls that wait and are due now, by trunk, on all machines; counted up to 100,000. What is paused is not"
    " due.",
    "trunk",
    merge=Merge.MAX,
)
QUEUE_AGE = _gauge(
    "outdial_queue_oldest_seconds",
    "For how long the oldest due call of a trunk has waited; 0 with none.",
    "trunk",
    merge=Merge.MAX,
)
QUEUE_ACCOUNT_CALLS = _gauge(
    "outdial_queue_account_calls",
    "How many of those calls are an account's; accounts beyond the first 50 are `other`.",
    "account",
    merge=Merge.MAX,
)
QUEUE_ACCOUNT_AGE = _gauge(
    "outdial_queue_account_oldest_seconds",
    "For how long the oldest of those calls of an account has waited.",
    "account",
    merge=Merge.MAX,
)
WEBHOOK_PENDING = _gauge(
    "outdial_webhook_pending", "Events that no webhook took yet; counted up to 100,000.", merge=Merge.MAX
)
WEBHOOK_AGE = _gauge(
    "outdial_webhook_oldest_due_seconds",
    "For how long the oldest event that should be sent now has waited; 0 with none. One that waits for its"
    " next try after a failure is not due.",
    merge=Merge.MAX,
)
WEBHOOKS_OFF = _gauge(
    "outdial_webhooks_off", "Webhooks that are switched off because they failed or said 410.", merge=Merge.MAX
)

COMMITS = _histogram(
    "outdial_database_commit_seconds",
    "How long a write transaction took, from its begin to the end of its commit.",
    buckets=_SHORT_S,
    of_role=True,
)
DATABASE_ERRORS = _counter(
    "outdial_database_errors_total",
    "Times that the database was away (`away`) or refused a transaction (`failed`).",
    "kind",
    of_role=True,
)
LOOP_LAG = _histogram(
    "outdial_event_loop_lag_seconds",
    "How late the event loop came back to something that was due, looked at four times a second.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
    of_role=True,
)
PROCESS_CPU = _counter("outdial_process_cpu_seconds_total", "CPU time of the processes.", of_role=True)
PROCESS_MEMORY = _gauge(
    "outdial_process_resident_bytes", "Memory that the processes have in RAM.", of_role=True
)
PROCESS_FILES = _gauge("outdial_process_open_files", "Descriptors that are open.", of_role=True)
PROCESS_FILES_LIMIT = _gauge(
    "outdial_process_open_files_limit", "Descriptors that a process may open.", of_role=True
)
PROCESS_START = _gauge(
    "outdial_process_start_time_seconds",
    "When the newest process of a role was started, Unix time.",
    merge=Merge.MAX,
    of_role=True,
)
DISK_FREE = _gauge("outdial_disk_free_bytes", "Free space where the data folder is.", merge=Merge.MAX)
DISK_SIZE = _gauge(
    "outdial_disk_size_bytes", "Size of the disk on which the data folder is.", merge=Merge.MAX
)
