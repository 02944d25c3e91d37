// The table of tubes: live, sorted and filtered by the server, with ten minutes of line in each row.
import { groupRows, toggleGroup } from './groups.js';
import {
    count, duration, emptyNote, exactDuration, get, growth, h, link, live,
    makeTable, rate, region, remember, set, setText, stateLabel, states, t,
} from './kit.js';
import { makeSparkline } from './sparkline.js';

const pageSize = 100;

export function showTubes({ query: first }) {
    let query = first;
    let page = null;
    let isPointed = false;
    const lines = makeLines();
    const table = makeTable({
        caption: t.tubes.title, columns: columns(lines, toggle), key: (tube) => tube.key ?? tube.name, onSort: sort,
        rowClass: (tube) => (tube.group ? 'group' : tube.isInGroup ? 'in-group' : ''),
        empty: () => (query.filter ? emptyNote(t.tubes.noneMatch(query.filter)) : emptyNote(t.tubes.none, t.tubes.noneCommand)),
    });
    table.element.classList.add('tubes');

    const filter = h('input', { type: 'search', 'aria-label': t.tubes.filter, placeholder: t.tubes.filter, value: query.filter ?? '',
        oninput: () => change({ filter: filter.value.trim(), offset: null }) });
    const grouped = h('input', { type: 'checkbox', id: 'grouped', onchange: () => change({ group: grouped.checked ? '1' : null, open: null, offset: null }) });
    const order = h('select', { 'aria-label': t.tubes.sort, onchange: () => change({ sort: order.value === 'worst' ? null : order.value, offset: null }) },
        ['worst', ...sorts].map((name) => h('option', { value: name }, t.tubes.sorts[name])));
    const total = h('span.muted', '');
    const pager = h('div.pager');
    const invitation = h('div.empty', { hidden: true }, emptyNote(t.tubes.noJobs, t.tubes.noneCommand));
    const place = region(h('div', table.element, pager, invitation));
    const element = h('div', null,
        h('div.title', h('h1', t.tubes.title), total,
            h('div.tools', filter, order, h('label.check', { for: 'grouped' }, grouped, t.tubes.group),
                h('a.button.acts', { href: link('put') }, t.put.title))),
        place.element);
    // Rows do not move away from under the pointer or the keyboard; their values still change.
    table.table.addEventListener('pointerenter', () => { isPointed = true; });
    table.table.addEventListener('pointerleave', () => { isPointed = false; });

    const request = () => ({ filter: query.filter, sort: query.sort ?? 'worst', limit: pageSize, offset: query.offset,
        group: query.group, open: query.group ? query.open : null });

    function change(changes) {
        query = Object.fromEntries(Object.entries({ ...query, ...changes }).filter(([, value]) => value));
        remember('tubes', query);
        isPointed = false;
        start();
    }

    function sort(name) {
        // Numbers begin with the largest; a hyphen turns an order round.
        change({ sort: query.sort === name ? `-${name}` : name, offset: null });
    }

    function toggle(group) {
        change({ open: toggleGroup(query.open, group) });
    }

    function draw(keepsOrder) {
        const rows = page.groups ? groupRows(page.groups) : page.tubes;
        table.update(rows, { keepsOrder });
        setText(total, page.matching === page.total ? t.tubes.total(count(page.total), page.total)
            : t.tubes.matching(count(page.matching), count(page.total)));
        showPager();
        invitation.hidden = page.total !== 1 || isBusy(rows[0]);
        lines.want(rows.filter((row) => !row.group).map((row) => row.name));
    }

    function showPager() {
        const from = Number(query.offset ?? 0);
        const size = (page.groups ?? page.tubes).length;
        const all = page.matching_groups ?? page.matching;
        if (pager.dataset.shown === `${from} ${size} ${all}`) return;
        pager.dataset.shown = `${from} ${size} ${all}`;
        if (size >= all) return set(pager);
        set(pager, h('span', t.tubes.part(count(from + 1), count(from + size), count(all))),
            h('button', { disabled: from === 0, onclick: () => turn(from - pageSize) }, t.previous),
            h('button', { disabled: from + size >= all, onclick: () => turn(from + pageSize) }, t.next));
    }

    function turn(offset) {
        change({ offset: offset > 0 ? String(offset) : null });
        window.scrollTo(0, 0);
    }

    function receive(next, isLive) {
        page = next;
        draw(isLive && (isPointed || table.table.contains(document.activeElement)));
    }

    let reading = null;
    function start() {
        table.showSort(query.sort);
        order.value = [...order.options].some((option) => option.value === (query.sort ?? 'worst')) ? query.sort ?? 'worst' : '';
        grouped.checked = Boolean(query.group);
        live.watch({ view: 'tubes', ...request() });
        reading?.abort();
        reading = new AbortController();
        const { signal } = reading;
        place.try(async () => receive(await get('tubes', request(), signal), false));
    }

    const stops = [
        live.on('tubes', (next) => receive(next, true)),
        live.on('back', start),
        live.repeat(10, () => lines.read()),
    ];
    start();
    return {
        title: t.tubes.title,
        element,
        events: { view: 'tubes', ...request() },
        leave: () => {
            reading?.abort();
            stops.forEach((stop) => stop());
        },
        stay(address) {
            if (address.screen !== 'tubes' || address.rest.length) return false;
            query = address.query;
            filter.value = query.filter ?? '';
            start();
            return true;
        },
    };
}

