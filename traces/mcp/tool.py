"""What a tool is: a name, a description that a coding agent understands, checked parameters, a result with a schema."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from agentops_portal.units import EPOCH, LAST_MICROSECOND


class Fault(Exception):
    """The caller asked for something that does not exist or does not fit; str() says what, in words for the caller."""


class Parameters(BaseModel):
    """Base of a tool's parameters; one that nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("The text holds a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("The text is no valid Unicode.") from None
    return text


def _in_store(moment: datetime) -> datetime:
    if not EPOCH <= moment <= LAST_MICROSECOND:  # what the span store can hold
        raise ValueError("Choose a time between 1970 and 2262.")
    return moment


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), AfterValidator(_storable)]
# The very text that a client sent, blanks at its ends included.
Exact = Annotated[str, StringConstraints(max_length=300), AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_store)]


@dataclass(frozen=True)
class Answer:
    """The result of a call: `result` for programs, `text` the same for a reader, short."""

    result: BaseModel
    text: str


@dataclass(frozen=True)
class Tool:
    """`run` gets the project of the caller's key and the checked parameters. It may block, and raises Fault."""

    name: str
    title: str
    description: str
    parameters: type[Parameters]
    result: type[BaseModel]
    run: Callable[[UUID, Any], Answer]

    def checked(self, arguments: dict[str, Any]) -> Parameters:
        """Raises Fault with one line for each wrong parameter, its name first."""
        try:
            return self.parameters.model_validate(arguments)
        except ValidationError as error:
            raise Fault(
                "\n".join(
                    self._problem(each["loc"], each["type"], each["msg"])
                    for each in error.errors(include_url=False, include_input=False, include_context=False)
                )
            ) from None

    def _problem(self, place: tuple[int | str, ...], kind: str, message: str) -> str:
        # Names of unknown parameters are the caller's own: any length, any character.
        name = ascii(".".join(map(str, place)))[1:-1][:60]
        if kind == "extra_forbidden":
            message = f"There is no such parameter. There are: {', '.join(self.parameters.model_fields)}."
        return f"{name}: {message.removeprefix('Value error, ')}"


class _Schema(GenerateJsonSchema):
    """Without titles, which only repeat names: every client reads the schemas into its model's context."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(model: type[BaseModel], *, is_result: bool) -> dict[str, Any]:
    """The JSON schema that the tool list shows."""
    return model.model_json_schema(schema_generator=_Schema, mode="serialization" if is_result else "validation")
