// Jobs that have ended, newest first, where the policy of their tube keeps history.
import { historyTabs } from './historytabs.js';
import {
    count, duration, emptyNote, exactDuration, get, h, link,
    makeTable, moment, now, region, remember, set, t, time,
} from './kit.js';

const pageSize = 50;

export function showHistory({ query }) {
    let filter = query;
    let rows = [];
    let next = null;
    let reading = null;
    const table = makeTable({ caption: t.history.title, columns, key: (job) => job.id,
        empty: () => emptyNote(t.history.none, t.history.command) });
    const tube = h('input.code', { type: 'search', 'aria-label': t.job.tube, placeholder: t.job.tube, value: filter.tube ?? '', spellcheck: 'false' });
    const id = h('input', { type: 'search', 'aria-label': t.job.id, placeholder: t.job.id, value: filter.id ?? '', inputmode: 'numeric' });
    const outcome = h('select', { 'aria-label': t.history.outcome },
        [['', t.history.anyOutcome], ['finished', t.job.outcomes.finished], ['deleted', t.job.outcomes.deleted]]
            .map(([value, words]) => h('option', { value }, words)));
    outcome.value = filter.outcome ?? '';
    const since = h('select', { 'aria-label': t.history.since },
        ['', '1', '24', '168', '720'].map((hours) => h('option', { value: hours }, t.history.spans[hours || 'any'])));
    since.value = filter.hours ?? '';
    const form = h('form.tools', { onsubmit: (event) => { event.preventDefault(); apply(); }, onchange: apply }, tube, id, outcome, since);
    const more = h('div.pager');
    const place = region(h('div', table.element, more));
    const element = h('div', h('div.title', h('h1', t.history.title), form), historyTabs('history'), place.element);

    function apply() {
        filter = { tube: tube.value.trim(), id: /^\d+$/.test(id.value.trim()) ? id.value.trim() : '', outcome: outcome.value, hours: since.value };
        remember('history', filter);
        start();
    }

    function start() {
        rows = [];
        next = null;
        read();
    }

    async function read() {
        reading?.abort();
        reading = new AbortController();
        const { signal } = reading;
        const { hours, ...asked } = filter;
        const after = hours ? new Date(now() - hours * 3600000).toISOString() : null;
        set(more, h('span.muted', t.loading));
        const isRead = await place.try(async () => {
            const page = await get('history', { ...asked, finished_after: after, limit: pageSize, after: next }, signal);
            rows = [...rows, ...page.jobs];
            next = page.next ?? null;
            table.update(rows);
            set(more, next ? [h('span.muted', t.jobs.shown(count(rows.length))), h('button', { onclick: read }, t.jobs.more)] : null);
        });
        if (!isRead && !signal.aborted) set(more, h('button', { onclick: read }, t.again));
    }
    start();
    return { title: t.history.title, element, leave: () => reading?.abort() };
}

const span = (id, label, read) => ({ id, label, number: true, value: (job) => duration(read(job)),
    title: (job) => (read(job) === undefined ? null : exactDuration(read(job))) });

const columns = [
    { id: 'id', label: t.job.id, phone: 'lead', value: (job) => String(job.id), show: (job) => h('a.code', { href: link(['jobs', job.id]) }, job.id) },
    { id: 'outcome', label: t.history.outcome, phone: 'corner', value: (job) => t.job.outcomes[job.outcome] ?? job.outcome },
    { id: 'tube', label: t.job.tube, value: (job) => job.tube, title: (job) => job.tube, show: (job) => h('a.code', { href: link(['tubes', job.tube]) }, job.tube) },
    { id: 'finished', label: t.history.finished, value: (job) => moment(job.finished_at), show: (job) => time(job.finished_at) },
    span('waited', t.job.waited, (job) => job.waited_seconds),
    span('worked', t.job.worked, (job) => job.worked_seconds),
    { id: 'reserves', label: t.job.tries, hint: t.job.triesHint, number: true, phone: 'none', value: (job) => count(job.reserves) },
    { id: 'timeouts', label: t.history.timeouts, number: true, phone: 'none', value: (job) => count(job.timeouts) },
    { id: 'releases', label: t.history.releases, number: true, phone: 'none', value: (job) => count(job.releases) },
    { id: 'buries', label: t.history.buries, number: true, phone: 'none', value: (job) => count(job.buries) },
];
