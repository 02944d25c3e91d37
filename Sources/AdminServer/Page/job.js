// A job: the facts at the left, what has happened at the right, its body below.
import { makeBody } from './body.js';
import { bulkActions } from './bulk.js';
import { holderText } from './holder.js';
import {
    bytes, count, duration, exactDuration, get, h, link,
    live, moment, now, region, set, stateLabel, t, time,
} from './kit.js';

export function showJob({ rest: [id] }) {
    const facts = h('dl.facts-list');
    const timeline = h('ol.timeline');
    const state = h('span', '');
    const body = makeBody(id);
    const ended = h('p.sentence', '\u00a0');
    const put = h('a.button', { href: link('put', { again: id }) }, t.job.putAgain);
    const actions = h('div.tools.acts', { hidden: true }, put, bulkActions({ target: () => ({ ids: [Number(id)] }), done: () => read() }));
    const halves = h('div.halves', { hidden: true },
        h('section.panel', { 'aria-label': t.job.facts }, h('h2', t.job.facts), facts),
        h('section.panel', { 'aria-label': t.job.timeline }, h('h2', t.job.timeline), timeline));
    const place = region(h('div', halves, body.element));
    const element = h('div', null,
        h('nav.trail', { 'aria-label': t.trail }, h('a', { href: link('jobs') }, t.jobs.title)),
        h('div.title', h('h1', `${t.job.title} `, h('span.code', id)), state, actions), ended, place.element);
    let shown = '';

    function read() {
        return place.try(async () => {
            if (!/^\d+$/.test(id)) throw Object.assign(new Error(t.job.notANumber(id)), { status: 400 });
            const detail = await get(`jobs/${id}`);
            actions.hidden = false;
            halves.hidden = false;
            for (const button of actions.querySelectorAll('button')) button.hidden = Boolean(detail.ended);
            put.hidden = !detail.body;
            // What has not changed stays as it is, so that a selection of text stays.
            const text = JSON.stringify(detail);
            if (text === shown) return;
            shown = text;
            show(detail);
        });
    }

    function show({ job, body: content, timeline: events, ended: end }) {
        set(state, end ? h('span.tag', t.job.outcomes[end.outcome] ?? end.outcome) : stateLabel(job.state));
        set(ended, end ? t.job.endedAt(moment(end.finished_at)) : holderText(job.holder) ? t.job.heldBy(holderText(job.holder)) : '\u00a0');
        set(facts, factsOf(job, end).map(([words, value]) => [h('dt', words), h('dd', value)]));
        set(timeline, events.map((event) => h('li', { 'data-event': event.event, class: Date.parse(event.at) > now() ? 'ahead' : null },
            h('span', sentence(event.text)), h('span.muted', time(event.at), ` \u00b7 ${moment(event.at)}`))));
        body.show(content);
    }

    const stops = [live.repeat(2, read), live.on('back', read)];
    read();
    return { title: `${t.job.title} ${id}`, element, leave: () => stops.forEach((stop) => stop()) };
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function factsOf(job, end) {
    const span = (seconds) => h('span', { title: exactDuration(seconds) }, duration(seconds));
    const all = [
        [t.job.tube, h('a.code', { href: link(['tubes', job.tube]) }, job.tube)],
        [t.job.priority, count(job.priority)],
        [t.job.ttr, span(job.ttr_seconds)],
        job.delay_seconds ? [t.job.delay, span(job.delay_seconds)] : null,
        [t.job.created, time(job.created_at)],
        job.state === 'delayed' && !end ? [t.job.readyAt, time(job.ready_at)] : null,
        job.reserved_until && !end ? [t.job.reservedUntil, time(job.reserved_until)] : null,
        end?.waited_seconds !== undefined && end ? [t.job.waited, span(end.waited_seconds)] : null,
        end?.worked_seconds !== undefined && end ? [t.job.worked, span(end.worked_seconds)] : null,
        job.key ? [t.job.key, h('span.code', job.key)] : null,
        [t.job.size, h('span', { title: t.job.exactBytes(count(job.body_bytes)) }, bytes(job.body_bytes))],
        [t.job.counters, h('span', ['reserves', 'timeouts', 'releases', 'buries', 'kicks'].map((name, i) => [i ? ' \u00b7 ' : '',
            h(job[name] ? 'span' : 'span.muted', null, `${count(job[name])} ${t.job.counted[name](job[name])}`)]))],
    ];
    return all.filter(Boolean);
}