const sorts = ['name', 'in', 'out', 'ready', 'reserved', 'delayed', 'buried', 'oldest', 'waiting'];

function columns(lines, toggle) {
    const number = (id, value, more) => ({ id, label: t.tubes[id], sort: id, number: true, value, ...more });
    return [
        { id: 'name', label: t.tubes.name, sort: 'name', phone: 'lead', title: (tube) => tube.name,
            value: (tube) => `${tube.name} ${tube.alarm} ${tube.group ? `${tube.isFolded} ${tube.size} ${tube.listed}` : ''}`, show: (tube) => nameCell(tube, toggle) },
        { id: 'line', label: t.tubes.line, hint: t.tubes.lineHint, phone: 'none',
            value: (tube) => (tube.group ? '' : 'line'), show: (tube) => (tube.group ? null : lines.of(tube.name)) },
        number('in', (tube) => rate(tube.in_per_second), { hint: t.tubes.inHint, phone: 'none' }),
        number('out', (tube) => rate(tube.out_per_second), { hint: t.tubes.outHint, phone: 'none' }),
        { id: 'growth', label: t.tubes.growth, hint: t.tubes.growthHint, number: true, phone: 'none',
            value: (tube) => growth(tube.in_per_second - tube.out_per_second) },
        ...states.map((state) => ({ id: state, label: stateLabel(state), word: t.states[state], sort: state, number: true, tints: true,
            phone: 'line', flag: (tube) => state === 'ready' && tube.alarm === 'full', value: (tube) => count(tube.counts[state]), show: (tube) => stateCell(tube, state) })),
        number('oldest', (tube) => duration(tube.oldest_ready_seconds), { phone: 'corner', flag: (tube) => tube.alarm === 'late',
            title: (tube) => (tube.oldest_ready_seconds === undefined ? null : t.tubes.oldestExact(exactDuration(tube.oldest_ready_seconds))) }),
        number('waiting', (tube) => count(tube.waiting), { hint: t.tubes.waitingHint, phone: 'none' }),
        { id: 'pause', label: t.tubes.paused, phone: 'none', number: true, value: pauseText,
            title: (tube) => (tube.pause_seconds_left ? exactDuration(Math.round(tube.pause_seconds_left)) : null) },
    ];
}

/** A tube in which something is, or has just been. */
const isBusy = (tube) => !tube || tube.in_per_second > 0 || tube.out_per_second > 0 || states.some((state) => tube.counts[state] > 0);

const pauseText = (tube) => (tube.pause_seconds_left ? duration(tube.pause_seconds_left) : '');

function nameCell(tube, toggle) {
    const alarm = tube.alarm ? [' ', h('span.tag.alarm', { title: t.alarm[tube.alarm].hint }, t.alarm[tube.alarm].word)] : null;
    if (!tube.group) return [h('a.code', { href: link(['tubes', tube.name]) }, tube.name), alarm];
    const isWhole = tube.isFolded || tube.listed >= tube.size;
    const size = isWhole ? t.tubes.inGroup(count(tube.size), tube.size) : t.tubes.someOfGroup(count(tube.listed), count(tube.size));
    return [h('button.fold', { 'aria-expanded': String(!tube.isFolded), onclick: () => toggle(tube.group) },
        h('span.code', tube.name), h('span.muted', ` ${size}`)), alarm];
}

/** A count leads to its jobs; the shape stands in it on narrow screens, where the head of the column is not there. */
function stateCell(tube, state) {
    const text = count(tube.counts[state]);
    if (text === '0') return text;
    return h('a.plain', { href: link('jobs', { tube: tube.group ? `${tube.group}*` : tube.name, state }) }, text);
}

/** The lines of the rows that are shown. */
function makeLines() {
    const made = new Map();
    let wanted = [];
    let isReading = false;
    const isNew = new Set();

    async function read(names = wanted) {
        for (const part of parts(names)) {
            const { tubes } = await get('sparklines', { tube: part });
            for (const name of part) made.get(name)?.update(tubes[name]);
        }
    }

    return {
        of(name) {
            if (!made.has(name)) {
                made.set(name, makeSparkline());
                isNew.add(name);
            }
            return made.get(name).element;
        },
        read: () => read(),
        want(names) {
            wanted = names;
            if (!isNew.size || isReading) return;
            const ask = [...isNew];
            isNew.clear();
            isReading = true;
            read(ask).catch(() => {}).finally(() => { isReading = false; });
        },
    };
}

/** Names in parts that fit into an address. */
function parts(names) {
    const all = [];
    let length = Infinity;
    for (const name of names) {
        length += encodeURIComponent(name).length + 6;
        if (length > 6000 || all.at(-1).length >= 100) {
            all.push([]);
            length = 0;
        }
        all.at(-1).push(name);
    }
    return all;
}

