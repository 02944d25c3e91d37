// The brokers of the queue: who lives, since when, and which one answers.
import { bytes, count, duration, emptyNote, get, h, live, makeTable, moment, now, region, set, t, time } from './kit.js';
import { state } from './session.js';

export function showBrokers() {
    const table = makeTable({ caption: t.brokers.title, columns, key: (broker) => broker.epoch, empty: () => emptyNote(t.brokers.none) });
    const about = h('dl.facts-list');
    const place = region(table.element);
    const element = h('div', h('div.title', h('h1', t.brokers.title)), place.element,
        h('section.panel', { 'aria-label': t.brokers.thisOne }, h('h2', t.brokers.thisOne), about));
    const read = () => place.try(async () => table.update(await get('brokers')));

    function describe(overview) {
        set(about, [
            [t.brokers.version, overview.version],
            [t.brokers.queue, h('span.code', `${overview.queue.schema} \u00b7 ${overview.queue.database} @ ${overview.queue.host}`)],
            [t.brokers.database, overview.database.is_up ? t.strip.up : h('span.alarm', overview.database.reason ?? t.strip.down)],
            [t.brokers.mode, overview.is_sole ? t.brokers.sole : t.brokers.shared],
            [t.brokers.connections, t.brokers.connectionsOf(count(overview.connections), count(overview.producers), count(overview.workers), count(overview.waiting))],
            [t.brokers.you, [overview.viewer ?? t.brokers.nobody, ' \u00b7 ', overview.may_act ? t.brokers.mayAct : t.brokers.mayLook]],
        ].map(([words, value]) => [h('dt', words), h('dd', value)]));
    }
    if (state.overview) describe(state.overview);
    read();
    const stops = [live.on('overview', describe), live.repeat(2, read), live.on('back', read)];
    return { title: t.brokers.title, element, leave: () => stops.forEach((stop) => stop()) };
}

const silence = (broker) => Math.max(0, (now() - Date.parse(broker.heartbeat_at)) / 1000);

const columns = [
    { id: 'host', label: t.brokers.host, phone: 'lead', value: (broker) => `${broker.host}${broker.is_this}`, show: (broker) => [
        h('span.code', broker.host), broker.is_this ? h('span.tag', t.brokers.answers) : null] },
    { id: 'alive', label: t.brokers.state, phone: 'corner', value: (broker) => `${broker.is_alive}${broker.is_sole}`, show: (broker) => (broker.is_alive
        ? h('span.life', '\u25cf ', broker.is_sole ? t.brokers.aliveSole : t.brokers.alive) : h('span.alarm', '\u25cb ', t.brokers.dead)) },
    { id: 'epoch', label: t.brokers.epoch, number: true, value: (broker) => String(broker.epoch) },
    { id: 'pid', label: t.brokers.pid, number: true, value: (broker) => String(broker.pid) },
    { id: 'started', label: t.brokers.started, value: (broker) => broker.started_at, show: (broker) => time(broker.started_at) },
    { id: 'heartbeat', label: t.brokers.heartbeat, number: true, phone: 'none', title: (broker) => moment(broker.heartbeat_at),
        value: (broker) => (silence(broker) < 2 ? t.brokers.now : duration(silence(broker))), flag: (broker) => silence(broker) >= 4 },
    { id: 'max', label: t.brokers.maxJob, number: true, phone: 'none', value: (broker) => (broker.max_job_size ? bytes(broker.max_job_size) : '') },
];
