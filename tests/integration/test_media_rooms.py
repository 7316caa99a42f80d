"""Legs that hear each other through a real worker process, and messages that are recorded there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from tests.helpers.media_far_end import FarEnd, until

from outdial.sdp.codec import G722, PCMA, PCMU, Codec
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.client_stream import MediaStream
from outdial.telephony.media.events import JoinFailed, MediaEvent, MessageRecorded
from outdial.telephony.media.g711_mix import translate
from outdial.telephony.media.options import MediaOptions

PORTS = iter(range(33_000, 36_000, 40))


@pytest.fixture
async def client() -> AsyncIterator[MediaClient]:
    first = next(PORTS)
    client = MediaClient(MediaOptions(port_min=first, port_max=first + 39, workers=2, fill_to=1))
    await client.start()
    yield client
    await client.stop()


_SAID_AGAIN = 20
"""A machine that is busy with other tests lets this one speak too late, which leaves holes of silence."""


def speech(length_ms: int, seed: int = 0) -> bytes:
    return bytes(Random(seed).choices(range(0x80, 0xBC), k=length_ms * 8))


async def say(far: FarEnd, stream: MediaStream, audio: bytes, payload_type: int = 0) -> None:
    """As a telephone does: a packet every 20 ms."""
    for at in range(0, len(audio), 160):
        far.say(stream.port, audio[at : at + 160], payload_type=payload_type)
        await asyncio.sleep(0.02)


def heard(far: FarEnd, silence: bytes) -> bytes:
    far.take()
    return b"".join(packet.payload for packet in far.packets).strip(silence)


@pytest.mark.parametrize(
    ("mine", "theirs"), [(PCMU, PCMU), (PCMU, PCMA), (G722, G722)], ids=["same", "other law", "wideband"]
)
async def test_two_joined_legs_talk(client: MediaClient, mine: Codec, theirs: Codec) -> None:
    with ExitStack() as stack:
        callee, agent = stack.enter_context(FarEnd()), stack.enter_context(FarEnd())
        one = await client.open(lambda event: None)
        two = await client.open(lambda event: None, beside=one)
        assert two.link is one.link
        one.connect(callee.agreed(codec=mine))
        two.connect(agent.agreed(codec=theirs, ptime_ms=30))
        await callee.hear(1)
        one.join("pair")
        two.join("pair")
        words = speech(600)
        wanted = words if mine is theirs else translate(words, mine.name, theirs.name)
        silence = b"\xd5" if theirs is PCMA else b"\xff"
        # The first packets latch, and may come before the rooms are made; the last is held back.
        until_here = wanted[160 * 10 : -160 * 4].strip(silence)
        for _ in range(_SAID_AGAIN):
            await say(callee, one, words, mine.payload_type)
            await agent.hear(8)
            if until_here in heard(agent, silence):
                break
            del agent.packets[:]
        else:
            pytest.fail("the agent never heard the callee's words")
        two.leave()
        await agent.hear(8)
        agent.take()
        del agent.packets[:]
        await say(callee, one, speech(200, 3), mine.payload_type)
        assert heard(agent, silence) == b""
        await one.close()
        await two.close()


async def test_what_cannot_be_joined_says_so(client: MediaClient) -> None:
    with FarEnd() as callee, FarEnd() as agent:
        events: list[MediaEvent] = []
        one = await client.open(lambda event: None, gathered=True)
        two = await client.open(events.append, gathered=True)
        assert two.link is one.link
        one.connect(callee.agreed(codec=G722))
        two.connect(agent.agreed())
        one.join("room")
        two.join("room")
        await until(lambda: any(isinstance(event, JoinFailed) for event in events))
        await one.close()
        await two.close()


async def test_a_message_in_the_middle_of_a_call_is_what_was_said_meanwhile(
    client: MediaClient, tmp_path: Path
) -> None:
    with FarEnd() as callee:
        events: list[MediaEvent] = []
        stream = await client.open(events.append)
        stream.connect(callee.agreed())
        await say(callee, stream, speech(700, 1))
        path = tmp_path / "message"
        stream.record_message("m", path)
        await until(path.exists)
        words = speech(400, 2)
        await say(callee, stream, words)
        stream.stop_message()
        await until(lambda: any(isinstance(event, MessageRecorded) for event in events))
        [message] = [event for event in events if isinstance(event, MessageRecorded)]
        assert words[160:] in path.read_bytes()
        assert message.duration_ms == len(path.read_bytes()) // 8
        await stream.close()
