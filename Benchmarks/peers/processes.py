"""The processes of a run. Python uses one core per process, so clients are spread over as many as there are cores."""

import asyncio
import logging
import os

import uvloop

from payload import Payload
from tally import now


def share(total, processes):
    """`total` split as evenly as whole numbers allow; no empty shares."""
    processes = min(processes, total)
    return [total // processes + (index < total % processes) for index in range(processes)]


def quiet():
    # The peers log what they cannot do when a run ends; errors still come through.
    logging.basicConfig(level=logging.ERROR)


def produce(peer, conninfo, load, tally, process, first, ready, go):
    """One process of producers; `first` is the number of its first producer."""
    quiet()

    async def main(count):
        payload = Payload(load.body)
        start = None

        async def one(index, started):
            # Producer i has jobs i, i + producers, ... so that all finish together.
            sequences = range(index, load.jobs, load.producers)
            async with peer.producer(conninfo) as put:
                await started()
                for at in range(0, len(sequences), peer.puts_per_call):
                    if tally.stopping.value:
                        return
                    group = sequences[at:at + peer.puts_per_call]
                    bodies = [payload.make(sequence) for sequence in group]
                    due = now()
                    if load.rate:
                        # Measured from the planned time: a put that waited for the one before it was late, too.
                        due = start + int(group[-1] * 1e9 / load.rate)
                        await asyncio.sleep(max(0, due - now()) / 1e9)
                    for sequence in group:
                        tally.put_at[sequence] = due
                    await put(bodies)
                    tally.acknowledged(process, len(group))

        connected = 0
        released = asyncio.Event()

        async def started():
            nonlocal connected, start
            connected += 1
            if connected < count:
                await released.wait()
                return
            # The last one to connect waits for the signal on behalf of all.
            ready.release()
            await asyncio.to_thread(go.wait)
            start = now()
            released.set()

        await asyncio.gather(*(one(first + index, started) for index in range(count)))

    uvloop.run(main(share(load.producers, load.processes)[process]))


def work(peer, conninfo, load, tally, process, workers):
    """One process of workers; runs until it is terminated."""
    quiet()
    payload = Payload(load.body)
    uvloop.run(peer.work(conninfo, workers, lambda body: tally.delivered(process, payload.sequence(body))))


def cores():
    return os.cpu_count() or 1
