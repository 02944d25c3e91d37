// Who has which job, of all brokers and SQL sessions, the longest held first.
import { get } from './api.js';
import { clientTabs } from './clients.js';
import { h } from './dom.js';
import { makeJobTable } from './jobtable.js';
import * as live from './live.js';
import { region } from './notice.js';
import { emptyNote } from './table.js';
import { t } from './texts.js';

export function showHolders() {
    const table = makeJobTable({ caption: t.holders.title, hides: ['state', 'priority', 'reserves'], holder: true, empty: () => emptyNote(t.holders.none) });
    const place = region(table.element);
    const read = () => place.try(async () => table.update((await get('holders')).jobs));
    read();
    const stops = [live.repeat(2, read), live.on('back', read)];
    return {
        title: t.holders.title,
        element: h('div', null, h('div.title', null, h('h1', null, t.holders.title)), clientTabs('holders'),
            h('p.sentence', null, t.holders.text), place.element),
        leave: () => stops.forEach((stop) => stop()),
    };
}
