"""Mixes the stories into several days of traffic."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from .agent_stories import AgentStories
from .otlp import SECOND
from .proxy_stories import ProxyStories
from .recorder import Recorder
from .rhythm import Rhythm

Story = Callable[[int, Callable[[int], bool]], None]

# A trace starts this long before now at the latest, so that it has ended by now: the longest is a research run.
MARGIN = 4 * 60 * SECOND
OUTAGE_MINUTES = 35
ATTACK_MINUTES = 9


def generate(*, days: int, traces: int, seed: int, now: datetime) -> Recorder:
    """`traces` traces of the last `days` days before `now` (aware), and the count of what is in them.

    The same arguments give the same bytes; another `now` gives the same stories under other ids.
    """
    chance = Random(f"{seed}:stories")  # noqa: S311 - a story, not a secret
    recorder = Recorder(chance, Random(f"{seed}:{now.isoformat()}:ids"))  # noqa: S311
    rhythm = Rhythm(days, now, Random(f"{seed}:times"))  # noqa: S311
    proxy, agents = ProxyStories(recorder), AgentStories(recorder)
    outage, attack = rhythm.moment(), rhythm.moment()

    def more(start: int) -> bool:
        return recorder.tally.traces < traces and start <= rhythm.now - MARGIN

    def failing(start: int, more: Callable[[int], bool]) -> None:
        proxy.conversation(start, more, chance.choice(["fallback", "fallback", "server error"]))

    stories: list[tuple[Story, Callable[[], int], int]] = [
        (proxy.conversation, rhythm.moment, 500),
        (proxy.conversation, rhythm.recent, 25),
        (failing, lambda: rhythm.near(outage, OUTAGE_MINUTES), 15),
        (proxy.attack, lambda: rhythm.near(attack, ATTACK_MINUTES), 5),
        (proxy.embeddings, rhythm.moment, 25),
        (proxy.probe, rhythm.moment, 70),
        (proxy.expired_key, rhythm.moment, 12),
        (agents.research, rhythm.moment, 45),
        (agents.analyst, rhythm.moment, 75),
        (agents.travel, rhythm.moment, 75),
        (agents.handbook, rhythm.moment, 110),
        (agents.handbook, rhythm.recent, 8),
    ]
    weights = [weight for _, _, weight in stories]
    while recorder.tally.traces < traces:
        story, moment, _ = chance.choices(stories, weights)[0]
        start = moment()
        if more(start):
            story(start, more)
    recorder.tally.spans = sum(len(trace.spans) for trace in recorder.traces)
    return recorder
