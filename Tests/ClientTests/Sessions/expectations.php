<?php

// What the sessions of the PHP libraries share. A mismatch, a warning or an unexpected exception ends the program with
// exit code 1 and a message.

declare(strict_types=1);

const HOST = '127.0.0.1';
define('PORT', (int) $argv[1]);

function expect($expected, $actual): void
{
    if ($expected !== $actual) {
        throw new LogicException('expected ' . json_encode($expected) . ', got ' . json_encode($actual));
    }
}

/** The stats must have these values, and may have others. The library would leave quotes that are around names. */
function expectValues(array $expected, ArrayAccess $stats): void
{
    $actual = [];
    foreach ($expected as $key => $_) {
        $actual[$key] = (string) ($stats[$key] ?? 'missing');
    }
    expect(array_map('strval', $expected), $actual);
}

/** The call must throw an exception of this class, which is returned. */
function expectException(string $class, callable $call): Throwable
{
    try {
        $result = $call();
    } catch (Throwable $exception) {
        if ($exception instanceof $class) {
            return $exception;
        }
        throw $exception;
    }
    throw new LogicException("expected $class, got " . json_encode($result));
}

/** The call must take that many seconds. What it returned is returned. */
function expectAtLeast(float $seconds, callable $call)
{
    $start = hrtime(true);
    $result = $call();
    $taken = (hrtime(true) - $start) / 1e9;
    if ($taken < $seconds) {
        throw new LogicException("expected at least $seconds s, got $taken s");
    }
    return $result;
}

/** Runs each function, under its name. */
function run(array $steps): void
{
    ini_set('display_errors', 'stderr');
    set_error_handler(function (int $level, string $message, string $file, int $line) {
        throw new ErrorException($message, 0, $level, $file, $line);
    }, E_ALL & ~E_DEPRECATED);
    foreach ($steps as $name => $step) {
        echo "$name\n";
        try {
            $step();
        } catch (Throwable $exception) {
            echo "$exception\n";
            exit(1);
        }
    }
    echo "done\n";
}
