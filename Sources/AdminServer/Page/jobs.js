// Jobs: the filter, results by key, a selection, and what to do with it.
import { filterOf, filterWords, makeFilter } from './jobfilter.js';
import { makeJobTable } from './jobtable.js';
import { count, emptyNote, get, h, link, live, region, remember, set, t } from './kit.js';
import { makeOperations } from './operations.js';
import { makeSelection } from './selection.js';

const pageSize = 50;

export function showJobs({ query }) {
    let filter = filterOf(query);
    let rows = [];
    let next = null;
    let reading = null;
    const selection = makeSelection({ filter: () => filter, rows: () => rows, done: () => start() });
    const table = makeJobTable({ caption: t.jobs.title, first: [selection.column],
        empty: () => (Object.keys(filter).length
            ? emptyNote(next ? t.jobs.noneYet : t.jobs.noneMatch(filterWords(filter)))
            : emptyNote(t.jobs.none, t.jobs.noneCommand)) });
    selection.attach(table);
    const chips = makeFilter((changed) => { filter = changed; remember('jobs', filter); start(); });
    const more = h('div.pager');
    const place = region(h('div', table.element, more));
    const operations = makeOperations({ isShort: true });
    const element = h('div', null,
        h('div.title', h('h1', t.jobs.title), h('div.tools', null,
            h('button', { onclick: () => start() }, t.refresh),
            h('a.button.acts', { href: link('put') }, t.put.title))),
        chips.element, operations.element, place.element, selection.bar);

    function start() {
        rows = [];
        next = null;
        selection.clear();
        return read();
    }

    /** Reads the first page, or the next one. A page may be empty and still have a next one. */
    async function read() {
        reading?.abort();
        reading = new AbortController();
        const { signal } = reading;
        const isFirst = rows.length === 0 && next === null;
        set(more, h('span.muted', t.loading));
        const isRead = await place.try(async () => {
            const page = await get('jobs', { ...filter, limit: pageSize, after: next }, signal);
            if (signal.aborted) return;
            rows = isFirst ? page.jobs : [...rows, ...page.jobs];
            next = page.next ?? null;
            table.update(rows);
            selection.refresh();
            showMore(page);
        });
        if (!isRead && !signal.aborted) set(more, h('button', { onclick: read }, t.again));
    }

    function showMore(page) {
        if (next === null) {
            set(more, rows.length ? h('span.muted', t.jobs.allShown(count(rows.length), rows.length)) : null);
        } else {
            const reached = page.searched_to !== undefined && page.jobs.length < pageSize ? t.jobs.searched(page.searched_to) : t.jobs.shown(count(rows.length));
            set(more, h('span.muted', reached), h('button', { onclick: read }, page.jobs.length < pageSize ? t.jobs.searchOn : t.jobs.more));
        }
    }

    chips.show(filter);
    start();
    const stops = [live.on('back', () => { if (!rows.length) start(); }), operations.stop];
    return {
        title: t.jobs.title,
        element,
        leave: () => {
            reading?.abort();
            stops.forEach((stop) => stop());
        },
        stay(address) {
            if (address.screen !== 'jobs' || address.rest.length) return false;
            filter = filterOf(address.query);
            chips.show(filter);
            start();
            return true;
        },
    };
}
