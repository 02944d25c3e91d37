// Charts over time, drawn as SVG. Several charts share one crosshair; the values under it stand as text beside the lines'
// names. Zero is always in the picture.
import { h, newId, set, setText, svg, setAttribute } from './dom.js';
import { clock, duration, moment } from './format.js';
import { mark } from './states.js';
import { t } from './texts.js';

const H = 160;
const left = 56;
const right = 8;
const top = 8;
const bottom = 20;

/** Charts that share a crosshair. */
export function makeChartGroup() {
    const charts = [];
    let index = null;
    const move = (to) => {
        index = to;
        for (const chart of charts) chart.showAt(index);
    };
    return { add: (chart) => charts.push(chart), move, at: () => index };
}

/**
 * A chart: `lines` are [{ id, label, read(point), state? }], `show(value)` makes text of a value.
 * `update({ start, step, points })` draws.
 */
export function makeChart(group, { title, lines, show, axis = show }) {
    let W = 560;
    const plot = svg('g');
    const cross = svg('line.cross', { y1: top, y2: H - bottom });
    const frame = svg('svg.chart', { height: H, role: 'img', tabindex: '0' }, plot, cross);
    const titleId = newId('chart');
    const values = lines.map(() => h('span.value', ''));
    const at = h('span.at', '');
    const legend = h('div.legend', lines.map((line, i) => h('span.key', null,
        line.state ? mark(line.state) : h(`i.swatch.line-${line.id}`), h('span', line.label), values[i])));
    const element = h('section.panel.chart-panel', { 'aria-labelledby': titleId },
        h('div.chart-head', h('h3', { id: titleId }, title), at), legend, frame);
    let data = null;

    const x = (i) => left + ((i + 0.5) / data.points.length) * (W - left - right);

    // The drawing has the size of its place, so that its text is as large as other text.
    new ResizeObserver(() => {
        const width = Math.round(frame.clientWidth);
        if (!width || width === W) return;
        W = width;
        if (data) update(data);
    }).observe(frame);

    function update(series) {
        data = series;
        setAttribute(frame, 'viewBox', `0 0 ${W} ${H}`);
        const known = series.points.filter(Boolean);
        const most = scaleTop(Math.max(0, ...known.flatMap((point) => lines.map((line) => line.read(point) ?? 0))), show === duration);
        const y = (value) => H - bottom - (value / most) * (H - top - bottom);
        set(plot, grid(most, y), timeTicks(series), lines.map((line) => svg(`path.line.line-${line.id}`, {
            d: path(series.points.map((point) => (point ? line.read(point) : null)), y),
        })));
        const isEmpty = !known.some((point) => lines.some((line) => line.read(point) !== null && line.read(point) !== undefined));
        if (isEmpty) plot.append(svg('text.tick', { x: (left + W - right) / 2, y: H / 2 + 16, 'text-anchor': 'middle' }, t.chart.nothing));
        setAttribute(frame, 'aria-label', describe(known));
        showAt(group.at());
    }

    function grid(most, y) {
        return [0, 0.5, 1].map((part) => [
            svg('line.grid', { x1: left, x2: W - right, y1: y(most * part), y2: y(most * part) }),
            svg('text.tick', { x: left - 6, y: y(most * part) + 4, 'text-anchor': 'end' }, axis(most * part)),
        ]);
    }

    function timeTicks({ start, step, points }) {
        const begin = Date.parse(start);
        return [0, 1, 2, 3, 4].map((i) => {
            const place = Math.round((i * points.length) / 4);
            const anchor = i === 0 ? 'start' : i === 4 ? 'end' : 'middle';
            return svg('text.tick', { x: left + (place / points.length) * (W - left - right), y: H - 4, 'text-anchor': anchor },
                tickLabel(begin + place * step * 1000, step * points.length));
        });
    }

    function path(values_, y) {
        let text = '';
        let isDown = false;
        values_.forEach((value, i) => {
            if (value === null || value === undefined) {
                isDown = false;
                return;
            }
            const isAlone = !isDown && (values_[i + 1] === null || values_[i + 1] === undefined);
            text += `${isDown ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}${isAlone ? 'h1' : ''}`;
            isDown = true;
        });
        return text;
    }

    function describe(known) {
        if (!known.length) return `${title}: ${t.chart.nothing}`;
        return `${title}: ${lines.map((line) => {
            const all = known.map(line.read).filter((value) => value !== null && value !== undefined);
            return all.length ? t.chart.range(line.label, show(all.at(-1)), show(Math.min(...all)), show(Math.max(...all))) : '';
        }).filter(Boolean).join('; ')}`;
    }

    function showAt(index) {
        if (!data) return;
        const place = index === null ? lastKnown() : Math.min(index, data.points.length - 1);
        const point = place < 0 ? null : data.points[place];
        lines.forEach((line, i) => {
            const value = point ? line.read(point) : null;
            setText(values[i], value === null || value === undefined ? '\u2013' : show(value));
        });
        cross.style.display = index === null ? 'none' : '';
        if (index === null) {
            setText(at, '');
            return;
        }
        for (const name of ['x1', 'x2']) setAttribute(cross, name, x(place).toFixed(1));
        setText(at, momentLabel(Date.parse(data.start) + place * data.step * 1000, data.step));
    }

    const lastKnown = () => data.points.findLastIndex(Boolean);

    frame.addEventListener('pointermove', (event) => {
        if (!data) return;
        const box = frame.getBoundingClientRect();
        const part = (((event.clientX - box.left) / box.width) * W - left) / (W - left - right);
        group.move(Math.max(0, Math.min(data.points.length - 1, Math.floor(part * data.points.length))));
    });
    frame.addEventListener('pointerleave', () => group.move(null));
    frame.addEventListener('blur', () => group.move(null));
    frame.addEventListener('keydown', (event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
        if (!by || !data) return;
        event.preventDefault();
        const from = group.at() ?? lastKnown();
        group.move(Math.max(0, Math.min(data.points.length - 1, from + by)));
    });

    const chart = { element, update, showAt };
    group.add(chart);
    return chart;
}

/** Lengths of time, in seconds, whose halves are round too. */
const times = [120, 240, 600, 1200, 2400, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 345600, 691200, 1382400, 2764800];

/** A round number that is not below the greatest value. */
function scaleTop(most, areTimes) {
    if (most <= 0) return 1;
    const time = areTimes && most > 60 ? times.find((value) => value >= most) : null;
    if (time) return time;
    const power = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((value) => value >= most * 0.999);
}

const short = (time) => clock(time).slice(0, 5);
const day = (time) => moment(time).slice(5, 10);
const tickLabel = (time, span) => (span > 2 * 86400 ? day(time) : short(time));
const momentLabel = (time, step) => (step >= 3600 ? moment(time).slice(5, 16) : step >= 300 ? short(time) : clock(time));
