// Actions on jobs: one, a selection, or all that match a filter. The count is said first; what deletes asks for it.
import { filterBody, filterWords } from './jobfilter.js';
import { ask, count, h, jobs, note, parseDuration, post, t } from './kit.js';

const actions = ['kick', 'bury', 'move', 'priority', 'delay', 'delete'];
const most = 4294967295;

const fields = {
    kick: [],
    delete: [],
    bury: [{ name: 'priority', label: t.actions.buryPriority, type: 'number', min: 0, max: most }],
    move: [{ name: 'tube', label: t.actions.toTube, required: true, code: true }],
    priority: [{ name: 'priority', label: t.actions.newPriority, type: 'number', min: 0, max: most, required: true, hint: t.actions.priorityHint }],
    delay: [{ name: 'delay', label: t.actions.newDelay, required: true, value: '1 min', hint: t.tubeActions.lengthHint }],
};

/** What was typed, as arguments of the API. */
function argumentsOf(action, { delay, tube, ...values }) {
    if (action === 'move') return { tube };
    if (action !== 'delay') return values;
    const seconds = parseDuration(delay);
    if (seconds === null) throw Object.assign(new Error(t.tubeActions.lengthWrong), { hint: t.tubeActions.lengthHint });
    return { delay_seconds: Math.round(seconds) };
}

/** Buttons. `target()` is `{ ids }`, or `{ all, filter }` when everything that matches is meant. */
export function bulkActions({ target, done }) {
    return actions.map((action) => h(action === 'delete' ? 'button.danger' : 'button',
        { type: 'button', 'data-action': action, onclick: () => confirm(action, target(), done) }, t.actions[action]));
}

function confirm(action, { ids, all, filter }, done) {
    const isAll = all !== null && all !== undefined;
    const number = isAll ? all : ids.length;
    const isDangerous = action === 'delete';
    ask({
        title: t.actions.titles[action](jobs(number)),
        text: [h('p', t.actions.explains[action]),
            isAll ? h('p', t.actions.onFilter(filterWords(filter))) : ids.length <= 5 ? h('p.code', ids.join(', ')) : null],
        fields: fields[action],
        isDangerous,
        // A large deletion asks for its number, so that nobody confirms it by habit.
        typed: isDangerous && number > 100 ? String(number) : null,
        action: t.actions.titles[action](jobs(number)),
        act: async (values) => {
            const given = argumentsOf(action, values);
            if (isAll) {
                const operation = await post('operations', { action, filter: filterBody(filter), expected_count: all, ...given });
                note(t.operations.begun(count(operation.id)));
            } else {
                tell(action, await actOnAll(action, ids, given));
            }
            done();
        },
    });
}

/** The API takes up to 1000 ids at a time. */
async function actOnAll(action, ids, given) {
    const sum = { changed: 0, skipped: [] };
    for (let i = 0; i < ids.length; i += 1000) {
        const answer = await post(`jobs/${action}`, { ids: ids.slice(i, i + 1000), ...given });
        sum.changed += answer.changed;
        sum.skipped.push(...(answer.skipped ?? []));
    }
    return sum;
}

function tell(action, { changed, skipped }) {
    const text = t.actions.done[action](jobs(changed));
    if (!skipped.length) return note(text);
    const reasons = skipped.slice(0, 3).map(({ id, reason }) => `${id}: ${reason}`).join('; ');
    note(text, 'failed', t.actions.skipped(jobs(skipped.length), reasons));
}

