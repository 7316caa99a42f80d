"""What the API answers. A field may be missing that does not apply.

Generated from the OpenAPI description by `make docs`; do not edit.
"""


# ruff: noqa: D101 - the API guide says what the fields mean

from typing import Any, TypedDict


class AdminAudit(TypedDict, total=False):
    id: int
    at: str
    actor: str
    account_id: int | None
    token_id: int | None
    address: str | None
    action: str
    thing: str
    thing_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AdminRateImportRate(TypedDict, total=False):
    rows: int


class AdminRate(TypedDict, total=False):
    id: int
    iso: str | None
    country_name: str
    calling_code: str
    prefix: str
    sale_price: str
    first_pulse: int
    next_price: str
    next_pulse: int
    connection_fee: str
    currency: str
    status: str
    account_id: int | None


class AdminBridge(TypedDict, total=False):
    id: int
    number: str
    account_id: int
    trunk_id: int
    display_name: str | None
    further_trunk_ids: list[int]
    calls_per_second: float | None
    max_concurrent: int | None
    paused: bool
    paused_at: str | None
    created_at: str


class AdminTrunkHealthRegistration(TypedDict, total=False):
    contact: str
    registered_until: str
    problem: str | None
    sip_code: int | None


class AdminTrunkHealth(TypedDict, total=False):
    state: str
    calls: int
    since: str | None
    held_until: str | None
    reason: str | None
    registrations: list[AdminTrunkHealthRegistration]


class AdminTrunk(TypedDict, total=False):
    id: int
    name: str
    host: str
    port: int
    transport: str
    username: str | None
    password: str | None
    auth_username: str | None
    from_user: str | None
    from_domain: str | None
    dial_prefix: str
    caller_id_mode: str
    privacy: bool
    codecs: list[str]
    ptime_ms: int
    ring_timeout_s: int
    max_call_s: int
    session_expires_s: int | None
    options_interval_s: int | None
    register_expires_s: int
    calls_per_second: float | None
    max_concurrent: int | None
    keep_to_peer: bool
    addresses: list[Any]
    headers: dict[str, Any]
    enabled: bool
    created_at: str
    health: AdminTrunkHealth


class AdminAccount(TypedDict, total=False):
    id: int
    name: str
    time_zone: str
    status: str
    currency: str
    prepaid: bool
    balance: str
    reserved: str
    calls_per_second: float | None
    max_concurrent: int | None
    paused: bool
    paused_at: str | None
    calling_window: str | None
    created_at: str
    closed_at: str | None


class Token(TypedDict, total=False):
    id: int
    account_id: int
    name: str
    prefix: str
    scopes: list[str]
    addresses: list[Any]
    status: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    token: str


class AuthMeToken(TypedDict, total=False):
    id: int
    name: str
    prefix: str
    scopes: list[str]
    addresses: list[Any]
    status: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class AuthMeAccount(TypedDict, total=False):
    id: int
    name: str
    time_zone: str


class AuthMe(TypedDict, total=False):
    account: AuthMeAccount
    token: AuthMeToken


class Subscription(TypedDict, total=False):
    id: int
    event: str
    identity: str
    webhook_id: int
    created_at: str


class WebhookDelivery(TypedDict, total=False):
    id: int
    webhook_id: int
    call_id: str
    sequence: int
    at: str
    ms: int | None
    status: int | None
    error: str | None
    answer: str | None
    event: str
    next_try_at: str | None


class Webhook(TypedDict, total=False):
    id: int
    name: str
    uri: str
    secret: str
    verification_code: str
    status: int
    reason: str | None
    method: str
    headers: dict[str, Any]
    body_format: str
    body: str | None
    failing_since: str | None
    former_secret_until: str | None
    created_at: str
    updated_at: str


class FlowCountVersionNode(TypedDict, total=False):
    flow: str
    node: str
    visits: int
    ended_here: int
    exits: dict[str, Any]


class FlowCountVersion(TypedDict, total=False):
    version: int
    runs: int
    results: dict[str, Any]
    nodes: list[FlowCountVersionNode]


class FlowCount(TypedDict, total=False):
    counted: int
    complete: bool
    versions: list[FlowCountVersion]


class FlowResultFlowPath(TypedDict, total=False):
    flow: str
    node: str
    exit: str | None
    entered_at: str
    seconds: float | None


class FlowResultFlow(TypedDict, total=False):
    id: int
    version: int
    result: str
    path: list[FlowResultFlowPath]
    variables: dict[str, Any]
    tags: list[Any]
    problems: list[Any]


class FlowResult(TypedDict, total=False):
    call_id: str
    attempt: int
    to: str | None
    ended_at: str | None
    flow: FlowResultFlow


class FlowDiff(TypedDict, total=False):
    what: str
    node: str | None
    field: str | None
    old: str | None
    new: str | None
    sentence: str


class FlowImportNote(TypedDict, total=False):
    severity: str
    node: str | None
    message: str


