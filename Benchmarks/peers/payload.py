"""Job bodies that prove themselves: a sequence number, then a stretch of noise that depends on it."""

import base64
import random

SEQUENCE_DIGITS = 10
SMALLEST = 16
# Not a multiple of anything, so that neighbouring jobs do not carry the same noise.
STARTS = 4093


class Payload:
    """Makes and checks bodies of one size. Text, because two of the peers store JSON."""

    def __init__(self, size):
        self.noise_size = size - SEQUENCE_DIGITS
        # Random, so that PostgreSQL cannot compress large bodies; seeded, so that every process has the same.
        self.noise = base64.b64encode(random.Random(1).randbytes(STARTS + size)).decode()

    def make(self, sequence):
        start = sequence % STARTS
        return f"{sequence:0{SEQUENCE_DIGITS}d}{self.noise[start:start + self.noise_size]}"

    def sequence(self, body):
        """The job's number, or None when the body is not exactly what was put."""
        digits = body[:SEQUENCE_DIGITS]
        if not (digits.isascii() and digits.isdigit()):
            return None
        sequence = int(digits)
        return sequence if body == self.make(sequence) else None
