// Who has which job, of all brokers and SQL sessions, the longest held first.
import { clientTabs } from './clients.js';
import { makeJobTable } from './jobtable.js';
import { emptyNote, get, h, live, region, t } from './kit.js';

export function showHolders() {
    const table = makeJobTable({ caption: t.holders.title, hides: ['state', 'priority', 'reserves'], holder: true, empty: () => emptyNote(t.holders.none) });
    const place = region(table.element);
    const read = () => place.try(async () => table.update((await get('holders')).jobs));
    read();
    const stops = [live.repeat(2, read), live.on('back', read)];
    return {
        title: t.holders.title,
        element: h('div', h('div.title', h('h1', t.holders.title)), clientTabs('holders'),
            h('p.sentence', t.holders.text), place.element),
        leave: () => stops.forEach((stop) => stop()),
    };
}
