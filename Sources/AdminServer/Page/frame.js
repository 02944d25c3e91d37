// What is on every screen: the bar, the strip, the banner.
import { h, set, setAttribute, setText } from './dom.js';
import { clock, count, duration, exactDuration, rate } from './format.js';
import * as live from './live.js';
import { makeSearch } from './search.js';
import { get } from './api.js';
import { link } from './route.js';
import { makeSparkline } from './sparkline.js';
import { announce } from './notice.js';
import { states, stateLabel } from './states.js';
import { t } from './texts.js';

/** Which entry of the bar a screen belongs to. */
const places = { tubes: 'tubes', put: 'jobs', jobs: 'jobs', history: 'history', reports: 'history', operations: 'history',
    audit: 'history', brokers: 'brokers', clients: 'clients', holders: 'clients', warnings: 'warnings' };

/** Makes the frame: `{ element, main, showPlace(screen) }`. */
export function makeFrame() {
    const main = h('main', { id: 'main' });
    const strip = makeStrip();
    const bar = makeBar();
    const banner = makeBanner();
    const skip = h('a.skip', { href: '#main', onclick: (event) => {
        event.preventDefault();
        (main.querySelector('h1') ?? main).focus();
    } }, t.frame.skip);
    const element = h('div.frame', skip, bar.element, strip.element, banner, main);
    live.on('overview', (overview) => {
        bar.update(overview);
        strip.update(overview);
        element.classList.toggle('no-database', !overview.database.is_up);
    });
    live.on('away', () => element.classList.add('stale'));
    live.on('back', () => element.classList.remove('stale'));
    return { element, main, showPlace: bar.showPlace };
}

function makeBar() {
    const links = ['tubes', 'jobs', 'history', 'brokers', 'clients', 'warnings']
        .map((name) => h('a', { href: link(name), 'data-place': name }, t.frame[name]));
    const badge = h('span.badge', { hidden: true });
    links.at(-1).append(' ', badge);
    const queue = h('span.queue', '');
    const readOnly = h('span.tag', { hidden: true }, t.frame.readOnly);
    const element = h('header', h('div.bar', null,
        h('a.brand', { href: link('tubes'), 'aria-label': t.frame.home }, h('i.logo', { 'aria-hidden': 'true' }), queue), readOnly,
        h('nav', { 'aria-label': t.frame.screens }, links),
        makeSearch(), makeLive(), makeTheme()));
    return {
        element,
        showPlace(screen) {
            for (const a of links) setAttribute(a, 'aria-current', a.dataset.place === places[screen] ? 'page' : null);
        },
        update(overview) {
            const { schema, database, host } = overview.queue;
            setText(queue, schema);
            set(queue, h('b', schema), h('span', `${database} @ ${host.startsWith('/') ? t.frame.socket : host}`));
            setAttribute(queue, 'title', t.frame.queue(schema, database, host, overview.version));
            badge.hidden = overview.warnings === 0;
            setText(badge, count(overview.warnings));
            readOnly.hidden = overview.may_act;
            setAttribute(readOnly, 'title', overview.viewer ? t.frame.viewer(overview.viewer) : null);
        },
    };
}

function makeLive() {
    const select = h('select', { 'aria-label': t.live.label, title: t.live.label },
        live.intervals.map((seconds) => h('option', { value: seconds }, seconds ? t.live.every(seconds) : t.live.off)));
    select.value = String(live.currentInterval());
    const element = h('div.live', h('i.dot', { 'aria-hidden': 'true' }), select);
    const show = () => element.classList.toggle('off', live.currentInterval() === 0);
    select.addEventListener('change', () => {
        live.chooseInterval(Number(select.value));
        show();
    });
    show();
    return element;
}

function makeTheme() {
    const theme = window.beanrowTheme;
    const button = h('button.theme', {});
    const show = () => {
        setAttribute(button, 'aria-label', t.theme[theme.current()]);
        setAttribute(button, 'title', t.theme[theme.current()]);
    };
    button.addEventListener('click', () => {
        theme.next();
        show();
        announce(t.theme[theme.current()]);
    });
    show();
    return button;
}

function makeStrip() {
    const cells = {};
    const cell = (id, label, extra = null) => {
        const value = h('b', '\u2013');
        const element = h(`div.cell.cell-${id}`, null, h('span.label', label), value, extra);
        cells[id] = { element, value, label: element.firstChild };
        return element;
    };
    const line = makeSparkline(144, 32);
    const element = h('section.strip', { 'aria-label': t.strip.label }, h('div.cells', null,
        states.map((state) => cell(state, stateLabel(state))),
        cell('oldest', t.strip.oldest),
        h('div.flow', { title: t.strip.flow }, cell('in', t.strip.in), cell('out', t.strip.out), line.element),
        cell('brokers', t.strip.brokers), cell('database', t.strip.database)));
    const put = (id, text, title, isAlarm = false) => {
        setText(cells[id].value, text);
        setAttribute(cells[id].element, 'title', title);
        cells[id].element.classList.toggle('alarm', isAlarm);
    };
    const readLine = async () => line.update(sum(await get('series', { window: '10m' })));
    live.repeat(10, readLine);
    readLine().catch(() => {}); // The line stays empty; the banner tells why.
    return {
        element,
        update(overview) {
            for (const state of states) put(state, count(overview.counts[state]));
            const oldest = overview.oldest_ready_seconds;
            put('oldest', oldest === undefined ? '\u2013' : duration(oldest), overview.alarms ? t.strip.alarms(count(overview.alarms), overview.alarms) : oldest === undefined ? null : exactDuration(oldest),
                overview.alarms > 0);
            put('in', rate(overview.in_per_second));
            put('out', rate(overview.out_per_second));
            put('brokers', overview.is_sole ? t.strip.sole : count(overview.brokers_alive),
                overview.is_sole ? t.strip.soleHint : null, overview.brokers_alive === 0);
            put('database', overview.database.is_up ? t.strip.up : t.strip.down, overview.database.reason, !overview.database.is_up);
        },
    };
}

function sum(series) {
    return { puts: series.points.map((point) => point?.puts ?? 0), deletes: series.points.map((point) => point?.deletes ?? 0) };
}

function makeBanner() {
    const element = h('div.banner', { role: 'alert', hidden: true });
    let at = null;
    let isAway = false;
    const show = (title, text) => {
        element.hidden = false;
        set(element, h('strong', title), ' ', text);
    };
    live.on('away', () => {
        isAway = true;
        show(t.away.title, at ? t.away.asOf(clock(at)) : t.away.first);
    });
    live.on('overview', (overview) => {
        at = overview.at;
        if (isAway) announce(t.away.back);
        isAway = false;
        if (overview.database.is_up) {
            element.hidden = true;
        } else if (element.hidden || element.dataset.reason !== overview.database.reason) {
            element.dataset.reason = overview.database.reason ?? '';
            show(t.away.database, `${(overview.database.reason ?? t.away.unknown).replace(/\.?$/, '.')} ${t.away.databaseHint}`);
        }
    });
    return element;
}
