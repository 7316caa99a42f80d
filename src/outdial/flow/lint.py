"""What is likely wrong with a flow that can run: dead ends, loops, keys that are not there, and the like."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from outdial.errors import InvalidFlow
from outdial.flow.conditions import Comparison
from outdial.flow.definition import Flow, Node, parse_flow
from outdial.flow.kinds import KEYS
from outdial.flow.known_voices import KnownVoices, words_of
from outdial.flow.prompt_template import LanguagePart, PromptTemplate, SoundPart, TextPart, marked
from outdial.flow.secrets import MASK, secrets_in
from outdial.flow.spoken_keys import spoken_keys
from outdial.flow.step import Step
from outdial.flow.steps.confirm import ConfirmStep
from outdial.flow.steps.hang_up import HangUpStep
from outdial.flow.steps.jump import JumpStep
from outdial.flow.steps.menu import MenuStep
from outdial.flow.steps.opt_out import OptOutStep
from outdial.flow.steps.send_event import SendEventStep
from outdial.flow.steps.switch import SwitchStep
from outdial.flow.steps.tag import TagStep
from outdial.flow.templates import Template, VariableName, variables_of

CALL_VARIABLES = frozenset(
    [
        *("id", "from", "to", "mobile", "bridge", "start_at", "end_at", "date", "unixtime"),
        *("caller", "account", "language"),
    ]
)
"""What every call has, see the reference of templates."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or looks wrong."""

    severity: Literal["error", "warning"]
    code: str
    """Which rule: ``dead_end``, ``unreachable``, …"""
    node: str | None
    field: str | None
    message: str

    def __str__(self) -> str:
        node = "" if self.node is None else f"node {self.node!r}"
        place = ", ".join(each for each in (node, self.field and f"field {self.field!r}") if each)
        return f"{self.severity}: {place}: {self.message}" if place else f"{self.severity}: {self.message}"


def lint(
    definition: object,
    *,
    has_sound: Callable[[str], bool] | None = None,
    has_flow: Callable[[str], bool] | None = None,
    voices: KnownVoices | None = None,
) -> list[Finding]:
    """Everything that can be said about a definition, errors first.

    A flow with an error must not be published. ``has_sound`` and ``has_flow`` tell whether a stored sound and
    another flow exist, and ``voices`` are those that can speak; without them that is not looked at.
    """
    try:
        flow = parse_flow(definition)
    except InvalidFlow as error:
        return [Finding("error", "invalid", *problem) for problem in error.problems]
    findings = [
        *_unreachable(flow),
        *_loops(flow),
        *_exits(flow),
        *_variables(flow),
        *_keys(flow),
        *_languages(flow),
        *_same_in_all_languages(flow),
        *_secrets(flow),
    ]
    if has_sound is not None:
        findings += _sounds(flow, has_sound)
    if has_flow is not None:
        findings += _flows(flow, has_flow)
    if voices is not None:
        findings += _unspoken(flow, voices)
    return sorted(findings, key=lambda each: (each.severity, each.node or "", each.field or ""))


def _targets(node: Node) -> list[str]:
    return [target for target in node.exits.values() if target is not None]


def _reached_from(flow: Flow, entry: str) -> set[str]:
    return _spread([entry], {name: _targets(node) for name, node in flow.nodes.items()})


def _unreachable(flow: Flow) -> Iterator[Finding]:
    reached = _reached_from(flow, flow.entry)
    for name in flow.nodes:
        if name not in reached:
            yield Finding("warning", "unreachable", name, None, "is never reached from the entry")


def _may_end(node: Node) -> bool:
    return not node.step.EXITS or any(node.exits.get(name) is None for name in (*_ways(node), *node.exits))


def _ways(node: Node) -> dict[str, str]:
    """The exits that a node should have, each with when it is taken."""
    fixed = {
        each.name: each.description for each in node.step.EXITS if each.pattern is None and not each.optional
    }
    return fixed | dict.fromkeys(node.step.leaves_by(), "Chance fell on it.")


def _loops(flow: Flow) -> Iterator[Finding]:
    reached = _reached_from(flow, flow.entry)
    sources: dict[str, list[str]] = {name: [] for name in flow.nodes}
    for name, node in flow.nodes.items():
        for target in _targets(node):
            sources[target].append(name)
    ending = _spread([name for name in reached if _may_end(flow.nodes[name])], sources)
    endless = {name: _targets(flow.nodes[name]) for name in sorted(reached - ending)}
    for name in _on_circles(endless):
        yield Finding("error", "endless_loop", name, None, "is in a circle that no exit leads out of")


