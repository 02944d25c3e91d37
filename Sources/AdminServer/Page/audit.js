// Who has done what through this page and its API, newest first.
import { get } from './api.js';
import { h, set } from './dom.js';
import { count } from './format.js';
import { historyTabs } from './historytabs.js';
import { region } from './notice.js';
import { emptyNote, makeTable } from './table.js';
import { time } from './time.js';
import { t } from './texts.js';

const pageSize = 100;

export function showAudit() {
    let rows = [];
    const table = makeTable({ caption: t.audit.title, key: (entry) => entry.id, empty: () => emptyNote(t.audit.none), columns: [
        { id: 'at', label: t.audit.at, phone: 'corner', value: (entry) => entry.at, show: (entry) => time(entry.at) },
        { id: 'viewer', label: t.audit.viewer, value: (entry) => entry.viewer },
        { id: 'action', label: t.audit.action, phone: 'lead', value: (entry) => entry.action, show: (entry) => h('b', null, entry.action) },
        { id: 'object', label: t.audit.object, value: (entry) => entry.object, title: (entry) => entry.object, show: (entry) => h('span.code', null, entry.object) },
        { id: 'arguments', label: t.audit.arguments, phone: 'none', value: (entry) => entry.arguments ?? '', title: (entry) => entry.arguments,
            show: (entry) => h('span.code', null, entry.arguments ?? '') },
        { id: 'changed', label: t.audit.changed, number: true, value: (entry) => count(entry.changed) },
        { id: 'error', label: t.audit.error, phone: 'wide', value: (entry) => entry.error ?? '', flag: (entry) => entry.error },
    ] });
    const more = h('div.pager');
    const place = region(h('div', null, table.element, more));
    const read = () => place.try(async () => {
        const entries = await get('audit', { limit: pageSize, before: rows.at(-1)?.id });
        rows = [...rows, ...entries];
        table.update(rows);
        set(more, entries.length === pageSize ? h('button', { type: 'button', onclick: read }, t.jobs.more) : null);
    });
    read();
    return {
        title: t.audit.title,
        element: h('div', null, h('div.title', null, h('h1', null, t.audit.title)), historyTabs('audit'), place.element),
    };
}
