// A tube: its state in a sentence, charts with one crosshair, percentiles, its jobs by state, and what can be done to it.
import { makeJobTable } from './jobtable.js';
import {
    count, duration, emptyNote, exactDuration, get, growth, h, link, live,
    rate, region, remember, set, setAttribute, setText, stateLabel, states, t, tubePath,
} from './kit.js';
import { policySentence } from './policy.js';
import { tubeActions } from './tubeactions.js';
import { makeTubeCharts } from './tubecharts.js';

export function showTube({ rest: [name], query: first }) {
    const query = { ...first };
    const charts = makeTubeCharts(name, query.window, (window) => keep({ window: window === '10m' ? null : window }));
    const facts = makeFacts();
    const sentence = h('p.sentence', '\u00a0');
    const actions = tubeActions(name, read);
    const jobs = makeTubeJobs(name, query.state, (state) => keep({ state: state === 'ready' ? null : state }));
    const percentiles = makePercentiles();
    const place = region(h('div', facts.element, charts.element, percentiles.element));
    const element = h('div', null,
        h('nav.trail', { 'aria-label': t.trail }, h('a', { href: link('tubes') }, t.tubes.title)),
        h('div.title', h('h1.code', { title: name }, name), h('div.tools.acts', actions.buttons)),
        sentence, place.element, jobs.element);

    function keep(changes) {
        Object.assign(query, changes);
        remember(['tubes', name], query);
    }

    function read() {
        return place.try(async () => {
            const detail = await get(tubePath(name));
            facts.update(detail);
            percentiles.update(detail);
            actions.update(detail);
            set(sentence, describe(detail));
        });
    }

    const stops = [live.repeat(2, read), live.repeat(10, charts.refresh), live.repeat(5, jobs.read), live.on('back', read)];
    read();
    charts.read();
    jobs.read();
    return { title: name, element, leave: () => stops.forEach((stop) => stop()) };
}

function describe({ tube, policy, late_after_seconds: limit }) {
    const parts = [];
    if (tube.pause_seconds_left) parts.push(h('span.tag.paused', t.tube.pausedFor(duration(tube.pause_seconds_left))));
    if (tube.alarm === 'late') parts.push(h('span.tag.alarm', t.tube.tooOld(duration(tube.oldest_ready_seconds), duration(limit))));
    if (tube.alarm === 'full') parts.push(h('span.tag.alarm', t.alarm.full.hint));
    parts.push(h('span', t.tube.clients(count(tube.waiting), count(tube.watching), count(tube.using))));
    parts.push(h('span', policySentence(policy)));
    return parts.flatMap((part) => [part, ' ']);
}

function makeFacts() {
    const ids = [...states, 'oldest', 'in', 'out', 'growth'];
    const values = Object.fromEntries(ids.map((id) => [id, h('b', '\u2013')]));
    const element = h('div.facts', ids.map((id) => h('div.cell', null,
        h('span.label', states.includes(id) ? stateLabel(id) : t.tube[id]), values[id])));
    return {
        element,
        update({ tube, late_after_seconds: limit }) {
            for (const state of states) setText(values[state], count(tube.counts[state]));
            const oldest = tube.oldest_ready_seconds;
            setText(values.oldest, oldest === undefined ? '\u2013' : duration(oldest));
            setAttribute(values.oldest, 'title', oldest === undefined ? null : t.tube.lateAfter(exactDuration(oldest), exactDuration(limit)));
            values.oldest.classList.toggle('alarm', tube.alarm === 'late');
            values.ready.classList.toggle('alarm', tube.alarm === 'full');
            setText(values.in, rate(tube.in_per_second));
            setText(values.out, rate(tube.out_per_second));
            setText(values.growth, growth(tube.in_per_second - tube.out_per_second));
        },
    };
}

function makePercentiles() {
    const body = h('tbody');
    const element = h('section.panel', { 'aria-label': t.percentiles.title },
        h('div.chart-head', h('h3', t.percentiles.title), h('span.muted', t.percentiles.span)),
        h('table.plain', h('thead', h('tr', ['', 'p50', 'p95', 'p99', t.percentiles.jobs]
            .map((word, i) => h(i ? 'th.number' : 'th', { scope: 'col' }, word)))), body));
    return {
        element,
        update({ waited, worked }) {
            set(body, [[t.percentiles.waited, waited], [t.percentiles.worked, worked]].map(([words, known]) => h('tr', null,
                h('th', { scope: 'row' }, words),
                ['p50', 'p95', 'p99'].map((name) => h('td.number', known ? duration(known[name]) : '\u2013')),
                h('td.number', count(known?.count ?? 0)))));
        },
    };
}

/** The first jobs of each state, as tabs. */
function makeTubeJobs(name, first, choose) {
    let state = states.includes(first) ? first : 'ready';
    const table = makeJobTable({ caption: t.tube.jobs, hides: ['tube', 'state'],
        empty: () => emptyNote(t.tube.noJobs(t.states[state]), state === 'ready' ? t.tube.putCommand(name) : null) });
    const more = h('p.more');
    const place = region(h('div', table.element, more));
    const panel = h('div', { role: 'tabpanel', 'aria-label': t.tube.jobs }, place.element);
    const tabs = states.map((one) => h('button', { role: 'tab', onclick: () => take(one),
        onkeydown: (event) => step(event) }, stateLabel(one)));
    const element = h('section.below', h('h2', t.tube.jobs), h('div.tabs', { role: 'tablist', 'aria-label': t.tube.jobs }, tabs), panel);

    function take(one) {
        state = one;
        choose(one);
        show();
        read();
    }

    function step(event) {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!by) return;
        const to = (states.indexOf(state) + by + states.length) % states.length;
        take(states[to]);
        tabs[to].focus();
    }

    function show() {
        tabs.forEach((tab, i) => {
            setAttribute(tab, 'aria-selected', String(states[i] === state));
            tab.tabIndex = states[i] === state ? 0 : -1;
        });
    }

    async function read() {
        const asked = state;
        await place.try(async () => {
            const page = await get('jobs', { tube: name, state, limit: 10 });
            if (asked !== state) return;
            table.update(page.jobs);
            const label = page.next ? t.tube.allJobs(t.states[state]) : null;
            if (more.textContent !== (label ?? '')) set(more, label && h('a', { href: link('jobs', { tube: name, state }) }, label));
            else more.querySelector('a')?.setAttribute('href', link('jobs', { tube: name, state }));
        });
    }
    show();
    return { element, read };
}
