// The connections of the broker that answers: what they use, watch, and have.
import { screenTabs } from './historytabs.js';
import { count, duration, emptyNote, get, h, link, live, makeTable, region, setText, t } from './kit.js';

export const clientTabs = (current) => screenTabs(t.frame.clients, ['clients', 'holders'], current);

export function showClients() {
    const table = makeTable({ caption: t.clients.title, columns, key: (client) => client.key, empty: () => emptyNote(t.clients.none, t.clients.command) });
    const total = h('span.muted', '');
    const place = region(table.element);
    const read = () => place.try(async () => {
        const page = await get('clients');
        // Clients on a Unix socket have one address.
        const seen = new Map();
        table.update(page.clients.map((client) => {
            const number = (seen.get(client.address) ?? 0) + 1;
            seen.set(client.address, number);
            return { ...client, key: `${client.address} ${number}` };
        }));
        setText(total, page.clients.length < page.total ? t.clients.part(count(page.clients.length), count(page.total)) : t.clients.total(count(page.total), page.total));
    });
    read();
    const stops = [live.repeat(2, read), live.on('back', read)];
    return {
        title: t.clients.title,
        element: h('div', h('div.title', h('h1', t.clients.title), total), clientTabs('clients'),
            h('p.sentence', t.clients.text), place.element),
        leave: () => stops.forEach((stop) => stop()),
    };
}

const roles = (client) => [client.is_producer && t.clients.producer, client.is_worker && t.clients.worker].filter(Boolean).join(', ') || '\u2013';

const columns = [
    { id: 'address', label: t.clients.address, phone: 'lead', value: (client) => client.address, show: (client) => h('span.code', client.address) },
    { id: 'role', label: t.clients.role, phone: 'corner', value: (client) => `${roles(client)}${client.is_waiting ? `, ${t.clients.waiting}` : ''}` },
    { id: 'using', label: t.clients.using, phone: 'none', value: (client) => client.using, title: (client) => client.using,
        show: (client) => h('a.code', { href: link(['tubes', client.using]) }, client.using) },
    { id: 'watching', label: t.clients.watching, value: (client) => client.watching.join(', '), title: (client) => client.watching.join(', '),
        show: (client) => h('span.code', client.watching.join(', ')) },
    { id: 'held', label: t.clients.held, value: (client) => client.holds.join(), phone: 'line', show: (client) => [
        client.holds.slice(0, 3).map((id, i) => [i ? ', ' : '', h('a.code', { href: link(['jobs', id]) }, id)]),
        client.held > 3 ? ` ${t.clients.moreHeld(count(client.held - 3))}` : null] },
    { id: 'connected', label: t.clients.connected, number: true, phone: 'none', value: (client) => duration(Math.floor(client.connected_seconds)) },
    { id: 'idle', label: t.clients.idle, number: true, phone: 'none', value: (client) => duration(Math.floor(client.idle_seconds)) },
];
