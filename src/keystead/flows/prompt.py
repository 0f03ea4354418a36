"""Prompt: one field of a form - what it looks like, what it holds at first, and which answers it takes."""

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.flows.stage import Error
from keystead.kinds.marks import READ_ONLY, UNIQUE, VERBATIM, Int32, Text, Uuid
from keystead.people import password

MAX_TEXT: Final = 65_536
"""Characters in an answer to one field; a file may have :data:`MAX_FILE`."""
MAX_FILE: Final = 1 << 20
"""Characters in a file's data URI: 768 KiB of file."""
_EMAIL: Final = re.compile(r"[^@\s\"<>\\,;:()\[\]]+@[^@\s\"<>\\,;:()\[\]]+")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,19}(?:\.[0-9]{1,19})?(?:[eE][-+]?[0-9]{1,2})?")
_LARGEST: Final = 1 << 63
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_CHECKED: Final = {True: True, "true": True, "on": True, False: False, "false": False, "": False, None: False}


class PromptTypeEnum(enum.StrEnum):
    """What a field is."""

    TEXT = "text"
    TEXT_AREA = "text_area"
    TEXT_READ_ONLY = "text_read_only"
    TEXT_AREA_READ_ONLY = "text_area_read_only"
    USERNAME = "username"
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105 - a word of the contract
    NUMBER = "number"
    CHECKBOX = "checkbox"
    RADIO_BUTTON_GROUP = "radio-button-group"
    DROPDOWN = "dropdown"
    DATE = "date"
    DATE_TIME = "date-time"
    FILE = "file"
    SEPARATOR = "separator"
    HIDDEN = "hidden"
    STATIC = "static"
    ALERT_INFO = "alert_info"
    ALERT_WARNING = "alert_warning"
    ALERT_DANGER = "alert_danger"
    AK_LOCALE = "ak-locale"


Type = PromptTypeEnum
SHOWN_ONLY: Final = frozenset({Type.SEPARATOR, Type.STATIC, Type.ALERT_INFO, Type.ALERT_WARNING, Type.ALERT_DANGER})
"""These take no answer."""
OURS: Final = frozenset({Type.TEXT_READ_ONLY, Type.TEXT_AREA_READ_ONLY, Type.HIDDEN})
"""These hold what we put there: an answer that says otherwise was tampered with and is not looked at."""
CHOICES: Final = frozenset({Type.RADIO_BUTTON_GROUP, Type.DROPDOWN})


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form.

    :param name: tells administrators which of several like fields it is.
    :param field_key: its member in answers, and under ``prompt_data`` in the run's context.
    :param placeholder: shown while the field is empty; for choices, what can be chosen.
    :param placeholder_expression: ``placeholder`` is Python that returns it.
    :param initial_value_expression: ``initial_value`` is Python that returns it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    field_key: Text
    label: Text
    type: PromptTypeEnum
    required: bool = False
    placeholder: str = ""
    initial_value: Annotated[str, VERBATIM] = ""
    order: Int32 = 0
    sub_text: str = ""
    placeholder_expression: bool = False
    initial_value_expression: bool = False


class PromptChoice(msgspec.Struct, frozen=True):
    """Something that can be chosen."""

    value: str
    label: str


class StagePrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A field as a challenge shows it."""

    field_key: str
    label: str
    type: PromptTypeEnum
    required: bool
    placeholder: str
    initial_value: str
    order: int
    sub_text: str
    choices: list[PromptChoice] | None


Evaluate: TypeAlias = Callable[[str, str], object]
"""``(source, name) -> result``: runs an expression."""


def shown(prompt: Prompt, filled: Mapping[str, object], evaluate: Evaluate) -> StagePrompt:
    """``prompt`` as the challenge shows it.

    :param filled: values by ``field_key`` that the run knows already; they go before the initial value.
    :param evaluate: runs expressions; what it raises is raised here.
    """
    placeholder: object = prompt.placeholder
    if prompt.placeholder_expression and prompt.placeholder:
        placeholder = evaluate(prompt.placeholder, f"{prompt.name} (placeholder)")
    choices = choices_of(placeholder) if prompt.type in CHOICES else None
    initial = _initial(prompt, filled, evaluate)
    if choices is not None and initial not in {one.value for one in choices}:
        initial = choices[0].value if choices else ""
    return StagePrompt(
        field_key=prompt.field_key,
        label=prompt.label,
        type=prompt.type,
        required=prompt.required,
        placeholder="" if choices is not None else _text(placeholder),
        initial_value=initial,
        order=prompt.order,
        sub_text=prompt.sub_text,
        choices=choices,
    )


def _initial(prompt: Prompt, filled: Mapping[str, object], evaluate: Evaluate) -> str:
    if prompt.type is Type.PASSWORD:
        return ""  # a password never travels back
    if prompt.field_key in filled and prompt.type not in SHOWN_ONLY:
        return _text(filled[prompt.field_key])
    if prompt.initial_value_expression and prompt.initial_value:
        return _text(evaluate(prompt.initial_value, f"{prompt.name} (initial value)"))
    return prompt.initial_value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def choices_of(value: object) -> list[PromptChoice]:
    """What can be chosen: a list of texts or of ``{value, label}``; a single text is a single choice."""
    items = value if isinstance(value, (list, tuple)) else () if value is None or value == "" else (value,)
    found = []
    for item in items:
        if isinstance(item, Mapping):
            chosen = _text(item.get("value"))
            found.append(PromptChoice(chosen, _text(item.get("label")) or chosen))
        else:
            found.append(PromptChoice(_text(item), _text(item)))
    return found


def take(field: StagePrompt, value: object) -> tuple[object, Error | None]:
    """What the run keeps of an answer to ``field``, or the complaint about it.

    :param value: the answer's member; None when it brought none.
    """
    if field.type in OURS:
        return field.initial_value, None
    if field.type is Type.CHECKBOX:
        checked = _CHECKED.get(value) if isinstance(value, (bool, str)) or value is None else None
        if checked is None:
            return False, Error("Choose yes or no.")
        return checked, Error("This has to be agreed to.", "required") if field.required and not checked else None
    given = _text(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if "\x00" in given or len(given) > (MAX_FILE if field.type is Type.FILE else MAX_TEXT):
        return "", Error("This cannot be kept: it is too long, or holds characters that are none.")
    if field.type is not Type.PASSWORD:
        given = given.strip()
    if not given:
        return "", Error("This field is required.", "required") if field.required else None
    return _TAKEN.get(field.type, _as_it_is)(field, given)


Taken: TypeAlias = tuple[object, Error | None]


def _as_it_is(_field: StagePrompt, given: str) -> Taken:
    return given, None


def _email(_field: StagePrompt, given: str) -> Taken:
    return given, None if _EMAIL.fullmatch(given) else Error("Write an e-mail address, like name@example.org.")


def _password(_field: StagePrompt, given: str) -> Taken:
    fits = password.acceptable(given)
    return given, None if fits else Error(f"A password has at most {password.MAX_BYTES} bytes.")


def _number(_field: StagePrompt, given: str) -> Taken:
    if _NUMBER.fullmatch(given):
        number = float(given) if set(given) & set(".eE") else int(given)
        if abs(number) < _LARGEST:
            return number, None
    return given, Error("Write a number.")


def _choice(field: StagePrompt, given: str) -> Taken:
    allowed: Sequence[str] = [one.value for one in field.choices or ()]
    return given, None if given in allowed else Error("Choose one of the offered values.", "invalid_choice")


def _date(_field: StagePrompt, given: str) -> Taken:
    try:
        return date.fromisoformat(given).isoformat(), None
    except ValueError:
        return given, Error("Write a date like 2026-08-31.")


def _moment(_field: StagePrompt, given: str) -> Taken:
    try:
        return datetime.fromisoformat(given).isoformat(), None
    except ValueError:
        return given, Error("Write a date and time like 2026-08-31T18:30.")


def _file(_field: StagePrompt, given: str) -> Taken:
    return given, None if given.startswith("data:") else Error("Send the file as a data URI.")


def _locale(_field: StagePrompt, given: str) -> Taken:
    return given, None if _LOCALE.fullmatch(given) else Error("Choose one of the offered languages.", "invalid_choice")


_TAKEN: Final[dict[PromptTypeEnum, Callable[[StagePrompt, str], Taken]]] = {
    Type.EMAIL: _email,
    Type.PASSWORD: _password,
    Type.NUMBER: _number,
    Type.RADIO_BUTTON_GROUP: _choice,
    Type.DROPDOWN: _choice,
    Type.DATE: _date,
    Type.DATE_TIME: _moment,
    Type.FILE: _file,
    Type.AK_LOCALE: _locale,
}
