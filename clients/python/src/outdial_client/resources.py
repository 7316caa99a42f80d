"""Every endpoint as a method, by group.

Generated from the OpenAPI description by `make docs`; do not edit.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from outdial_client import models
from outdial_client.transport import UNSET, Transport, Unset, segment, upload, without_none, without_unset


class _Group:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Server(_Group):
    """`client.server`."""

    def healthz(self) -> models.ServerHealthz:
        """Whether the process lives.

        GET `/healthz`
        """
        answer: models.ServerHealthz = self._transport.data("GET", "/healthz")
        return answer

    def readyz(self) -> models.ServerReadyz:
        """Whether the server works.

        GET `/readyz`
        """
        answer: models.ServerReadyz = self._transport.data("GET", "/readyz")
        return answer

    def metrics(self) -> str:
        """Figures for Prometheus.

        GET `/metrics`
        """
        answer: str = self._transport.raw("/metrics").decode()
        return answer


class Calls(_Group):
    """`client.calls`."""

    def send(
        self,
        *,
        bridge: str,
        to: str | Sequence[str],
        audio: str | None = None,
        ivr_id: int | None = None,
        flow_id: int | None = None,
        name: str | None = None,
        interval: int | None = None,
        retries: int | None = None,
        schedule: str | None = None,
        expires_at: str | None = None,
        valid_for: int | None = None,
        calling_window: str | None = None,
        webhook_id: int | None = None,
        customid: str | None = None,
        customid1: str | None = None,
        variables: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Sequence[models.AcceptedCall]:
        """Call a number and play a sound.

        POST `/api/v1/outgoing/send`
        """
        answer: Sequence[models.AcceptedCall] = self._transport.data(
            "POST",
            "/api/v1/outgoing/send",
            body=without_none(
                {
                    "bridge": bridge,
                    "to": to,
                    "audio": audio,
                    "ivr_id": ivr_id,
                    "flow_id": flow_id,
                    "name": name,
                    "interval": interval,
                    "retries": retries,
                    "schedule": schedule,
                    "expires_at": expires_at,
                    "valid_for": valid_for,
                    "calling_window": calling_window,
                    "webhook_id": webhook_id,
                    "customid": customid,
                    "customid1": customid1,
                    "variables": variables,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def tts(
        self,
        *,
        bridge: str,
        to: str | Sequence[str],
        text: str,
        name: str | None = None,
        interval: int | None = None,
        retries: int | None = None,
        schedule: str | None = None,
        expires_at: str | None = None,
        valid_for: int | None = None,
        calling_window: str | None = None,
        webhook_id: int | None = None,
        customid: str | None = None,
        customid1: str | None = None,
        variables: Mapping[str, Any] | None = None,
        break_identifier: str | None = None,
        break_time: float | None = None,
        voice_language: str | None = None,
        voice_gender: str | None = None,
        voiceid: str | None = None,
        iteration_tries: int | None = None,
        iteration_delay: float | None = None,
        idempotency_key: str | None = None,
    ) -> Sequence[models.AcceptedCall]:
        """Call a number and say a text.

        POST `/api/v1/outgoing/tts`
        """
        answer: Sequence[models.AcceptedCall] = self._transport.data(
            "POST",
            "/api/v1/outgoing/tts",
            body=without_none(
                {
                    "bridge": bridge,
                    "to": to,
                    "name": name,
                    "interval": interval,
                    "retries": retries,
                    "schedule": schedule,
                    "expires_at": expires_at,
                    "valid_for": valid_for,
                    "calling_window": calling_window,
                    "webhook_id": webhook_id,
                    "customid": customid,
                    "customid1": customid1,
                    "variables": variables,
                    "text": text,
                    "break.identifier": break_identifier,
                    "break.time": break_time,
                    "voice.language": voice_language,
                    "voice.gender": voice_gender,
                    "voiceid": voiceid,
                    "iteration_tries": iteration_tries,
                    "iteration_delay": iteration_delay,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def status(self, id: str) -> models.CallStatu:
        """How calls went.

        GET `/api/v1/outgoing/callstatus`
        """
        answer: models.CallStatu = self._transport.data(
            "GET", "/api/v1/outgoing/callstatus", query=without_none({"id": id})
        )
        return answer

    def list(
        self, *, mobile: str | None = None, customid: str | None = None, date: str | None = None
    ) -> Iterator[models.CallStatus]:
        """How calls went.

        GET `/api/v1/outgoing/callstatus`
        """
        answer: Iterator[models.CallStatus] = self._transport.rows(
            "/api/v1/outgoing/callstatus",
            query=without_none({"mobile": mobile, "customid": customid, "date": date}),
        )
        return answer

    def trace(self, id: str, *, attempt: int | None = None) -> models.CallTrace:
        """The messages of a call.

        GET `/api/v1/outgoing/trace`
        """
        answer: models.CallTrace = self._transport.data(
            "GET", "/api/v1/outgoing/trace", query=without_none({"id": id, "attempt": attempt})
        )
        return answer

    def cancel(self, id: str) -> models.CallCancel:
        """Cancel a call, or all calls of a request.

        POST `/api/v1/outgoing/cancel`
        """
        answer: models.CallCancel = self._transport.data(
            "POST", "/api/v1/outgoing/cancel", body=without_none({"id": id})
        )
        return answer

    def pauses(self) -> Sequence[models.CallPause]:
        """What is paused.

        GET `/api/v1/outgoing/pauses`
        """
        answer: Sequence[models.CallPause] = self._transport.data("GET", "/api/v1/outgoing/pauses")
        return answer

    def pause(self, *, name: str | None = None, id: str | None = None) -> models.CallPause:
        """Pause a campaign or a request.

        POST `/api/v1/outgoing/pause`
        """
        answer: models.CallPause = self._transport.data(
            "POST", "/api/v1/outgoing/pause", body=without_none({"name": name, "id": id})
        )
        return answer

    def resume(self, *, name: str | None = None, id: str | None = None) -> models.CallResume:
        """Let a campaign or a request go on.

        POST `/api/v1/outgoing/resume`
        """
        answer: models.CallResume = self._transport.data(
            "POST", "/api/v1/outgoing/resume", body=without_none({"name": name, "id": id})
        )
        return answer


class Suppressions(_Group):
    """`client.suppressions`."""

    def list(
        self,
        *,
        receiver: str | None = None,
        iso: str | None = None,
        type: str | None = None,
        value: str | None = None,
    ) -> Iterator[models.Suppression]:
        """List suppressions.

        GET `/api/v1/outgoing/suppressions/unsubscribers`
        """
        answer: Iterator[models.Suppression] = self._transport.rows(
            "/api/v1/outgoing/suppressions/unsubscribers",
            query=without_none({"receiver": receiver, "iso": iso, "type": type, "value": value}),
        )
        return answer

    def add(
        self,
        *,
        receiver: str,
        iso: str | None = None,
        type: str | None = None,
        value: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Suppression:
        """Suppress a number.

        POST `/api/v1/outgoing/suppressions/unsubscribers`
        """
        answer: models.Suppression = self._transport.data(
            "POST",
            "/api/v1/outgoing/suppressions/unsubscribers",
            body=without_none({"receiver": receiver, "iso": iso, "type": type, "value": value}),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def remove_all(
        self,
        *,
        receiver: str | None = None,
        iso: str | None = None,
        type: str | None = None,
        value: str | None = None,
    ) -> models.SuppressionRemoveAll:
        """Lift all suppressions.

        DELETE `/api/v1/outgoing/suppressions/unsubscribers`
        """
        answer: models.SuppressionRemoveAll = self._transport.data(
            "DELETE",
            "/api/v1/outgoing/suppressions/unsubscribers",
            query=without_none({"receiver": receiver, "iso": iso, "type": type, "value": value}),
        )
        return answer

    def import_file(
        self, *, file: Path | bytes, type: str | None = None, value: str | None = None
    ) -> models.SuppressionImportFile:
        """Import a file of numbers.

        POST `/api/v1/outgoing/suppressions/unsubscribers/import`
        """
        answer: models.SuppressionImportFile = self._transport.data(
            "POST",
            "/api/v1/outgoing/suppressions/unsubscribers/import",
            body=without_none({"file": upload(file), "type": type, "value": value}),
        )
        return answer

    def get(self, suppression_id: int | str) -> models.Suppression:
        """Show one suppression.

        GET `/api/v1/outgoing/suppressions/unsubscribers/{suppression_id}`
        """
        answer: models.Suppression = self._transport.data(
            "GET", f"/api/v1/outgoing/suppressions/unsubscribers/{segment(suppression_id)}"
        )
        return answer

    def change(
        self,
        suppression_id: int | str,
        *,
        receiver: str | Unset | None = UNSET,
        iso: str | Unset | None = UNSET,
        type: str | Unset | None = UNSET,
        value: str | Unset | None = UNSET,
    ) -> models.Suppression:
        """Change a suppression.

        PUT `/api/v1/outgoing/suppressions/unsubscribers/{suppression_id}`
        """
        answer: models.Suppression = self._transport.data(
            "PUT",
            f"/api/v1/outgoing/suppressions/unsubscribers/{segment(suppression_id)}",
            body=without_unset({"receiver": receiver, "iso": iso, "type": type, "value": value}),
        )
        return answer

    def remove(self, suppression_id: int | str) -> None:
        """Lift a suppression.

        DELETE `/api/v1/outgoing/suppressions/unsubscribers/{suppression_id}`
        """
        self._transport.data(
            "DELETE", f"/api/v1/outgoing/suppressions/unsubscribers/{segment(suppression_id)}"
        )


class CallLog(_Group):
    """`client.call_log`."""

    def list(
        self,
        *,
        mobile: str | None = None,
        bridge: str | None = None,
        name: str | None = None,
        status: str | None = None,
        state: str | None = None,
        customid: str | None = None,
        customid1: str | None = None,
        date: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        after: str | None = None,
    ) -> Iterator[models.CallLog]:
        """The call log.

        GET `/api/v1/voice/calls`
        """
        answer: Iterator[models.CallLog] = self._transport.rows(
            "/api/v1/voice/calls",
            query=without_none(
                {
                    "mobile": mobile,
                    "bridge": bridge,
                    "name": name,
                    "status": status,
                    "state": state,
                    "customid": customid,
                    "customid1": customid1,
                    "date": date,
                    "start_date": start_date,
                    "end_date": end_date,
                    "after": after,
                }
            ),
        )
        return answer

    def calls_csv(
        self,
        *,
        mobile: str | None = None,
        bridge: str | None = None,
        name: str | None = None,
        status: str | None = None,
        state: str | None = None,
        customid: str | None = None,
        customid1: str | None = None,
        date: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        after: str | None = None,
    ) -> bytes:
        """The call log as CSV.

        GET `/api/v1/voice/calls.csv`
        """
        answer: bytes = self._transport.raw(
            "/api/v1/voice/calls.csv",
            query=without_none(
                {
                    "mobile": mobile,
                    "bridge": bridge,
                    "name": name,
                    "status": status,
                    "state": state,
                    "customid": customid,
                    "customid1": customid1,
                    "date": date,
                    "start_date": start_date,
                    "end_date": end_date,
                    "after": after,
                }
            ),
        )
        return answer

    def get(self, call_id: int | str) -> models.CallLog:
        """One call of the log.

        GET `/api/v1/voice/calls/{call_id}`
        """
        answer: models.CallLog = self._transport.data("GET", f"/api/v1/voice/calls/{segment(call_id)}")
        return answer


class Bridges(_Group):
    """`client.bridges`."""

    def list(self) -> Iterator[models.Bridge]:
        """List the numbers to call from.

        GET `/api/v1/voice/bridges`
        """
        answer: Iterator[models.Bridge] = self._transport.rows("/api/v1/voice/bridges")
        return answer

    def get(self, bridge: int | str) -> models.Bridge:
        """Show one number to call from.

        GET `/api/v1/voice/bridges/{bridge}`
        """
        answer: models.Bridge = self._transport.data("GET", f"/api/v1/voice/bridges/{segment(bridge)}")
        return answer


class Recordings(_Group):
    """`client.recordings`."""

    def list(
        self,
        *,
        mobile: str | None = None,
        bridge: str | None = None,
        name: str | None = None,
        status: str | None = None,
        state: str | None = None,
        customid: str | None = None,
        customid1: str | None = None,
        date: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
    ) -> Iterator[models.Recording]:
        """List recordings.

        GET `/api/v1/voice/recordings`
        """
        answer: Iterator[models.Recording] = self._transport.rows(
            "/api/v1/voice/recordings",
            query=without_none(
                {
                    "mobile": mobile,
                    "bridge": bridge,
                    "name": name,
                    "status": status,
                    "state": state,
                    "customid": customid,
                    "customid1": customid1,
                    "date": date,
                    "start_date": start_date,
                    "end_date": end_date,
                }
            ),
        )
        return answer

    def get(self, recording_id: int | str) -> models.Recording:
        """Show one recording.

        GET `/api/v1/voice/recordings/{recording_id}`
        """
        answer: models.Recording = self._transport.data(
            "GET", f"/api/v1/voice/recordings/{segment(recording_id)}"
        )
        return answer

    def delete(self, recording_id: int | str) -> None:
        """Delete a recording.

        DELETE `/api/v1/voice/recordings/{recording_id}`
        """
        self._transport.data("DELETE", f"/api/v1/voice/recordings/{segment(recording_id)}")

    def audio(self, recording_id: int | str) -> bytes:
        """Fetch a recording.

        GET `/api/v1/voice/recordings/{recording_id}/audio`
        """
        answer: bytes = self._transport.raw(f"/api/v1/voice/recordings/{segment(recording_id)}/audio")
        return answer


class Sounds(_Group):
    """`client.sounds`."""

    def upload(
        self, *, audio: Path | bytes, name: str | None = None, idempotency_key: str | None = None
    ) -> models.Sound:
        """Upload a sound.

        POST `/api/v1/voice/sounds`
        """
        answer: models.Sound = self._transport.data(
            "POST",
            "/api/v1/voice/sounds",
            body=without_none({"audio": upload(audio), "name": name}),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self) -> Iterator[models.Sound]:
        """List sounds.

        GET `/api/v1/voice/sounds`
        """
        answer: Iterator[models.Sound] = self._transport.rows("/api/v1/voice/sounds")
        return answer

    def get(self, sound_id: int | str) -> models.Sound:
        """Show one sound.

        GET `/api/v1/voice/sounds/{sound_id}`
        """
        answer: models.Sound = self._transport.data("GET", f"/api/v1/voice/sounds/{segment(sound_id)}")
        return answer

    def delete(self, sound_id: int | str) -> None:
        """Delete a sound.

        DELETE `/api/v1/voice/sounds/{sound_id}`
        """
        self._transport.data("DELETE", f"/api/v1/voice/sounds/{segment(sound_id)}")

    def audio(self, sound_id: int | str) -> bytes:
        """Fetch the audio.

        GET `/api/v1/voice/sounds/{sound_id}/audio`
        """
        answer: bytes = self._transport.raw(f"/api/v1/voice/sounds/{segment(sound_id)}/audio")
        return answer


class Voices(_Group):
    """`client.voices`."""

    def list(self, *, language: str | None = None, gender: str | None = None) -> Sequence[models.Voice]:
        """List voices.

        GET `/api/v1/voice/voices`
        """
        answer: Sequence[models.Voice] = self._transport.data(
            "GET", "/api/v1/voice/voices", query=without_none({"language": language, "gender": gender})
        )
        return answer


class Pricing(_Group):
    """`client.pricing`."""

    def list(self) -> Iterator[models.Pricing]:
        """What calls cost.

        GET `/api/v1/voice/pricing`
        """
        answer: Iterator[models.Pricing] = self._transport.rows("/api/v1/voice/pricing")
        return answer


class Account(_Group):
    """`client.account`."""

    def balance(self) -> models.Balance:
        """The credit that is left.

        GET `/api/v1/account/balance`
        """
        answer: models.Balance = self._transport.data("GET", "/api/v1/account/balance")
        return answer


class Flows(_Group):
    """`client.flows`."""

    def steps(self) -> models.FlowStep:
        """List the step types.

        GET `/api/v1/flows/steps`
        """
        answer: models.FlowStep = self._transport.data("GET", "/api/v1/flows/steps")
        return answer

    def schema(self) -> bytes:
        """Fetch the JSON Schema of flows.

        GET `/api/v1/flows/schema`
        """
        answer: bytes = self._transport.raw("/api/v1/flows/schema")
        return answer

    def listen(
        self,
        *,
        prompt: str | Mapping[str, Any] | Sequence[str],
        language: str | None = None,
        voice: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Listen to a prompt.

        POST `/api/v1/flows/preview`
        """
        answer: bytes = self._transport.raw(
            "/api/v1/flows/preview",
            body=without_none(
                {"prompt": prompt, "language": language, "voice": voice, "variables": variables}
            ),
        )
        return answer

    def add(
        self, *, name: str, document: Mapping[str, Any], idempotency_key: str | None = None
    ) -> models.Flow:
        """Add a flow.

        POST `/api/v1/flows`
        """
        answer: models.Flow = self._transport.data(
            "POST",
            "/api/v1/flows",
            body=without_none({"name": name, "document": document}),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self, *, name: str | None = None) -> Iterator[models.Flow]:
        """List flows.

        GET `/api/v1/flows`
        """
        answer: Iterator[models.Flow] = self._transport.rows(
            "/api/v1/flows", query=without_none({"filter[name]": name})
        )
        return answer

    def get(self, flow_id: int | str) -> models.Flow:
        """Show one flow.

        GET `/api/v1/flows/{flow_id}`
        """
        answer: models.Flow = self._transport.data("GET", f"/api/v1/flows/{segment(flow_id)}")
        return answer

    def change(
        self,
        flow_id: int | str,
        *,
        name: str | Unset | None = UNSET,
        document: Mapping[str, Any] | Unset | None = UNSET,
        revision: int | Unset | None = UNSET,
    ) -> models.Flow:
        """Change a flow's draft.

        PUT `/api/v1/flows/{flow_id}`
        """
        answer: models.Flow = self._transport.data(
            "PUT",
            f"/api/v1/flows/{segment(flow_id)}",
            body=without_unset({"name": name, "document": document, "revision": revision}),
        )
        return answer

    def remove(self, flow_id: int | str) -> None:
        """Remove a flow.

        DELETE `/api/v1/flows/{flow_id}`
        """
        self._transport.data("DELETE", f"/api/v1/flows/{segment(flow_id)}")

    def publish(self, flow_id: int | str, *, note: str | None = None) -> models.FlowVersion:
        """Publish the draft.

        POST `/api/v1/flows/{flow_id}/publish`
        """
        answer: models.FlowVersion = self._transport.data(
            "POST", f"/api/v1/flows/{segment(flow_id)}/publish", body=without_none({"note": note})
        )
        return answer

    def versions(self, flow_id: int | str) -> Sequence[models.FlowVersion]:
        """List the published versions.

        GET `/api/v1/flows/{flow_id}/versions`
        """
        answer: Sequence[models.FlowVersion] = self._transport.data(
            "GET", f"/api/v1/flows/{segment(flow_id)}/versions"
        )
        return answer

    def version(self, flow_id: int | str, version: int | str) -> models.FlowVersion:
        """Show one published version.

        GET `/api/v1/flows/{flow_id}/versions/{version}`
        """
        answer: models.FlowVersion = self._transport.data(
            "GET", f"/api/v1/flows/{segment(flow_id)}/versions/{segment(version)}"
        )
        return answer

    def roll_back(self, flow_id: int | str, *, version: int) -> models.FlowVersion:
        """Publish an older version again.

        POST `/api/v1/flows/{flow_id}/rollback`
        """
        answer: models.FlowVersion = self._transport.data(
            "POST", f"/api/v1/flows/{segment(flow_id)}/rollback", body=without_none({"version": version})
        )
        return answer

    def lint_document(self, *, document: Mapping[str, Any]) -> Sequence[models.FlowLintDocument]:
        """Check a flow that is not stored.

        POST `/api/v1/flows/lint`
        """
        answer: Sequence[models.FlowLintDocument] = self._transport.data(
            "POST", "/api/v1/flows/lint", body=without_none({"document": document})
        )
        return answer

    def lint_draft(self, flow_id: int | str) -> Sequence[models.FlowLintDraft]:
        """Check a flow's draft.

        GET `/api/v1/flows/{flow_id}/lint`
        """
        answer: Sequence[models.FlowLintDraft] = self._transport.data(
            "GET", f"/api/v1/flows/{segment(flow_id)}/lint"
        )
        return answer

    def simulate_document(
        self,
        *,
        document: Mapping[str, Any],
        variables: Mapping[str, Any] | None = None,
        at: str | None = None,
        seed: int | None = None,
        steps: Sequence[str] | None = None,
    ) -> models.FlowSimulateDocument:
        """Walk through a flow that is not stored.

        POST `/api/v1/flows/simulate`
        """
        answer: models.FlowSimulateDocument = self._transport.data(
            "POST",
            "/api/v1/flows/simulate",
            body=without_none(
                {"document": document, "variables": variables, "at": at, "seed": seed, "steps": steps}
            ),
        )
        return answer

    def simulate_flow(
        self,
        flow_id: int | str,
        *,
        version: int | None = None,
        variables: Mapping[str, Any] | None = None,
        at: str | None = None,
        seed: int | None = None,
        steps: Sequence[str] | None = None,
    ) -> models.FlowSimulateFlow:
        """Walk through a flow.

        POST `/api/v1/flows/{flow_id}/simulate`
        """
        answer: models.FlowSimulateFlow = self._transport.data(
            "POST",
            f"/api/v1/flows/{segment(flow_id)}/simulate",
            body=without_none(
                {"version": version, "variables": variables, "at": at, "seed": seed, "steps": steps}
            ),
        )
        return answer

    def test_document(
        self, *, document: Mapping[str, Any], cases: Sequence[str]
    ) -> Sequence[models.FlowTestDocument]:
        """Run test cases of a flow that is not stored.

        POST `/api/v1/flows/test`
        """
        answer: Sequence[models.FlowTestDocument] = self._transport.data(
            "POST", "/api/v1/flows/test", body=without_none({"document": document, "cases": cases})
        )
        return answer

    def test_flow(
        self, flow_id: int | str, *, cases: Sequence[str], version: int | None = None
    ) -> Sequence[models.FlowTestFlow]:
        """Run test cases of a flow.

        POST `/api/v1/flows/{flow_id}/test`
        """
        answer: Sequence[models.FlowTestFlow] = self._transport.data(
            "POST",
            f"/api/v1/flows/{segment(flow_id)}/test",
            body=without_none({"version": version, "cases": cases}),
        )
        return answer

    def import_(
        self,
        *,
        document: Mapping[str, Any],
        source: str | None = None,
        name: str | None = None,
        flow: str | None = None,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.FlowImport:
        """Import a flow.

        POST `/api/v1/flows/import`
        """
        answer: models.FlowImport = self._transport.data(
            "POST",
            "/api/v1/flows/import",
            body=without_none(
                {"source": source, "document": document, "name": name, "flow": flow, "dry_run": dry_run}
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def export(self, flow_id: int | str, *, version: str | None = None) -> bytes:
        """Export a flow.

        GET `/api/v1/flows/{flow_id}/export`
        """
        answer: bytes = self._transport.raw(
            f"/api/v1/flows/{segment(flow_id)}/export", query=without_none({"version": version})
        )
        return answer

    def diff(
        self, flow_id: int | str, *, from_: str | None = None, to: str | None = None
    ) -> Sequence[models.FlowDiff]:
        """Compare two versions of a flow.

        GET `/api/v1/flows/{flow_id}/diff`
        """
        answer: Sequence[models.FlowDiff] = self._transport.data(
            "GET", f"/api/v1/flows/{segment(flow_id)}/diff", query=without_none({"from": from_, "to": to})
        )
        return answer

    def results(
        self,
        flow_id: int | str,
        *,
        from_: str | None = None,
        to: str | None = None,
        version: int | None = None,
        result: str | None = None,
    ) -> Iterator[models.FlowResult]:
        """What callees did in a flow.

        GET `/api/v1/flows/{flow_id}/results`
        """
        answer: Iterator[models.FlowResult] = self._transport.rows(
            f"/api/v1/flows/{segment(flow_id)}/results",
            query=without_none({"from": from_, "to": to, "version": version, "result": result}),
        )
        return answer

    def results_csv(
        self,
        flow_id: int | str,
        *,
        from_: str | None = None,
        to: str | None = None,
        version: int | None = None,
        result: str | None = None,
    ) -> bytes:
        """What callees did in a flow, as CSV.

        GET `/api/v1/flows/{flow_id}/results.csv`
        """
        answer: bytes = self._transport.raw(
            f"/api/v1/flows/{segment(flow_id)}/results.csv",
            query=without_none({"from": from_, "to": to, "version": version, "result": result}),
        )
        return answer

    def counts(
        self,
        flow_id: int | str,
        *,
        from_: str | None = None,
        to: str | None = None,
        version: int | None = None,
        result: str | None = None,
    ) -> models.FlowCount:
        """How callees went through a flow.

        GET `/api/v1/flows/{flow_id}/counts`
        """
        answer: models.FlowCount = self._transport.data(
            "GET",
            f"/api/v1/flows/{segment(flow_id)}/counts",
            query=without_none({"from": from_, "to": to, "version": version, "result": result}),
        )
        return answer

    def counts_csv(
        self,
        flow_id: int | str,
        *,
        from_: str | None = None,
        to: str | None = None,
        version: int | None = None,
        result: str | None = None,
    ) -> bytes:
        """How callees went through a flow, as CSV.

        GET `/api/v1/flows/{flow_id}/counts.csv`
        """
        answer: bytes = self._transport.raw(
            f"/api/v1/flows/{segment(flow_id)}/counts.csv",
            query=without_none({"from": from_, "to": to, "version": version, "result": result}),
        )
        return answer


class Webhooks(_Group):
    """`client.webhooks`."""

    def add(
        self,
        *,
        name: str,
        uri: str,
        secret: str | None = None,
        method: str | None = None,
        headers: Mapping[str, Any] | None = None,
        body_format: str | None = None,
        body: str | None = None,
        status: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.Webhook:
        """Add a webhook.

        POST `/api/v1/developer/webhooks`
        """
        answer: models.Webhook = self._transport.data(
            "POST",
            "/api/v1/developer/webhooks",
            body=without_none(
                {
                    "name": name,
                    "uri": uri,
                    "secret": secret,
                    "method": method,
                    "headers": headers,
                    "body_format": body_format,
                    "body": body,
                    "status": status,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self, *, name: str | None = None) -> Iterator[models.Webhook]:
        """List webhooks.

        GET `/api/v1/developer/webhooks`
        """
        answer: Iterator[models.Webhook] = self._transport.rows(
            "/api/v1/developer/webhooks", query=without_none({"filter[name]": name})
        )
        return answer

    def get(self, webhook_id: int | str) -> models.Webhook:
        """Show one webhook.

        GET `/api/v1/developer/webhooks/{webhook_id}`
        """
        answer: models.Webhook = self._transport.data(
            "GET", f"/api/v1/developer/webhooks/{segment(webhook_id)}"
        )
        return answer

    def change(
        self,
        webhook_id: int | str,
        *,
        name: str | Unset | None = UNSET,
        uri: str | Unset | None = UNSET,
        secret: str | Unset | None = UNSET,
        method: str | Unset | None = UNSET,
        headers: Mapping[str, Any] | Unset | None = UNSET,
        body_format: str | Unset | None = UNSET,
        body: str | Unset | None = UNSET,
        status: int | Unset | None = UNSET,
    ) -> models.Webhook:
        """Change a webhook.

        PUT `/api/v1/developer/webhooks/{webhook_id}`
        """
        answer: models.Webhook = self._transport.data(
            "PUT",
            f"/api/v1/developer/webhooks/{segment(webhook_id)}",
            body=without_unset(
                {
                    "name": name,
                    "uri": uri,
                    "secret": secret,
                    "method": method,
                    "headers": headers,
                    "body_format": body_format,
                    "body": body,
                    "status": status,
                }
            ),
        )
        return answer

    def remove(self, webhook_id: int | str) -> None:
        """Remove a webhook.

        DELETE `/api/v1/developer/webhooks/{webhook_id}`
        """
        self._transport.data("DELETE", f"/api/v1/developer/webhooks/{segment(webhook_id)}")

    def verify(self, webhook_id: int | str) -> models.Webhook:
        """Verify a webhook again.

        POST `/api/v1/developer/webhooks/{webhook_id}/verify`
        """
        answer: models.Webhook = self._transport.data(
            "POST", f"/api/v1/developer/webhooks/{segment(webhook_id)}/verify", body={}
        )
        return answer

    def rotate(self, webhook_id: int | str, *, secret: str | None = None) -> models.Webhook:
        """Replace the secret.

        POST `/api/v1/developer/webhooks/{webhook_id}/rotate`
        """
        answer: models.Webhook = self._transport.data(
            "POST",
            f"/api/v1/developer/webhooks/{segment(webhook_id)}/rotate",
            body=without_none({"secret": secret}),
        )
        return answer

    def deliveries(self, webhook_id: int | str) -> Iterator[models.WebhookDelivery]:
        """List what was sent to a webhook.

        GET `/api/v1/developer/webhooks/{webhook_id}/deliveries`
        """
        answer: Iterator[models.WebhookDelivery] = self._transport.rows(
            f"/api/v1/developer/webhooks/{segment(webhook_id)}/deliveries"
        )
        return answer

    def replay(self, webhook_id: int | str, delivery_id: int | str) -> None:
        """Send an event once more.

        POST `/api/v1/developer/webhooks/{webhook_id}/deliveries/{delivery_id}/replay`
        """
        self._transport.data(
            "POST",
            f"/api/v1/developer/webhooks/{segment(webhook_id)}/deliveries/{segment(delivery_id)}/replay",
            body={},
        )


class Subscriptions(_Group):
    """`client.subscriptions`."""

    def add(
        self, *, event: str, webhook_id: int, identity: str | None = None, idempotency_key: str | None = None
    ) -> models.Subscription:
        """Subscribe a webhook.

        POST `/api/v1/developer/subscriptions`
        """
        answer: models.Subscription = self._transport.data(
            "POST",
            "/api/v1/developer/subscriptions",
            body=without_none({"event": event, "identity": identity, "webhook_id": webhook_id}),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self) -> Iterator[models.Subscription]:
        """List subscriptions.

        GET `/api/v1/developer/subscriptions`
        """
        answer: Iterator[models.Subscription] = self._transport.rows("/api/v1/developer/subscriptions")
        return answer

    def get(self, subscription_id: int | str) -> models.Subscription:
        """Show one subscription.

        GET `/api/v1/developer/subscriptions/{subscription_id}`
        """
        answer: models.Subscription = self._transport.data(
            "GET", f"/api/v1/developer/subscriptions/{segment(subscription_id)}"
        )
        return answer

    def remove(self, subscription_id: int | str) -> None:
        """Remove a subscription.

        DELETE `/api/v1/developer/subscriptions/{subscription_id}`
        """
        self._transport.data("DELETE", f"/api/v1/developer/subscriptions/{segment(subscription_id)}")


class Auth(_Group):
    """`client.auth`."""

    def me(self) -> models.AuthMe:
        """Who the token belongs to.

        GET `/api/v1/auth/me`
        """
        answer: models.AuthMe = self._transport.data("GET", "/api/v1/auth/me")
        return answer

    def make_token(
        self,
        *,
        name: str,
        scopes: str | Sequence[str] | None = None,
        expires_at: str | None = None,
        addresses: str | Sequence[str] | None = None,
    ) -> models.Token:
        """Make a token.

        POST `/api/v1/auth/tokens`
        """
        answer: models.Token = self._transport.data(
            "POST",
            "/api/v1/auth/tokens",
            body=without_none(
                {"name": name, "scopes": scopes, "expires_at": expires_at, "addresses": addresses}
            ),
        )
        return answer

    def tokens(self) -> Iterator[models.Token]:
        """List tokens.

        GET `/api/v1/auth/tokens`
        """
        answer: Iterator[models.Token] = self._transport.rows("/api/v1/auth/tokens")
        return answer

    def revoke_token(self, token_id: int | str) -> None:
        """Revoke a token.

        DELETE `/api/v1/auth/tokens/{token_id}`
        """
        self._transport.data("DELETE", f"/api/v1/auth/tokens/{segment(token_id)}")


class AdminTokens(_Group):
    """`client.admin_tokens`."""

    def make(
        self,
        *,
        account_id: int,
        name: str,
        scopes: str | Sequence[str] | None = None,
        expires_at: str | None = None,
        addresses: str | Sequence[str] | None = None,
    ) -> models.Token:
        """Make a token for an account.

        POST `/api/v1/admin/tokens`
        """
        answer: models.Token = self._transport.data(
            "POST",
            "/api/v1/admin/tokens",
            body=without_none(
                {
                    "account_id": account_id,
                    "name": name,
                    "scopes": scopes,
                    "expires_at": expires_at,
                    "addresses": addresses,
                }
            ),
        )
        return answer

    def list(self, *, account_id: int) -> Iterator[models.Token]:
        """List an account's tokens.

        GET `/api/v1/admin/tokens`
        """
        answer: Iterator[models.Token] = self._transport.rows(
            "/api/v1/admin/tokens", query=without_none({"account_id": account_id})
        )
        return answer

    def revoke(self, token_id: int | str) -> None:
        """Revoke any token.

        DELETE `/api/v1/admin/tokens/{token_id}`
        """
        self._transport.data("DELETE", f"/api/v1/admin/tokens/{segment(token_id)}")


class AdminAccounts(_Group):
    """`client.admin_accounts`."""

    def add(
        self,
        *,
        name: str,
        time_zone: str | None = None,
        calls_per_second: float | None = None,
        max_concurrent: int | None = None,
        calling_window: str | None = None,
        paused: bool | None = None,
        prepaid: bool | None = None,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.AdminAccount:
        """Add an account.

        POST `/api/v1/admin/accounts`
        """
        answer: models.AdminAccount = self._transport.data(
            "POST",
            "/api/v1/admin/accounts",
            body=without_none(
                {
                    "name": name,
                    "time_zone": time_zone,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "calling_window": calling_window,
                    "paused": paused,
                    "prepaid": prepaid,
                    "currency": currency,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self) -> Iterator[models.AdminAccount]:
        """List accounts.

        GET `/api/v1/admin/accounts`
        """
        answer: Iterator[models.AdminAccount] = self._transport.rows("/api/v1/admin/accounts")
        return answer

    def get(self, account_id: int | str) -> models.AdminAccount:
        """Show one account.

        GET `/api/v1/admin/accounts/{account_id}`
        """
        answer: models.AdminAccount = self._transport.data(
            "GET", f"/api/v1/admin/accounts/{segment(account_id)}"
        )
        return answer

    def change(
        self,
        account_id: int | str,
        *,
        name: str | Unset | None = UNSET,
        time_zone: str | Unset | None = UNSET,
        calls_per_second: float | Unset | None = UNSET,
        max_concurrent: int | Unset | None = UNSET,
        calling_window: str | Unset | None = UNSET,
        paused: bool | Unset | None = UNSET,
        prepaid: bool | Unset | None = UNSET,
        currency: str | Unset | None = UNSET,
    ) -> models.AdminAccount:
        """Change an account.

        PUT `/api/v1/admin/accounts/{account_id}`
        """
        answer: models.AdminAccount = self._transport.data(
            "PUT",
            f"/api/v1/admin/accounts/{segment(account_id)}",
            body=without_unset(
                {
                    "name": name,
                    "time_zone": time_zone,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "calling_window": calling_window,
                    "paused": paused,
                    "prepaid": prepaid,
                    "currency": currency,
                }
            ),
        )
        return answer

    def close(self, account_id: int | str) -> models.AdminAccount:
        """Close an account.

        DELETE `/api/v1/admin/accounts/{account_id}`
        """
        answer: models.AdminAccount = self._transport.data(
            "DELETE", f"/api/v1/admin/accounts/{segment(account_id)}"
        )
        return answer

    def add_credit(
        self,
        account_id: int | str,
        *,
        amount: str,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Balance:
        """Add credit to an account.

        POST `/api/v1/admin/accounts/{account_id}/credit`
        """
        answer: models.Balance = self._transport.data(
            "POST",
            f"/api/v1/admin/accounts/{segment(account_id)}/credit",
            body=without_none({"amount": amount, "note": note}),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer


class AdminTrunks(_Group):
    """`client.admin_trunks`."""

    def add(
        self,
        *,
        name: str,
        host: str,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        auth_username: str | None = None,
        from_user: str | None = None,
        from_domain: str | None = None,
        caller_id_mode: str | None = None,
        privacy: bool | None = None,
        dial_prefix: str | None = None,
        codecs: str | Sequence[str] | None = None,
        ptime_ms: int | None = None,
        ring_timeout_s: int | None = None,
        max_call_s: int | None = None,
        session_expires_s: int | None = None,
        options_interval_s: int | None = None,
        register_expires_s: int | None = None,
        calls_per_second: float | None = None,
        max_concurrent: int | None = None,
        keep_to_peer: bool | None = None,
        addresses: str | Sequence[str] | None = None,
        headers: Mapping[str, Any] | None = None,
        enabled: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.AdminTrunk:
        """Add a trunk.

        POST `/api/v1/admin/trunks`
        """
        answer: models.AdminTrunk = self._transport.data(
            "POST",
            "/api/v1/admin/trunks",
            body=without_none(
                {
                    "name": name,
                    "host": host,
                    "port": port,
                    "username": username,
                    "password": password,
                    "auth_username": auth_username,
                    "from_user": from_user,
                    "from_domain": from_domain,
                    "caller_id_mode": caller_id_mode,
                    "privacy": privacy,
                    "dial_prefix": dial_prefix,
                    "codecs": codecs,
                    "ptime_ms": ptime_ms,
                    "ring_timeout_s": ring_timeout_s,
                    "max_call_s": max_call_s,
                    "session_expires_s": session_expires_s,
                    "options_interval_s": options_interval_s,
                    "register_expires_s": register_expires_s,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "keep_to_peer": keep_to_peer,
                    "addresses": addresses,
                    "headers": headers,
                    "enabled": enabled,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self) -> Iterator[models.AdminTrunk]:
        """List trunks.

        GET `/api/v1/admin/trunks`
        """
        answer: Iterator[models.AdminTrunk] = self._transport.rows("/api/v1/admin/trunks")
        return answer

    def get(self, trunk_id: int | str) -> models.AdminTrunk:
        """Show one trunk.

        GET `/api/v1/admin/trunks/{trunk_id}`
        """
        answer: models.AdminTrunk = self._transport.data("GET", f"/api/v1/admin/trunks/{segment(trunk_id)}")
        return answer

    def change(
        self,
        trunk_id: int | str,
        *,
        name: str | Unset | None = UNSET,
        host: str | Unset | None = UNSET,
        port: int | Unset | None = UNSET,
        username: str | Unset | None = UNSET,
        password: str | Unset | None = UNSET,
        auth_username: str | Unset | None = UNSET,
        from_user: str | Unset | None = UNSET,
        from_domain: str | Unset | None = UNSET,
        caller_id_mode: str | Unset | None = UNSET,
        privacy: bool | Unset | None = UNSET,
        dial_prefix: str | Unset | None = UNSET,
        codecs: str | Sequence[str] | Unset | None = UNSET,
        ptime_ms: int | Unset | None = UNSET,
        ring_timeout_s: int | Unset | None = UNSET,
        max_call_s: int | Unset | None = UNSET,
        session_expires_s: int | Unset | None = UNSET,
        options_interval_s: int | Unset | None = UNSET,
        register_expires_s: int | Unset | None = UNSET,
        calls_per_second: float | Unset | None = UNSET,
        max_concurrent: int | Unset | None = UNSET,
        keep_to_peer: bool | Unset | None = UNSET,
        addresses: str | Sequence[str] | Unset | None = UNSET,
        headers: Mapping[str, Any] | Unset | None = UNSET,
        enabled: bool | Unset | None = UNSET,
    ) -> models.AdminTrunk:
        """Change a trunk.

        PUT `/api/v1/admin/trunks/{trunk_id}`
        """
        answer: models.AdminTrunk = self._transport.data(
            "PUT",
            f"/api/v1/admin/trunks/{segment(trunk_id)}",
            body=without_unset(
                {
                    "name": name,
                    "host": host,
                    "port": port,
                    "username": username,
                    "password": password,
                    "auth_username": auth_username,
                    "from_user": from_user,
                    "from_domain": from_domain,
                    "caller_id_mode": caller_id_mode,
                    "privacy": privacy,
                    "dial_prefix": dial_prefix,
                    "codecs": codecs,
                    "ptime_ms": ptime_ms,
                    "ring_timeout_s": ring_timeout_s,
                    "max_call_s": max_call_s,
                    "session_expires_s": session_expires_s,
                    "options_interval_s": options_interval_s,
                    "register_expires_s": register_expires_s,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "keep_to_peer": keep_to_peer,
                    "addresses": addresses,
                    "headers": headers,
                    "enabled": enabled,
                }
            ),
        )
        return answer

    def remove(self, trunk_id: int | str) -> None:
        """Remove a trunk.

        DELETE `/api/v1/admin/trunks/{trunk_id}`
        """
        self._transport.data("DELETE", f"/api/v1/admin/trunks/{segment(trunk_id)}")


class AdminBridges(_Group):
    """`client.admin_bridges`."""

    def add(
        self,
        *,
        number: str,
        account_id: int,
        trunk_id: int,
        further_trunk_ids: Sequence[str] | None = None,
        display_name: str | None = None,
        calls_per_second: float | None = None,
        max_concurrent: int | None = None,
        paused: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.AdminBridge:
        """Add a bridge.

        POST `/api/v1/admin/bridges`
        """
        answer: models.AdminBridge = self._transport.data(
            "POST",
            "/api/v1/admin/bridges",
            body=without_none(
                {
                    "number": number,
                    "account_id": account_id,
                    "trunk_id": trunk_id,
                    "further_trunk_ids": further_trunk_ids,
                    "display_name": display_name,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "paused": paused,
                }
            ),
            key=idempotency_key,
            is_keyed=True,
        )
        return answer

    def list(self) -> Iterator[models.AdminBridge]:
        """List bridges.

        GET `/api/v1/admin/bridges`
        """
        answer: Iterator[models.AdminBridge] = self._transport.rows("/api/v1/admin/bridges")
        return answer

    def get(self, bridge_id: int | str) -> models.AdminBridge:
        """Show one bridge.

        GET `/api/v1/admin/bridges/{bridge_id}`
        """
        answer: models.AdminBridge = self._transport.data(
            "GET", f"/api/v1/admin/bridges/{segment(bridge_id)}"
        )
        return answer

    def change(
        self,
        bridge_id: int | str,
        *,
        account_id: int | Unset | None = UNSET,
        trunk_id: int | Unset | None = UNSET,
        further_trunk_ids: Sequence[str] | Unset | None = UNSET,
        display_name: str | Unset | None = UNSET,
        calls_per_second: float | Unset | None = UNSET,
        max_concurrent: int | Unset | None = UNSET,
        paused: bool | Unset | None = UNSET,
    ) -> models.AdminBridge:
        """Change a bridge.

        PUT `/api/v1/admin/bridges/{bridge_id}`
        """
        answer: models.AdminBridge = self._transport.data(
            "PUT",
            f"/api/v1/admin/bridges/{segment(bridge_id)}",
            body=without_unset(
                {
                    "account_id": account_id,
                    "trunk_id": trunk_id,
                    "further_trunk_ids": further_trunk_ids,
                    "display_name": display_name,
                    "calls_per_second": calls_per_second,
                    "max_concurrent": max_concurrent,
                    "paused": paused,
                }
            ),
        )
        return answer

    def remove(self, bridge_id: int | str) -> None:
        """Remove a bridge.

        DELETE `/api/v1/admin/bridges/{bridge_id}`
        """
        self._transport.data("DELETE", f"/api/v1/admin/bridges/{segment(bridge_id)}")


class AdminRates(_Group):
    """`client.admin_rates`."""

    def list(self) -> Iterator[models.AdminRate]:
        """List all prices.

        GET `/api/v1/admin/rates`
        """
        answer: Iterator[models.AdminRate] = self._transport.rows("/api/v1/admin/rates")
        return answer

    def put(
        self,
        *,
        prefix: str,
        sale_price: str,
        first_pulse: int | Unset | None = UNSET,
        next_price: str | Unset | None = UNSET,
        next_pulse: int | Unset | None = UNSET,
        connection_fee: str | Unset | None = UNSET,
        currency: str | Unset | None = UNSET,
        account_id: int | Unset | None = UNSET,
        active: bool | Unset | None = UNSET,
    ) -> models.AdminRate:
        """Set a price.

        PUT `/api/v1/admin/rates`
        """
        answer: models.AdminRate = self._transport.data(
            "PUT",
            "/api/v1/admin/rates",
            body=without_unset(
                {
                    "prefix": prefix,
                    "sale_price": sale_price,
                    "first_pulse": first_pulse,
                    "next_price": next_price,
                    "next_pulse": next_pulse,
                    "connection_fee": connection_fee,
                    "currency": currency,
                    "account_id": account_id,
                    "active": active,
                }
            ),
        )
        return answer

    def import_rates(self, *, file: Path | bytes) -> models.AdminRateImportRate:
        """Import prices.

        POST `/api/v1/admin/rates/import`
        """
        answer: models.AdminRateImportRate = self._transport.data(
            "POST", "/api/v1/admin/rates/import", body=without_none({"file": upload(file)})
        )
        return answer

    def remove(self, rate_id: int | str) -> None:
        """Remove a price.

        DELETE `/api/v1/admin/rates/{rate_id}`
        """
        self._transport.data("DELETE", f"/api/v1/admin/rates/{segment(rate_id)}")


class AdminAudit(_Group):
    """`client.admin_audit`."""

    def list(self, *, thing: str | None = None, thing_id: str | None = None) -> Iterator[models.AdminAudit]:
        """Show the audit log.

        GET `/api/v1/admin/audit`
        """
        answer: Iterator[models.AdminAudit] = self._transport.rows(
            "/api/v1/admin/audit", query=without_none({"thing": thing, "thing_id": thing_id})
        )
        return answer


class Resources:
    """All groups, as attributes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.server = Server(transport)
        self.calls = Calls(transport)
        self.suppressions = Suppressions(transport)
        self.call_log = CallLog(transport)
        self.bridges = Bridges(transport)
        self.recordings = Recordings(transport)
        self.sounds = Sounds(transport)
        self.voices = Voices(transport)
        self.pricing = Pricing(transport)
        self.account = Account(transport)
        self.flows = Flows(transport)
        self.webhooks = Webhooks(transport)
        self.subscriptions = Subscriptions(transport)
        self.auth = Auth(transport)
        self.admin_tokens = AdminTokens(transport)
        self.admin_accounts = AdminAccounts(transport)
        self.admin_trunks = AdminTrunks(transport)
        self.admin_bridges = AdminBridges(transport)
        self.admin_rates = AdminRates(transport)
        self.admin_audit = AdminAudit(transport)