class FlowImport(TypedDict, total=False):
    id: int | None
    name: str
    revision: int | None
    published: int | None
    created_at: str | None
    updated_at: str | None
    document: dict[str, Any]
    problems: list[Any]
    notes: list[FlowImportNote]


class FlowTestFlow(TypedDict, total=False):
    name: str
    passed: bool
    problems: list[Any]


class FlowTestDocument(TypedDict, total=False):
    name: str
    passed: bool
    problems: list[Any]


class FlowSimulateFlowReport(TypedDict, total=False):
    result: str | None
    path: list[Any]
    variables: dict[str, Any]
    tags: list[Any]
    problems: list[Any]


class FlowSimulateFlowActionPlayPromptText(TypedDict, total=False):
    text: str | None


class FlowSimulateFlowActionPlayPrompt(TypedDict, total=False):
    text: FlowSimulateFlowActionPlayPromptText | None


class FlowSimulateFlowActionPlay(TypedDict, total=False):
    play_id: str
    prompt: list[FlowSimulateFlowActionPlayPrompt]
    barge_in: bool


class FlowSimulateFlowAction(TypedDict, total=False):
    play: FlowSimulateFlowActionPlay


class FlowSimulateFlowLine(TypedDict, total=False):
    at: str
    offset_ms: int
    node: str | None
    kind: str
    text: str | None


class FlowSimulateFlow(TypedDict, total=False):
    finished: bool
    waits_for: str | None
    node: str | None
    flow: str
    now: str
    offset_ms: int
    lines: list[FlowSimulateFlowLine]
    new_lines: int
    actions: list[FlowSimulateFlowAction]
    report: FlowSimulateFlowReport


class FlowSimulateDocumentReport(TypedDict, total=False):
    result: str | None
    path: list[Any]
    variables: dict[str, Any]
    tags: list[Any]
    problems: list[Any]


class FlowSimulateDocumentActionPlayPromptText(TypedDict, total=False):
    text: str | None


class FlowSimulateDocumentActionPlayPrompt(TypedDict, total=False):
    text: FlowSimulateDocumentActionPlayPromptText | None


class FlowSimulateDocumentActionPlay(TypedDict, total=False):
    play_id: str
    prompt: list[FlowSimulateDocumentActionPlayPrompt]
    barge_in: bool


class FlowSimulateDocumentAction(TypedDict, total=False):
    play: FlowSimulateDocumentActionPlay


class FlowSimulateDocumentLine(TypedDict, total=False):
    at: str
    offset_ms: int
    node: str | None
    kind: str
    text: str | None


class FlowSimulateDocument(TypedDict, total=False):
    finished: bool
    waits_for: str | None
    node: str | None
    flow: str
    now: str
    offset_ms: int
    lines: list[FlowSimulateDocumentLine]
    new_lines: int
    actions: list[FlowSimulateDocumentAction]
    report: FlowSimulateDocumentReport


class FlowLintDraft(TypedDict, total=False):
    severity: str
    code: str
    node: str | None
    field: str | None
    message: str


class FlowLintDocument(TypedDict, total=False):
    severity: str
    code: str
    node: str | None
    field: str | None
    message: str


class FlowVersion(TypedDict, total=False):
    version: int
    note: str | None
    sha256: str
    published_at: str
    published_by: str | None
    current: bool
    warnings: list[Any]
    document: dict[str, Any]


class Flow(TypedDict, total=False):
    id: int
    name: str
    revision: int
    published: int | None
    created_at: str
    updated_at: str
    document: dict[str, Any]
    problems: list[Any]


class FlowStepStepExit(TypedDict, total=False):
    name: str
    description: str
    pattern: str | None
    optional: bool


class FlowStepStepSetting(TypedDict, total=False):
    name: str
    kind: str
    description: str
    required: bool
    schema: dict[str, Any]


class FlowStepStep(TypedDict, total=False):
    type: str
    summary: str
    description: str
    settings: list[FlowStepStepSetting]
    exits: list[FlowStepStepExit]
    example: dict[str, Any]


class FlowStep(TypedDict, total=False):
    steps: list[FlowStepStep]
    definitions: dict[str, Any]


class Balance(TypedDict, total=False):
    balance: str
    reserved: str
    available: str
    currency: str
    prepaid: bool


class Pricing(TypedDict, total=False):
    id: int
    iso: str | None
    country_name: str
    calling_code: str
    prefix: str
    sale_price: str
    first_pulse: int
    next_price: str
    next_pulse: int
    connection_fee: str
    currency: str
    status: str


class Voice(TypedDict, total=False):
    id: str
    engine: str
    name: str
    language: str
    gender: str
    default: bool


class Sound(TypedDict, total=False):
    id: str
    name: str
    duration: str
    duration_ms: int
    format: str
    bytes: int
    created_at: str
    audio_url: str


class Recording(TypedDict, total=False):
    id: str
    call_id: str
    attempt: int
    type: str
    call_from: str
    call_to: str
    bridge: str
    name: str
    duration: str
    recorded_at: str
    audio: str


