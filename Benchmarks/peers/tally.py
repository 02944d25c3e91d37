"""What happened to each job, in memory that all processes of a run share.

Every process writes only its own counters, so none needs a lock; the per-job times are written once by whoever has the
job. The times are CLOCK_MONOTONIC nanoseconds, which all processes of a machine share.
"""

import time


def now():
    return time.monotonic_ns()


class Tally:
    def __init__(self, context, jobs, processes):
        self.jobs = jobs
        self.put_at = context.RawArray("q", jobs)  # when the put was due or sent; 0: never put
        self.reserved_at = context.RawArray("q", jobs)  # when a worker first had it; 0: never
        self.put = context.RawArray("q", processes)  # puts acknowledged, per process
        self.last_put = context.RawArray("q", processes)  # time of the last acknowledgement
        self.first = context.RawArray("q", processes)  # jobs delivered for the first time to that process
        self.again = context.RawArray("q", processes)  # jobs that process had already seen
        self.corrupt = context.RawArray("q", processes)
        self.seen = [context.RawArray("B", jobs) for _ in range(processes)]
        self.stopping = context.RawValue("b", 0)

    def acknowledged(self, process, count):
        self.put[process] += count
        self.last_put[process] = now()

    def delivered(self, process, sequence):
        """Counts one delivery; a sequence that is None or was never put is a corrupt body."""
        at = now()
        if sequence is None or sequence >= self.jobs or not self.put_at[sequence]:
            self.corrupt[process] += 1
        elif self.seen[process][sequence]:
            self.again[process] += 1
        else:
            self.seen[process][sequence] = 1
            self.first[process] += 1
            if not self.reserved_at[sequence]:
                self.reserved_at[sequence] = at

    def deliveries(self):
        return sum(self.first) + sum(self.again) + sum(self.corrupt)

    def distinct(self):
        return sum(1 for at in self.reserved_at if at)

    def doubles(self):
        return self.deliveries() - sum(self.corrupt) - self.distinct()

    def latencies_ms(self):
        """Sorted times from put to delivery."""
        return sorted((r - p) / 1e6 for p, r in zip(self.put_at, self.reserved_at) if p and r)
