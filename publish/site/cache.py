"""Cache of finished responses in memory: a release never changes, so neither do its answers."""

from __future__ import annotations

from collections import OrderedDict

from publish.site.responses import Ready

CACHE_BYTES = 32 << 20
CACHED_ANSWER_BYTES = 1 << 20
OVERHEAD_BYTES = 2_000  # of the objects of an entry

# Generation (negative for a past release), scheme, host, path, query: what an answer depends on.
Key = tuple[int, str, str, bytes, bytes]


class AnswerCache:
    """Least-recently-used cache of answers with status 200, bounded by bytes."""

    def __init__(self, most: int = CACHE_BYTES):
        self.most = most
        self._answers: OrderedDict[Key, Ready] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Ready | None:
        """Return the cached answer, None where there is none."""
        cached = self._answers.get(key)
        if cached is not None:
            self._answers.move_to_end(key)
        return cached

    def put(self, key: Key, answer: Ready) -> None:
        """Cache an answer, unless it is an error, too large or cached already; evicts the least recently used."""
        weight = _weight(key, answer)
        if answer.status != 200 or weight > CACHED_ANSWER_BYTES or key in self._answers:
            return
        self._answers[key] = answer
        self._bytes += weight
        while self._bytes > self.most:
            self._bytes -= _weight(*self._answers.popitem(last=False))


def _weight(key: Key, answer: Ready) -> int:
    """Return the bytes of an entry. The address counts too: it may be longer than the answer."""
    headers = sum(len(k) + len(v) for k, v in answer.headers)
    return sum(len(part) for part in key[1:]) + len(answer.body) + len(answer.coded) + headers + OVERHEAD_BYTES