def _spread(names: Iterable[str], onward: Mapping[str, list[str]]) -> set[str]:
    """All that is come to from some of them, and these."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += onward[name]
    return found


def _on_circles(onward: Mapping[str, list[str]]) -> Iterator[str]:
    """The names that lead back to themselves. In time linear to the edges (Kosaraju): drawings come from
    strangers."""
    backward: dict[str, list[str]] = {name: [] for name in onward}
    for name, targets in onward.items():
        for target in targets:
            backward[target].append(name)
    component: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    for root in reversed(_finished_in_order(onward)):
        ahead = [root]
        while ahead:
            name = ahead.pop()
            if name not in component:
                component[name] = root
                sizes[root] += 1
                ahead += backward[name]
    yield from (name for name in onward if sizes[component[name]] > 1 or name in onward[name])


def _finished_in_order(onward: Mapping[str, list[str]]) -> list[str]:
    """The names as a search in depth is through with them."""
    order: list[str] = []
    seen: set[str] = set()
    for start in onward:
        ahead = [] if start in seen else [(start, iter(onward[start]))]
        seen.add(start)
        while ahead:
            name, targets = ahead[-1]
            following = next((each for each in targets if each not in seen), None)
            if following is None:
                order.append(name)
                ahead.pop()
            else:
                seen.add(following)
                ahead.append((following, iter(onward[following])))
    return order


def _exits(flow: Flow) -> Iterator[Finding]:
    for name, node in flow.nodes.items():
        for exit_, taken in _ways(node).items():
            if exit_ not in node.exits:
                sentence = f"leads nowhere; the call ends when: {taken[:1].lower()}{taken[1:].rstrip('.')}"
                yield Finding("warning", "dead_end", name, f"exits.{exit_}", sentence)


def _values(value: Any, path: str = "", language: str | None = None) -> Iterator[tuple[str, Any]]:
    """All values in a step with the settings that they belong to: all, or what a ``language`` hears."""
    if language is not None and isinstance(value, LanguagePart):
        value = value.by_language.get(language)
    if isinstance(value, Template | VariableName | Comparison | LanguagePart | TextPart | SoundPart):
        yield path, value
    if dataclasses.is_dataclass(value) and not isinstance(value, Template):
        for each in dataclasses.fields(value):
            yield from _values(getattr(value, each.name), path or each.name.rstrip("_"), language)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _values(each, path, language)
    elif isinstance(value, tuple):
        for each in value:
            yield from _values(each, path, language)


def variables_set(flow: Flow) -> tuple[str, ...]:
    """The names of the variables that the steps of a flow set, in the order of its nodes."""
    names: dict[str, None] = {}
    for node in flow.nodes.values():
        names |= {str(value): None for _, value in _values(node.step) if isinstance(value, VariableName)}
        names |= dict.fromkeys(node.step.variables())
    return tuple(names)


def _variables(flow: Flow) -> Iterator[Finding]:
    known = CALL_VARIABLES | set(flow.variables) | set(variables_set(flow))
    jumps = any(isinstance(node.step, JumpStep) for node in flow.nodes.values())
    for name, node in flow.nodes.items():
        for field, value in _values(node.step):
            for used in sorted(_used(value) - known):
                if not jumps:
                    sentence = f"{used} is no variable of calls, is not declared, and no step sets it"
                    yield Finding("warning", "unknown_variable", name, field, sentence)


def _used(value: Any) -> set[str]:
    match value:
        case Template():
            return variables_of(marked(value))
        case Comparison(variable=variable):
            return {variable.partition(".")[0]}
        case _:
            return set()


def _secrets(flow: Flow) -> Iterator[Finding]:
    declared = {name for name, each in flow.variables.items() if each.masked}
    secrets = _all_secrets(flow, declared)
    for name, node in flow.nodes.items():
        step = node.step
        said = {made for made in step.made_of() if made not in declared.union(step.masks())}
        for made in sorted(said):
            for used in sorted(secrets_in(step.made_of()[made], secrets)):
                sentence = f"makes {made} of the secret {used}, so {made} is masked, too; declare it masked"
                yield Finding("warning", "copied_secret", name, _setting_with(step, used), sentence)
        code, templates, sentence = _kept_of(step)
        for used in sorted(secrets_in(templates, secrets)):
            yield Finding("warning", code, name, _setting_with(step, used), sentence.format(used))


def _all_secrets(flow: Flow, declared: set[str]) -> set[str]:
    """The variables that are secrets, and those made of them."""
    secrets = declared.union(*(node.step.masks() for node in flow.nodes.values()))
    made = [each for node in flow.nodes.values() for each in node.step.made_of().items()]
    while more := {name for name, templates in made if secrets_in(templates, secrets)} - secrets:
        secrets |= more
    return secrets


def _kept_of(step: Step) -> tuple[str, Any, str]:
    """What records keep of a step: a code, templates, and a sentence about a secret in them."""
    told = "tells the secret {{}}: {} is kept as it is"
    match step:
        case TagStep(tags=templates) | HangUpStep(result=templates) | SendEventStep(data=templates):
            return "recorded_secret", templates, f"speaks of the secret {{}}; {MASK} is kept in its place"
        case SwitchStep(value=templates):
            return "told_secret", templates, told.format("the exit that is taken")
        case OptOutStep(value=templates):
            return "told_secret", templates, told.format("the tag or service of the unsubscriber")
        case _:
            return "", (), ""


def _setting_with(step: Step, secret: str) -> str:
    """The setting of a step in which a secret stands."""
    return next(each for each, value in _values(step) if secrets_in(value, [secret]))


def _keys(flow: Flow) -> Iterator[Finding]:
    for name, node in flow.nodes.items():
        match node.step:
            case MenuStep(prompt=prompt):
                keys = set(node.exits) & set(KEYS)
            case ConfirmStep(prompt=prompt, accept=accept, reject=reject):
                keys = {accept, reject}
            case _:
                continue
        spoken = {each: set(_spoken(prompt, each)) for each in flow.languages}
        for key in sorted(set().union(*spoken.values()) - keys):
            sentence = f"speaks of the key {key}, which does nothing"
            yield Finding("error", "no_such_key", name, "prompt", sentence)
        for key in sorted(keys):
            silent = [each for each, told in spoken.items() if told and key not in told]
            where = "" if len(silent) == len(spoken) else f" in {', '.join(silent)}"
            if silent:
                sentence = f"does not speak of the key {key}{where}, which does something"
                yield Finding("warning", "silent_key", name, "prompt", sentence)


def _spoken(prompt: PromptTemplate, language: str) -> Iterator[str]:
    """The keys that a prompt speaks of to callees of a language."""
    for _, value in _values(prompt, language=language):
        if isinstance(value, TextPart):
            yield from spoken_keys(value.text.source)


def _languages(flow: Flow) -> Iterator[Finding]:
    for name, node in flow.nodes.items():
        for field, value in _values(node.step):
            if isinstance(value, LanguagePart):
                for language in flow.languages:
                    if language not in value.by_language:
                        sentence = f"says nothing in {language}, a language of this flow"
                        yield Finding("error", "missing_language", name, field, sentence)


def _same_in_all_languages(flow: Flow) -> Iterator[Finding]:
    if len({each.partition("-")[0] for each in flow.languages}) == 1:
        return
    sentence = "says the same words in all languages: give them by_language, or say their language"
    for name, node in flow.nodes.items():
        values = list(_values(node.step))
        translated = {
            id(text) for _, part in values if isinstance(part, LanguagePart) for _, text in _values(part)
        }
        own = [field for field, each in values if id(each) not in translated and _has_words(each)]
        for field in dict.fromkeys(own):
            yield Finding("warning", "same_in_all_languages", name, field, sentence)


def _has_words(value: Any) -> bool:
    """Whether it is a text in the language of the call with words of its own, and not only variables."""
    if not isinstance(value, TextPart) or value.language is not None:
        return False
    return any(letter.isalpha() for word in words_of(value.text) for letter in word)


def _sounds(flow: Flow, has_sound: Callable[[str], bool]) -> Iterator[Finding]:
    for name, node in flow.nodes.items():
        for field, value in _values(node.step):
            if not isinstance(value, SoundPart) or "{" in value.sound.source:
                continue
            if not has_sound(value.sound.source):
                sentence = f"there is no sound {value.sound.source}"
                yield Finding("error", "missing_sound", name, field, sentence)


def _unspoken(flow: Flow, voices: KnownVoices) -> Iterator[Finding]:
    found: dict[Finding, None] = {}
    for name, node in flow.nodes.items():
        for language in flow.languages:
            for field, value in _values(node.step, language=language):
                if isinstance(value, TextPart) and value.is_spoken:
                    spoken_in, voice = value.spoken_by(language, flow.voice_in(language))
                    if sentence := voices.why_not(spoken_in, voice):
                        found[Finding("error", "missing_voice", name, field, sentence)] = None
                    if sentence := voices.words_missing(value.text, voice):
                        found[Finding("error", "missing_word", name, field, sentence)] = None
                    if sentence := voices.words_unknown(value.text, voice):
                        found[Finding("warning", "missing_word", name, field, sentence)] = None
    yield from found


def _flows(flow: Flow, has_flow: Callable[[str], bool]) -> Iterator[Finding]:
    for name, node in flow.nodes.items():
        if isinstance(node.step, JumpStep) and not has_flow(node.step.flow):
            yield Finding("error", "missing_flow", name, "flow", f"there is no flow {node.step.flow}")
