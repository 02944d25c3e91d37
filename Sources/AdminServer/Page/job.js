// A job: the facts at the left, what has happened at the right, its body below.
import { get } from './api.js';
import { bulkActions } from './bulk.js';
import { makeBody } from './body.js';
import { h, set } from './dom.js';
import { bytes, count, duration, exactDuration, moment } from './format.js';
import { holderText } from './holder.js';
import * as live from './live.js';
import { region } from './notice.js';
import { link } from './route.js';
import { stateLabel } from './states.js';
import { time } from './time.js';
import { t } from './texts.js';

export function showJob({ rest: [id] }) {
    const facts = h('dl.facts-list');
    const timeline = h('ol.timeline');
    const state = h('span', null, '');
    const body = makeBody(id);
    const ended = h('p.sentence', null, '\u00a0');
    const put = h('a.button', { href: link('put', { again: id }) }, t.job.putAgain);
    const actions = h('div.tools.acts', { hidden: true }, put, bulkActions({ target: () => ({ ids: [Number(id)] }), done: () => read() }));
    const place = region(h('div', null,
        h('div.halves', null,
            h('section.panel', { 'aria-label': t.job.facts }, h('h2', null, t.job.facts), facts),
            h('section.panel', { 'aria-label': t.job.timeline }, h('h2', null, t.job.timeline), timeline)),
        body.element));
    const element = h('div', null,
        h('nav.trail', { 'aria-label': t.trail }, h('a', { href: link('jobs') }, t.jobs.title)),
        h('div.title', null, h('h1', null, `${t.job.title} `, h('span.code', null, id)), state, actions), ended, place.element);
    let shown = '';

    function read() {
        return place.try(async () => {
            if (!/^\d+$/.test(id)) throw Object.assign(new Error(t.job.notANumber(id)), { status: 400 });
            const detail = await get(`jobs/${id}`);
            actions.hidden = false;
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
        set(state, end ? h('span.tag', null, t.job.outcomes[end.outcome] ?? end.outcome) : stateLabel(job.state));
        set(ended, end ? t.job.endedAt(moment(end.finished_at)) : holderText(job.holder) ? t.job.heldBy(holderText(job.holder)) : '\u00a0');
        set(facts, factsOf(job, end).map(([words, value]) => [h('dt', null, words), h('dd', null, value)]));
        set(timeline, events.map((event) => h('li', { 'data-event': event.event, class: Date.parse(event.at) > Date.now() ? 'ahead' : null },
            h('span', null, sentence(event.text)), h('span.muted', null, time(event.at), ` \u00b7 ${moment(event.at)}`))));
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
        job.key ? [t.job.key, h('span.code', null, job.key)] : null,
        [t.job.size, h('span', { title: t.job.exactBytes(count(job.body_bytes)) }, bytes(job.body_bytes))],
        [t.job.counters, h('span', null, ['reserves', 'timeouts', 'releases', 'buries', 'kicks'].map((name, i) => [i ? ' \u00b7 ' : '',
            h(job[name] ? 'span' : 'span.muted', null, `${count(job[name])} ${t.job.counted[name](job[name])}`)]))],
    ];
    return all.filter(Boolean);
}

