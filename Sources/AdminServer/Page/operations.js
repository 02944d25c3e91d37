// Actions on all that match a filter: how far they have come. They can be left and found again, stopped, and go on.
import { historyTabs } from './historytabs.js';
import { filterWords } from './jobfilter.js';
import { count, emptyNote, fail, get, h, jobs, live, post, region, set, setAttribute, setText, t, time } from './kit.js';

/** A list; with `isShort`, only what runs or was stopped, and what has ended while it was shown. */
export function makeOperations({ isShort = false } = {}) {
    const known = new Map();
    const cards = new Map();
    const list = h('div.operations');
    const nothing = h('div.empty', { hidden: true }, emptyNote(t.operations.none));
    const place = isShort ? quiet(h('div', list)) : region(h('div', list, nothing));

    function receive(operation) {
        const isOld = isShort && !cards.has(operation.id) && !['running', 'stopped'].includes(operation.state);
        if (isOld) return;
        known.set(operation.id, operation);
        if (!cards.has(operation.id)) {
            const card = makeCard(receive);
            cards.set(operation.id, card);
            const after = [...cards.keys()].filter((id) => id < operation.id).sort((a, b) => b - a)[0];
            list.insertBefore(card.element, after ? cards.get(after).element : null);
        }
        cards.get(operation.id).update(operation);
    }

    const read = () => place.try(async () => {
        for (const operation of await get('operations')) receive(operation);
        nothing.hidden = isShort || cards.size > 0;
    });
    // The stream tells what runs; what has ended must be asked for.
    const refresh = async () => {
        const isRunning = [...known.values()].some((operation) => operation.state === 'running');
        if (isRunning || !isShort) await read();
    };
    const stops = [live.on('operation', receive), live.repeat(2, refresh), live.on('back', read)];
    read();
    return { element: place.element, stop: () => stops.forEach((stop) => stop()) };
}

/** Beside a list of jobs, which tells what is wrong. */
const quiet = (element) => ({ element, try: (read) => read().catch(() => {}) });

function makeCard(receive) {
    const title = h('b');
    const detail = h('span.muted');
    const bar = h('div.progress', { role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100 }, h('i'));
    const word = h('span');
    const error = h('p.alarm', { hidden: true });
    const button = h('button.small.acts', { onclick: () => act() });
    const element = h('div.operation', h('div.operation-head', title, word, button), bar, detail, error);
    let operation = null;

    async function act() {
        button.disabled = true;
        try {
            receive(await post(`operations/${operation.id}/${operation.state === 'running' ? 'stop' : 'resume'}`));
        } catch (problem) {
            fail(problem);
        }
        button.disabled = false;
    }

    return {
        element,
        update(next) {
            operation = next;
            const { request, state, changed, skipped } = operation;
            const seen = changed + skipped;
            const part = state === 'done' ? 100 : Math.min(100, Math.floor((100 * seen) / Math.max(1, request.expected_count)));
            setText(title, t.operations.title(t.actions.titles[request.action](jobs(request.expected_count)), filterWords(request.filter)));
            setText(word, t.operations.states[state] ?? state);
            element.dataset.state = state;
            setAttribute(bar, 'aria-label', t.operations.progress);
            setAttribute(bar, 'aria-valuenow', part);
            bar.firstChild.style.width = `${part}%`;
            set(detail, t.operations.detail(count(changed), count(skipped)), ' ', t.operations.by(operation.started_by), ' ', time(operation.started_at));
            button.hidden = !['running', 'stopped', 'failed'].includes(state);
            setText(button, state === 'running' ? t.operations.stop : t.operations.resume);
            error.hidden = !operation.error;
            setText(error, operation.error ?? '');
        },
    };
}

export function showOperations() {
    const operations = makeOperations();
    return {
        title: t.operations.heading,
        element: h('div', h('div.title', h('h1', t.operations.heading)), historyTabs('operations'), operations.element),
        leave: operations.stop,
    };
}
