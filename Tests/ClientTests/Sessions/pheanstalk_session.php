<?php

// Goes through the whole API of pheanstalk against the server on the given port of 127.0.0.1.

declare(strict_types=1);

require 'Pheanstalk/autoload.php';
require __DIR__ . '/expectations.php';

use Pheanstalk\Exception\DeadlineSoonException;
use Pheanstalk\Exception\JobNotFoundException;
use Pheanstalk\Exception\JobTooBigException;
use Pheanstalk\Exception\ServerBadFormatException;
use Pheanstalk\Exception\ServerException;
use Pheanstalk\JobId;
use Pheanstalk\Pheanstalk;
use Pheanstalk\SocketFactory;

function connect(string $tube = 'default'): Pheanstalk
{
    return Pheanstalk::create(HOST, PORT)->useTube($tube)->watchOnly($tube);
}

/** The body of the job that is reserved at once and then deleted, if there is one. */
function takeBody(Pheanstalk $client): ?string
{
    $job = $client->reserveWithTimeout(0);
    if ($job !== null) {
        $client->delete($job);
    }
    return $job === null ? null : $job->getData();
}

run([
    'put, reserve and delete' => function () {
        $client = connect();
        $put = $client->put("h\u{e9}llo\r\nthere");
        $job = $client->reserve();
        expect([$put->getId(), "h\u{e9}llo\r\nthere"], [$job->getId(), $job->getData()]);
        $client->delete($job);
        expectException(JobNotFoundException::class, fn() => $client->delete($job));
        expect(null, $client->reserveWithTimeout(0));
        expectException(JobTooBigException::class, fn() => $client->put(str_repeat('x', 65536)));
        expectException(ServerBadFormatException::class, fn() => $client->useTube('-'));
    },

    'bodies of any bytes, over each kind of socket' => function () {
        $largest = substr(str_repeat(implode(array_map('chr', range(0, 255))), 256), 0, 65535);
        foreach ([SocketFactory::SOCKET, SocketFactory::STREAM, SocketFactory::FSOCKOPEN] as $kind) {
            $client = Pheanstalk::createWithFactory(new SocketFactory(HOST, PORT, 10, $kind));
            foreach ([$largest, '', "\r\n"] as $body) {
                $client->put($body);
                expect(bin2hex($body), bin2hex(takeBody($client)));
            }
        }
    },

    'the order of priorities' => function () {
        $client = connect('order');
        foreach (['c' => 30, 'a' => 10, 'b' => 20, 'd' => 30] as $body => $priority) {
            $client->put($body, $priority);
        }
        expect('a', $client->peekReady()->getData());
        foreach (['a', 'b', 'c', 'd', null] as $body) {
            expect($body, takeBody($client));
        }
    },

    'release, bury, kick and touch' => function () {
        $client = connect('states');
        $put = $client->put('x', 9, 0, 1000);
        $job = $client->reserve();
        $client->touch($job);
        $client->release($job, 7, 1000);
        expect($put->getId(), $client->peekDelayed()->getId());
        expectValues(['state' => 'delayed', 'pri' => 7, 'delay' => 1000, 'releases' => 1], $client->statsJob($put));
        expect(1, $client->kick(10));
        $job = $client->reserveWithTimeout(5);
        $client->bury($job, 5);
        expect($put->getId(), $client->peekBuried()->getId());
        expectException(JobNotFoundException::class, fn() => $client->touch($job));
        expectException(JobNotFoundException::class, fn() => $client->release($job));
        expectException(JobNotFoundException::class, fn() => $client->bury($job));
        $client->kickJob($job);
        expectException(JobNotFoundException::class, fn() => $client->kickJob($job));
        expect('x', $client->peek(new JobId($put->getId()))->getData());
        $job = $client->reserve();
        expectValues([
            'state' => 'reserved', 'pri' => 5, 'ttr' => 1000, 'reserves' => 3, 'buries' => 1, 'kicks' => 2,
            'tube' => 'states',
        ], $client->statsJob($job));
        $client->delete($job);
        expectException(JobNotFoundException::class, fn() => $client->peek($job));
        expectException(ServerException::class, fn() => $client->statsJob($job));
        expect([null, null, null], [$client->peekReady(), $client->peekDelayed(), $client->peekBuried()]);
    },

    'buried jobs come back in their order' => function () {
        $client = connect('buried');
        foreach (['a', 'b', 'c'] as $body) {
            $client->put($body);
            $client->bury($client->reserve());
        }
        expect(2, $client->kick(2));
        expect(['a', 'b', null], [takeBody($client), takeBody($client), takeBody($client)]);
        expectValues(['current-jobs-buried' => 1], $client->statsTube('buried'));
        $client->delete($client->peekBuried());
    },

    'tubes' => function () {
        $client = Pheanstalk::create(HOST, PORT);
        expect(['default', ['default']], [$client->listTubeUsed(true), $client->listTubesWatched(true)]);
        $client->useTube('emails')->watch('emails')->watch('sms')->ignore('default');
        $watched = $client->listTubesWatched(true);
        sort($watched);
        expect(['emails', ['emails', 'sms']], [$client->listTubeUsed(true), $watched]);
        $client->watchOnly('emails');
        expectException(ServerException::class, fn() => $client->ignore('emails'));
        expect(['emails'], $client->listTubesWatched(true));
        expect(['default', 'emails'], $client->listTubes());
        $client->withUsedTube('sms', fn($client) => $client->put('y'));
        $client->put('x');
        expectValues([
            'name' => 'emails', 'current-jobs-ready' => 1, 'current-using' => 1, 'current-watching' => 1,
        ], $client->statsTube('emails'));
        expect('y', $client->withWatchedTube('sms', fn($client) => takeBody($client)));
        expect('x', takeBody($client));
        expectException(ServerException::class, fn() => $client->statsTube('nowhere'));
    },

    'pause' => function () {
        $client = connect('pause');
        $client->put('x');
        $client->pauseTube('pause', 1000);
        expect(null, $client->reserveWithTimeout(0));
        expectValues(['pause' => 1000, 'cmd-pause-tube' => 1], $client->statsTube('pause'));
        $client->resumeTube('pause');
        expect('x', takeBody($client));
        expectException(ServerException::class, fn() => $client->pauseTube('nowhere', 1));
    },

    'stats' => function () {
        $stats = connect()->stats();
        expect(isset($stats['beanrow-version']) ? 52 : 51, count($stats));
        expectValues([
            'current-jobs-ready' => 0, 'current-jobs-reserved' => 0, 'max-job-size' => 65535, 'draining' => 'false',
        ], $stats);
        expect(true, $stats->cmd_put > 0);
    },

    'delays and timeouts' => function () {
        $client = connect('times');
        $job = expectAtLeast(1, function () use ($client) {
            $client->put('x', 0, 1, 3);
            return $client->reserveWithTimeout(10);
        });
        expectException(DeadlineSoonException::class, fn() => $client->reserve());
        $client->delete($job);
        $client->put('x', 0, 0, 3);
        $job = $client->reserveWithTimeout(10);
        expectException(DeadlineSoonException::class, fn() => $client->reserveWithTimeout(10));
        $client->delete($job);
        expect(null, expectAtLeast(1, fn() => $client->reserveWithTimeout(1)));
    },

    'a job held too long' => function () {
        [$client, $other] = [connect('held'), connect('held')];
        $client->put('x', 0, 0, 3);
        $job = $client->reserve();
        $again = $other->reserveWithTimeout(10);
        expect(true, $again !== null);
        expect($job->getId(), $again->getId());
        expectValues(['timeouts' => 1, 'reserves' => 2], $other->statsJob($again));
        expectException(JobNotFoundException::class, fn() => $client->touch($job));
        $other->delete($again);
    },
]);
