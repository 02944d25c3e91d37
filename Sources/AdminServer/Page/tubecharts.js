// Four charts of a tube, or of the whole queue, over 10 minutes, a day or 30 days.
import { makeChart, makeChartGroup } from './chart.js';
import { count, duration, get, h, rate, region, setAttribute, short, states, t } from './kit.js';

const windows = ['10m', '1d', '30d'];

export function makeTubeCharts(name, first, choose) {
    let window = windows.includes(first) ? first : '10m';
    let step = 10;
    let readAt = 0;
    const group = makeChartGroup();
    const perSecond = (field) => (point) => point[field] / step;
    const charts = [
        makeChart(group, { title: t.chart.counts, show: count, axis: short,
            lines: states.map((state) => ({ id: state, state, label: t.states[state], read: (point) => point.counts[state] })) }),
        makeChart(group, { title: t.chart.flow, show: (value) => `${rate(value)}/s`, axis: short, lines: [
            { id: 'in', label: t.chart.in, read: perSecond('puts') }, { id: 'out', label: t.chart.out, read: perSecond('deletes') }] }),
        makeChart(group, { title: t.chart.waited, show: duration, lines: [
            { id: 'p50', label: 'p50', read: (point) => point.waited_p50 }, { id: 'p95', label: 'p95', read: (point) => point.waited_p95 }] }),
        makeChart(group, { title: t.chart.worked, show: duration, lines: [
            { id: 'p50', label: 'p50', read: (point) => point.worked_p50 }, { id: 'p95', label: 'p95', read: (point) => point.worked_p95 }] }),
    ];
    const buttons = windows.map((one) => h('button', { onclick: () => take(one) }, t.chart.windows[one]));
    const place = region(h('div.charts', charts.map((chart) => chart.element)));
    const element = h('section', { 'aria-label': t.chart.title },
        h('div.subtitle', h('h2', t.chart.title), h('div.switch', { role: 'group', 'aria-label': t.chart.window }, buttons)),
        place.element);

    function take(one) {
        window = one;
        choose(one);
        show();
        read();
    }

    const show = () => buttons.forEach((button, i) => setAttribute(button, 'aria-pressed', String(windows[i] === window)));

    /** A point of a day or a month is no news after ten seconds. */
    async function refresh() {
        if (performance.now() - readAt >= step * 1000 - 500) await read();
    }

    async function read() {
        readAt = performance.now();
        const asked = window;
        await place.try(async () => {
            const series = await get('series', { tube: name, window });
            if (asked !== window) return;
            step = series.step;
            for (const chart of charts) chart.update(series);
        });
    }
    show();
    return { element, read, refresh };
}
