<?php

// Goes through Symfony Messenger's beanstalkd transport, against the server on the given port of 127.0.0.1. What the
// transport has no method for is done with pheanstalk, on which it stands.

declare(strict_types=1);

require 'Symfony/Component/Messenger/autoload.php';
require 'Symfony/Component/Messenger/Bridge/Beanstalkd/autoload.php';
require 'Symfony/Contracts/Service/autoload.php';
require __DIR__ . '/expectations.php';

use Pheanstalk\Exception\DeadlineSoonException;
use Pheanstalk\Exception\JobTooBigException;
use Pheanstalk\JobId;
use Pheanstalk\Pheanstalk;
use Symfony\Component\Messenger\Bridge\Beanstalkd\Transport\BeanstalkdReceivedStamp;
use Symfony\Component\Messenger\Bridge\Beanstalkd\Transport\BeanstalkdTransport;
use Symfony\Component\Messenger\Bridge\Beanstalkd\Transport\BeanstalkdTransportFactory;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Exception\TransportException;
use Symfony\Component\Messenger\Handler\HandlersLocator;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Middleware\HandleMessageMiddleware;
use Symfony\Component\Messenger\Middleware\SendMessageMiddleware;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Transport\Sender\SendersLocatorInterface;
use Symfony\Component\Messenger\Transport\Serialization\PhpSerializer;
use Symfony\Component\Messenger\Worker;

final class Email
{
    public $text;

    public function __construct(string $text)
    {
        $this->text = $text;
    }
}

function transport(string $query): BeanstalkdTransport
{
    $dsn = 'beanstalkd://' . HOST . ':' . PORT . "?$query";
    $factory = new BeanstalkdTransportFactory();
    expect(true, $factory->supports($dsn, []));
    return $factory->createTransport($dsn, [], new PhpSerializer());
}

/** The message that the transport has now, if there is one. */
function get(BeanstalkdTransport $transport): ?Envelope
{
    foreach ($transport->get() as $envelope) {
        return $envelope;
    }
    return null;
}

function idOf(Envelope $envelope): JobId
{
    return new JobId((int) $envelope->last(BeanstalkdReceivedStamp::class)->getId());
}

run([
    'send, get, acknowledge and reject' => function () {
        $transport = transport('tube_name=messages');
        $text = "h\u{e9}llo\r\n" . str_repeat('x', 30000);
        foreach (['ack', 'reject'] as $method) {
            $transport->send(new Envelope(new Email($text)));
            expect(1, $transport->getMessageCount());
            $envelope = get($transport);
            expect($text, $envelope->getMessage()->text);
            expect('messages', $envelope->last(BeanstalkdReceivedStamp::class)->getTube());
            expect(0, $transport->getMessageCount());
            $transport->$method($envelope);
            expect(null, get($transport));
            expectException(TransportException::class, fn() => $transport->$method($envelope));
        }
        $big = new Envelope(new Email(str_repeat('x', 65536)));
        $exception = expectException(TransportException::class, fn() => $transport->send($big));
        expect(JobTooBigException::class, get_class($exception->getPrevious()));
    },

    'a worker behind a message bus' => function () {
        $transport = transport('tube_name=bus&timeout=1');
        $senders = new class ($transport) implements SendersLocatorInterface {
            private $transport;

            public function __construct(BeanstalkdTransport $transport)
            {
                $this->transport = $transport;
            }

            public function getSenders(Envelope $envelope): iterable
            {
                return ['beanstalkd' => $this->transport];
            }
        };
        $handled = [];
        $handler = function (Email $email) use (&$handled, &$worker) {
            $handled[] = $email->text;
            if ($email->text === 'a') {
                throw new RuntimeException('refused');
            }
            if ($email->text === 'c') {
                $worker->stop();
            }
        };
        $bus = new MessageBus([
            new SendMessageMiddleware($senders),
            new HandleMessageMiddleware(new HandlersLocator([Email::class => [$handler]])),
        ]);
        foreach (['a', 'b', 'c'] as $text) {
            $bus->dispatch(new Email($text));
        }
        $stats = Pheanstalk::create(HOST, PORT)->statsTube('bus');
        expectValues(['name' => 'bus', 'current-jobs-ready' => 3, 'total-jobs' => 3], $stats);
        $worker = new Worker(['beanstalkd' => $transport], $bus);
        $worker->run();
        expect(['a', 'b', 'c'], $handled);
        expect(0, $transport->getMessageCount());
        expect(null, get($transport));
    },

    'bury, kick and pause' => function () {
        $transport = transport('tube_name=operated');
        $operator = Pheanstalk::create(HOST, PORT)->useTube('operated')->watchOnly('operated');
        $transport->send(new Envelope(new Email('x')));
        $operator->bury($operator->reserve());
        expect([0, null], [$transport->getMessageCount(), get($transport)]);
        expect(1, $operator->kick(10));
        $operator->pauseTube('operated', 1000);
        expect([1, null], [$transport->getMessageCount(), get($transport)]);
        $operator->resumeTube('operated');
        $envelope = get($transport);
        $stats = $operator->statsJob(idOf($envelope));
        expectValues(['state' => 'reserved', 'pri' => 1024, 'ttr' => 90, 'kicks' => 1], $stats);
        $transport->ack($envelope);
    },

    'delays and timeouts' => function () {
        $transport = transport('tube_name=times&timeout=10&ttr=3');
        $envelope = expectAtLeast(3, function () use ($transport) {
            $transport->send(new Envelope(new Email('x'), [new DelayStamp(3000)]));
            expect(0, $transport->getMessageCount());
            return get($transport);
        });
        $exception = expectException(TransportException::class, fn() => get($transport));
        expect(DeadlineSoonException::class, get_class($exception->getPrevious()));
        $transport->ack($envelope);
        expect(null, expectAtLeast(1, fn() => get(transport('tube_name=times&timeout=1'))));
    },

    'a job held too long' => function () {
        $transport = transport('tube_name=held&ttr=3');
        $other = transport('tube_name=held&timeout=10');
        $transport->send(new Envelope(new Email('x')));
        $envelope = get($transport);
        $again = get($other);
        expect(true, $again !== null);
        expect(idOf($envelope)->getId(), idOf($again)->getId());
        expectValues(['timeouts' => 1], Pheanstalk::create(HOST, PORT)->statsJob(idOf($again)));
        expectException(TransportException::class, fn() => $transport->ack($envelope));
        $other->ack($again);
    },
]);