class Bridge(TypedDict, total=False):
    id: int
    bridge: str
    display_name: str | None
    status: str
    calls_per_second: float | None
    max_concurrent: int | None
    created_at: str


class CallLogAttempt(TypedDict, total=False):
    attempt: int
    state: str
    status: str | None
    sip_code: int | None
    hangup_by: str | None


class CallLog(TypedDict, total=False):
    id: str
    call_from: str
    call_to: str
    bridge: str
    status: str | None
    state: str
    duration: str
    billing: str
    pulsing: str
    charges: str
    submitted_at: str | None
    start_at: str | None
    end_at: str | None
    hangup_by: str | None
    dtmf: str
    location: str | None
    region: str | None
    provider: str | None
    audio: str | None
    name: str
    customid: str
    customid1: str
    sip_code: int | None
    reason: str | None
    attempts: list[CallLogAttempt]


class SuppressionImportFileProblem(TypedDict, total=False):
    row: int
    message: str


class SuppressionImportFile(TypedDict, total=False):
    rows: int
    imported: int
    duplicates: int
    invalid: int
    problems: list[SuppressionImportFileProblem]


class SuppressionRemoveAll(TypedDict, total=False):
    deleted: int


class Suppression(TypedDict, total=False):
    id: int
    receiver: str
    iso: str | None
    type: str
    value: str
    source: str
    created_at: str
    updated_at: str


class CallResume(TypedDict, total=False):
    was_paused: bool


class CallPause(TypedDict, total=False):
    name: str
    id: str | None
    paused_at: str | None
    waiting: int


class CallCancel(TypedDict, total=False):
    id: str
    cancelled: int
    hanging_up: int
    ended: int


class CallTraceEntry(TypedDict, total=False):
    at: str
    offset_ms: int
    direction: str
    peer: str | None
    summary: str
    text: str | None


class CallTrace(TypedDict, total=False):
    id: str
    explanation: str
    attempt: int
    cut: bool
    entries: list[CallTraceEntry]


class CallStatusAttemptQuality(TypedDict, total=False):
    packets_sent: int
    packets_lost: int
    jitter_ms: float
    mos: float


class CallStatusAttempt(TypedDict, total=False):
    attempt: int
    state: str
    status: str | None
    reason: str | None
    sip_code: int | None
    sip_reason: str | None
    q850: int | None
    sip_call_id: str | None
    hangup_by: str | None
    trunk: str
    detour: str | None
    ring_seconds: float
    talk_seconds: float
    played_seconds: float
    dtmf: str
    codec: str | None
    ptime: int | None
    recording: str | None
    recording_url: str | None
    dialed_at: str | None
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    flow: str | None
    agents: list[Any]
    quality: CallStatusAttemptQuality | None


class CallStatus(TypedDict, total=False):
    id: str
    mobile: str
    caller_id: str
    name: str
    state: str
    status: str | None
    duration: str
    pulsing: str
    charges: str
    dtmf: str
    location: str | None
    region: str | None
    provider: str | None
    customid: str
    customid1: str
    submitted_at: str | None
    due_at: str | None
    expires_at: str | None
    start_at: str | None
    end_at: str | None
    explanation: str
    callback_of: str | None
    callback: str | None
    attempts: list[CallStatusAttempt]


class CallStatuAttemptQuality(TypedDict, total=False):
    packets_sent: int
    packets_lost: int
    jitter_ms: float
    mos: float


class CallStatuAttempt(TypedDict, total=False):
    attempt: int
    state: str
    status: str | None
    reason: str | None
    sip_code: int | None
    sip_reason: str | None
    q850: int | None
    sip_call_id: str | None
    hangup_by: str | None
    trunk: str
    detour: str | None
    ring_seconds: float
    talk_seconds: float
    played_seconds: float
    dtmf: str
    codec: str | None
    ptime: int | None
    recording: str | None
    recording_url: str | None
    dialed_at: str | None
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    flow: str | None
    agents: list[Any]
    quality: CallStatuAttemptQuality | None


class CallStatu(TypedDict, total=False):
    id: str
    mobile: str
    caller_id: str
    name: str
    state: str
    status: str | None
    duration: str
    pulsing: str
    charges: str
    dtmf: str
    location: str | None
    region: str | None
    provider: str | None
    customid: str
    customid1: str
    submitted_at: str | None
    due_at: str | None
    expires_at: str | None
    start_at: str | None
    end_at: str | None
    explanation: str
    callback_of: str | None
    callback: str | None
    attempts: list[CallStatuAttempt]


class AcceptedCall(TypedDict, total=False):
    id: str | None
    mobile: str
    charges: str
    customid: str
    customid1: str
    iso_code: str | None
    submitted_at: str | None
    error: str | None


class ServerReadyz(TypedDict, total=False):
    status: str
    checks: dict[str, Any]
    dialers: int
    version: str


class ServerHealthz(TypedDict, total=False):
    status: str
    version: str
