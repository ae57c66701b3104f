"""Threads that want the same: who comes first does it for all who came meanwhile.

Alone, a question goes out at once. Of many, each would wait for the lock of the one before, and for the processor to
wake it; together they are one question.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
MOST: Final = 32


class _Asked(Generic[Question, Answer]):
    def __init__(self, question: Question) -> None:
        self.question = question
        self.answers: Sequence[Answer] = ()
        self.error: Exception | None = None

    @property
    def is_answered(self) -> bool:
        return bool(self.answers) or self.error is not None


class Line(Generic[Question, Answer]):
    """answer: to questions, in their order; what it raises, all of them raise."""

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Asked[Question, Answer]] = []

    def ask(self, question: Question) -> Answer:
        mine: _Asked[Question, Answer] = _Asked(question)
        with self._lock:
            self._waiting.append(mine)
        while not mine.is_answered:
            with self._turn:
                if not mine.is_answered:
                    self._answer_next()
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]

    def _answer_next(self) -> None:
        with self._lock:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            answers: Sequence[Any] = self._answer([each.question for each in some])
        except Exception as error:  # of all of them
            for each in some:
                each.error = error
            return
        for each, answer in zip(some, answers, strict=True):
            each.answers = (answer,)
