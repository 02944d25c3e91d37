"""What the measurement asks of a queue. One subclass per peer, in peer_<name>.py."""


class Skipped(Exception):
    """Raised when this peer cannot run here; the text says why."""


class Peer:
    name = ""
    # Puts per call with the batch API.
    batch = 100
    # SQL that counts the jobs not yet finished. Asked only after every job was delivered.
    remaining = ""

    def __init__(self, api):
        self.api = api

    @property
    def puts_per_call(self):
        return self.batch if self.api == "batch" else 1

    def version(self):
        raise NotImplementedError

    def settings(self, shares):
        """One sentence: how this peer is used, and what was chosen for it. `shares`: workers of each process."""
        raise NotImplementedError

    def install(self, conninfo):
        """Makes the peer's tables in an empty database."""
        raise NotImplementedError

    def producer(self, conninfo):
        """An async context manager for one producer: gives `put(bodies)`, which returns once they are committed."""
        raise NotImplementedError

    async def work(self, conninfo, workers, delivered):
        """One process's share of the workers, until cancelled; `delivered(body)` is all that is done with a job.

        A peer that does better with fewer, larger workers arranges its share that way, and says so in `settings`.
        """
        raise NotImplementedError
