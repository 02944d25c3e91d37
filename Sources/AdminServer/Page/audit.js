// Who has done what through this page and its API, newest first.
import { historyTabs } from './historytabs.js';
import { count, emptyNote, get, h, makeTable, region, set, t, time } from './kit.js';

const pageSize = 100;

export function showAudit() {
    let rows = [];
    const table = makeTable({ caption: t.audit.title, key: (entry) => entry.id, empty: () => emptyNote(t.audit.none), columns: [
        { id: 'at', label: t.audit.at, phone: 'corner', value: (entry) => entry.at, show: (entry) => time(entry.at) },
        { id: 'viewer', label: t.audit.viewer, value: (entry) => entry.viewer },
        { id: 'action', label: t.audit.action, phone: 'lead', value: (entry) => entry.action, show: (entry) => h('b', entry.action) },
        { id: 'object', label: t.audit.object, value: (entry) => entry.object, title: (entry) => entry.object, show: (entry) => h('span.code', entry.object) },
        { id: 'arguments', label: t.audit.arguments, phone: 'none', value: (entry) => entry.arguments ?? '', title: (entry) => entry.arguments,
            show: (entry) => h('span.code', entry.arguments ?? '') },
        { id: 'changed', label: t.audit.changed, number: true, value: (entry) => count(entry.changed) },
        { id: 'error', label: t.audit.error, phone: 'wide', value: (entry) => entry.error ?? '', flag: (entry) => entry.error },
    ] });
    const more = h('div.pager');
    const place = region(h('div', table.element, more));
    const read = () => place.try(async () => {
        const entries = await get('audit', { limit: pageSize, before: rows.at(-1)?.id });
        rows = [...rows, ...entries];
        table.update(rows);
        set(more, entries.length === pageSize ? h('button', { onclick: read }, t.jobs.more) : null);
    });
    read();
    return {
        title: t.audit.title,
        element: h('div', h('div.title', h('h1', t.audit.title)), historyTabs('audit'), place.element),
    };
}
