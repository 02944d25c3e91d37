// What became of the jobs of a tube, or of all, hour by hour.
import { makeChart, makeChartGroup } from './chart.js';
import { historyTabs } from './historytabs.js';
import { count, duration, emptyNote, get, h, live, makeTable, moment, region, remember, short, t } from './kit.js';

const spans = ['24', '72', '168'];

export function showReports({ query }) {
    let { tube = '', hours = '24' } = query;
    if (!spans.includes(hours)) hours = '24';
    const group = makeChartGroup();
    const percentile = (kind, name) => (hour) => hour[kind]?.[name];
    const charts = [
        makeChart(group, { title: t.reports.throughput, show: count, axis: short, lines: [
            { id: 'in', label: t.reports.puts, read: (hour) => hour.puts }, { id: 'out', label: t.reports.deletes, read: (hour) => hour.deletes }] }),
        makeChart(group, { title: t.reports.retries, show: count, axis: short, lines: [
            { id: 'timeouts', label: t.reports.timeouts, read: (hour) => hour.timeouts },
            { id: 'releases', label: t.reports.releases, read: (hour) => hour.releases },
            { id: 'buried', state: 'buried', label: t.reports.buries, read: (hour) => hour.buries }] }),
        ...['waited', 'worked'].map((kind) => makeChart(group, { title: t.chart[kind], show: duration,
            lines: ['p50', 'p95'].map((name) => ({ id: name, label: name, read: percentile(kind, name) })) })),
    ];
    const table = makeTable({ caption: t.reports.title, columns, key: (hour) => hour.start, empty: () => emptyNote(t.reports.none) });
    const name = h('input.code', { type: 'search', 'aria-label': t.job.tube, placeholder: t.reports.allTubes, value: tube, spellcheck: 'false' });
    const span = h('select', { 'aria-label': t.reports.span }, spans.map((value) => h('option', { value }, t.reports.spans[value])));
    span.value = hours;
    const form = h('form.tools', { onsubmit: (event) => { event.preventDefault(); apply(); }, onchange: () => apply() }, name, span);
    const drawing = h('div.charts', charts.map((chart) => chart.element));
    const place = region(h('div', drawing, table.element));
    const element = h('div', h('div.title', h('h1', t.reports.title), form), historyTabs('reports'), place.element);

    function apply() {
        tube = name.value.trim();
        hours = span.value;
        remember('reports', { tube, hours: hours === '24' ? null : hours });
        read();
    }

    const read = () => place.try(async () => {
        const report = await get('reports', { tube, hours });
        drawing.hidden = report.hours.length === 0;
        if (report.hours.length) {
            const series = { start: report.hours[0].start, step: 3600, points: fillGaps(report.hours) };
            for (const chart of charts) chart.update(series);
        }
        table.update([...report.hours].reverse());
    });
    read();
    const stop = live.repeat(60, read);
    return { title: t.reports.title, element, leave: stop };
}

/** An hour of which nothing is known is a gap in the picture. */
function fillGaps(hours) {
    const byTime = new Map(hours.map((hour) => [Date.parse(hour.start), hour]));
    const first = Date.parse(hours[0].start);
    const last = Date.parse(hours.at(-1).start);
    return Array.from({ length: (last - first) / 3600000 + 1 }, (_, i) => byTime.get(first + i * 3600000) ?? null);
}

const number = (id, phone = 'line') => ({ id, label: t.reports[id], number: true, phone, value: (hour) => count(hour[id]) });
const lengths = (id) => ({ id, label: t.reports[id], hint: 'p50 / p95', number: true, phone: 'none',
    value: (hour) => (hour[id] ? `${duration(hour[id].p50)} / ${duration(hour[id].p95)}` : '') });

const columns = [
    { id: 'hour', label: t.reports.hour, phone: 'lead', value: (hour) => moment(hour.start).slice(5, 16) },
    number('puts'), number('deletes'), number('timeouts'), number('releases', 'none'), number('buries', 'none'),
    lengths('waited'), lengths('worked'),
];
